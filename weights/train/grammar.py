"""Children's stories from a grammar: an endless, seeded corpus written for this project.

    story(random.Random(7))          one story, a single paragraph
    stories(seed=7, count=1000)      that many different ones
    vocabulary()                     the words that the grammar uses

A story is a cast (hero, friend, objects, places), an opening that introduces the hero, and the steps of one plot
(`plots.py`) filled from the cast, so names, objects and pronouns agree from the first sentence to the last.
"""

import random
import re
from collections.abc import Iterator, Sequence
from typing import TypeVar

from llama2_myhdl.weights.train import plots, words
from llama2_myhdl.weights.train.plots import DAY, PLOTS

T = TypeVar("T")
_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_KEY = re.compile(r"\{(\w+)\}")
_DIRECT = (f"{DAY} {{hero}} ", "One night, {hero} ")
_DIRECT_SHARE = 0.15
_FAVOURITE_SHARE = 0.6
_FAVOURITES = {
    "fox": plots.HOME, "cat": plots.STUCK, "dog": plots.LOST, "pig": plots.SHARE, "bear": plots.NIGHT,
    "duck": plots.SKILL, "frog": plots.SEED, "goat": plots.BUILD, "Tom": plots.LOST, "Sam": plots.BUILD,
    "Ben": plots.STUCK, "Max": plots.SEED, "Lily": plots.SHARE, "Mia": plots.BIRD, "Anna": plots.NEWCOMER,
    "Sue": plots.HOME,
}
_PRONOUNS = {"he": ("he", "him", "his"), "she": ("she", "her", "her"), "i": ("I", "me", "my")}

_INTRO_NAMED = (
    "Once upon a time, there was a {trait} {kind} named {name}. {About}",
    "Once upon a time, a {trait} {kind} named {name} lived {home}. {About}",
    "{Name} was a {trait} {kind} who lived {home}. {About}",
    "{Name} was a {trait} {kind}. {About}",
    "A {trait} {kind} named {name} lived {home}. {About}",
    "This is a story about a {trait} {kind} named {name}. {About}",
)
_INTRO_UNNAMED = (
    "Once upon a time, there was a {trait} {kind}. [The {kind}|{He}] lived {home}.",
    "Once upon a time, a {trait} {kind} lived {home}. {About}",
    "The {trait} {kind} lived {home}. {About}",
    "The {trait} {kind} loved to {hobby}. {He} lived {home}.",
    "A {trait} {kind} lived {home}. {About}",
)
_INTRO_SELF = (
    "Hi! My name is {name}. I [am a {trait} {kind}|live {home}]. This is my story.",
    "Hi, I am {name}! I [live {home}|love to {hobby}]. This is my story.",
    "My name is {name}. I [live {home}|love to {hobby}]. This is my story.",
    "Hello! I am {name}, and I [live {home}|love to {hobby}].",
)
_ABOUT = (
    "[{He} loved to {hobby}.|{He} loved to {hobby} and {hobby2}."
    "|{He} had many friends.|{He} lived with {his} mom.]"
)


def _pick(rng: random.Random, options: Sequence[T], turn: int = 0) -> T:
    """One option; the favourite, number `turn`, is twice as likely as any other.

    Were all equal, the model's likeliest word would be a matter of rounding; and with favourites that turn from plot to
    plot, its likeliest stories differ in more than the plot.
    """
    favourite = turn % len(options)
    return rng.choices(options, [2 if index == favourite else 1 for index in range(len(options))])[0]


def _pick_several(rng: random.Random, options: Sequence[T], count: int, turn: int = 0) -> list[T]:
    """`count` different options."""
    left = list(options)
    picked = []
    for _ in range(count):
        picked.append(_pick(rng, left, turn))
        left.remove(picked[-1])
    return picked


def _expand(text: str, rng: random.Random) -> str:
    """Resolve [a|b] choices, innermost first."""
    while match := _CHOICE.search(text):
        text = text[: match.start()] + _pick(rng, match[1].split("|")) + text[match.end() :]
    return text


def _fill(text: str, cast: dict[str, str]) -> str:
    """Replace {key} from the cast, {Key} with its first letter raised."""

    def value(match: re.Match) -> str:
        key = match[1]
        word = cast[key[0].lower() + key[1:]]
        return word[0].upper() + word[1:] if key[0].isupper() else word

    return _KEY.sub(value, text)


def _hero(rng: random.Random) -> dict[str, str]:
    """Who the story is about, and the template of its opening."""
    style = rng.choices(("child", "animal", "named animal", "self"), (10, 7, 4, 4))[0]
    gender = rng.choices(("he", "she"), (2, 3))[0]
    child, first = style in ("child", "self"), style == "self"
    kind = {"he": "boy", "she": "girl"}[gender] if child else _pick(rng, words.ANIMALS)
    home = _pick(rng, words.CHILD_HOMES if child else words.ANIMAL_HOMES)
    cast = dict(kind=kind, gender=gender, trait=_pick(rng, words.TRAITS), home=home)
    if style == "animal":
        intro = _pick(rng, _INTRO_UNNAMED)
        cast.update(name=f"little {kind}", self_name=f"the little {kind}", hero=f"the {kind}", intro=intro)
    else:
        name = _pick(rng, words.CHILDREN[gender] if child else words.PET_NAMES[gender])
        intro = _pick(rng, _INTRO_SELF if first else _INTRO_NAMED)
        cast.update(name=name, self_name=name, hero="I" if first else name, intro=intro)
    hero = cast["hero"]
    cast.update(zip(("he", "him", "his"), _PRONOUNS["i" if first else gender], strict=True))
    cast["hero_said"] = f"{hero} said" if first else f"said {hero}"
    cast["hero_asked"] = f"{hero} asked" if first else f"asked {hero}"
    return cast


def _friend(rng: random.Random, hero: dict[str, str], turn: int) -> dict[str, str]:
    """The other one: of the other gender, so a pronoun always has one meaning."""
    gender = "she" if hero["gender"] == "he" else "he"
    his, first = hero["his"], hero["hero"] == "I"
    if hero["kind"] in ("boy", "girl") and rng.random() < 0.6:
        friend = friend_name = _pick(rng, words.CHILDREN[gender], turn)
        new, old = f"a {'girl' if gender == 'she' else 'boy'} named {friend}", f"{his} friend {friend}"
    else:
        animal = _pick(rng, [animal for animal in words.ANIMALS if animal != hero["kind"]], turn)
        friend, friend_name = f"the {animal}", animal
        new, old = f"a {_pick(rng, words.FRIEND_TRAITS, turn)} {animal}", f"{his} friend the {animal}"
    cast = dict(friend=friend, friend_name=friend_name, new_friend=new, old_friend=old)
    cast.update(zip(("fhe", "fhim"), _PRONOUNS[gender]))
    cast["they"] = "we" if first else "they"
    cast["both"] = f"{friend} and I" if first else f"{hero['hero']} and {friend}"
    cast["both_old"] = f"{old} and I" if first else f"{hero['hero']} and {old}"
    return cast


def _things(rng: random.Random, hero: dict[str, str], turn: int) -> dict[str, str]:
    """Objects and places of any plot, drawn for each story; nobody walks to where they live or fears their own kind."""
    cast = {}
    for keys, options in (
        (("spot", "spot2", "spot3"), words.SPOTS),
        (("food", "food2"), words.FOODS),
        (("hobby", "hobby2"), words.HOBBIES),
    ):
        cast.update(zip(keys, _pick_several(rng, options, len(keys), turn), strict=True))
    for keys, options in (
        (("helper", "helped"), words.HELPERS),
        (("building", "material", "breaker"), words.BUILDINGS),
        (("skill", "done", "failed"), words.SKILLS),
        (("plant", "bloom"), words.SEEDS),
    ):
        cast.update(zip(keys, _pick(rng, options, turn), strict=True))
    for key, options in dict(
        toy=words.TOYS,
        color=words.COLORS,
        place=[place for place in words.PLACES if place.split()[-1] not in hero["home"]],
        flyer=words.FLYING,
        visitor=words.VISITORS,
        bad=[monster for monster in words.MONSTERS if monster.split()[-1] != hero["kind"]],
        gift=words.GIFTS,
        game=words.GAMES,
        seat=words.SEATS,
        box=words.BOXES,
    ).items():
        cast[key] = _pick(rng, options, turn)
    return cast


def _plot(rng: random.Random, hero: dict[str, str]) -> int:
    """Number of the plot: usually the hero's favourite, so that the likeliest story depends on who it is about."""
    if rng.random() < _FAVOURITE_SHARE:
        return PLOTS.index(_FAVOURITES.get(hero["kind"]) or _FAVOURITES[hero["name"]])
    return rng.randrange(len(PLOTS))


def story(rng: random.Random) -> str:
    """One story of about 100 to 150 words."""
    hero = _hero(rng)
    plot = _plot(rng, hero)
    cast = hero | _friend(rng, hero, plot) | _things(rng, hero, plot)
    cast["about"] = _fill(_expand(_ABOUT, rng), cast)
    steps = list(PLOTS[plot])
    if steps[0].startswith(_DIRECT) and cast["hero"] != "I" and rng.random() < _DIRECT_SHARE:
        # No introduction: the hero enters in the first sentence of the plot.
        named = "" if cast["hero"].startswith("the ") else " named {name}"
        steps[0] = steps[0].replace("{hero}", "a {trait} {kind}" + named, 1)
    else:
        steps.insert(0, cast["intro"])
    text = " ".join(_fill(_expand(step, rng), cast) for step in steps)
    text = re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", text)
    return re.sub(r" {2,}", " ", text).strip()


def stories(seed: int, count: int) -> Iterator[str]:
    """`count` different stories, the same for the same seed."""
    rng, seen = random.Random(seed), set()
    while len(seen) < count:
        text = story(rng)
        if text not in seen:
            seen.add(text)
            yield text


def words_of(text: str) -> list[str]:
    """Lower-case words without punctuation."""
    return re.findall(r"[a-z]+", text.lower())


def vocabulary(seed: int = 0, count: int = 4000) -> set[str]:
    """The words of `count` stories: all that the grammar can say."""
    return {word for text in stories(seed, count) for word in words_of(text)}
