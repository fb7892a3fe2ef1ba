"""Children's stories from a grammar: an endless, seeded corpus written for this project.

    story(random.Random(7))          one story, a single paragraph
    stories(seed=7, count=1000)      that many different ones
    vocabulary()                     the words that the grammar uses

A story is a cast (hero, friend, objects, places), an opening that introduces the hero, and the steps of one plot
(`plots.py`) filled from the cast, so names, objects and pronouns agree from the first sentence to the last.
"""

import random
import re
from collections.abc import Iterator

from weights.train import plots, words
from weights.train.plots import DAY, PLOTS

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_KEY = re.compile(r"\{(\w+)\}")
_DIRECT = (f"{DAY} {{hero}} ", "One night, {hero} ")
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
    "Hello! I am {name}, and I [live {home}|love to {hobby}].",
)
_ABOUT = (
    "[{He} loved to {hobby}.|{He} loved to {hobby} and {hobby2}."
    "|{He} had many friends.|{He} lived with {his} mom.]"
)


def _expand(text: str, rng: random.Random) -> str:
    """Resolve [a|b] choices, innermost first."""
    while match := _CHOICE.search(text):
        text = text[: match.start()] + rng.choice(match[1].split("|")) + text[match.end() :]
    return text


def _fill(text: str, cast: dict[str, str]) -> str:
    """Replace {key} from the cast, {Key} with its first letter raised."""

    def value(match: re.Match) -> str:
        key = match[1]
        word = cast[key[0].lower() + key[1:]]
        return word[0].upper() + word[1:] if key[0].isupper() else word

    return _KEY.sub(value, text)


def _people(rng: random.Random) -> dict[str, str]:
    """Hero and friend. They differ in gender, so a pronoun always has one meaning."""
    style = rng.choices(("child", "animal", "named animal", "self"), (10, 7, 4, 4))[0]
    gender = rng.choice(("he", "she"))
    other = "she" if gender == "he" else "he"
    boys_girls = {"he": words.BOYS, "she": words.GIRLS}
    animal, friend_animal = rng.sample(words.ANIMALS, 2)
    child = style in ("child", "self")
    kind = ("boy" if gender == "he" else "girl") if child else animal
    trait = rng.choice(words.TRAITS)
    cast = dict(kind=kind, trait=trait, home=rng.choice(words.CHILD_HOMES if child else words.ANIMAL_HOMES))
    if style == "animal":
        intro = rng.choice(_INTRO_UNNAMED)
        cast.update(name=f"little {kind}", self_name=f"the little {kind}", hero=f"the {kind}", intro=intro)
    elif style == "self":
        name = rng.choice(boys_girls[gender])
        cast.update(name=name, self_name=name, hero="I", intro=rng.choice(_INTRO_SELF))
    else:
        name = rng.choice(boys_girls[gender] if child else words.PET_NAMES[gender])
        cast.update(name=name, self_name=name, hero=name, intro=rng.choice(_INTRO_NAMED))
    hero, first = cast["hero"], style == "self"
    cast.update(zip(("he", "him", "his"), _PRONOUNS["i" if first else gender], strict=True))
    cast["hero_said"] = f"{hero} said" if first else f"said {hero}"
    cast["hero_asked"] = f"{hero} asked" if first else f"asked {hero}"
    if child and rng.random() < 0.6:
        friend = friend_name = rng.choice(boys_girls[other])
        new, old = f"a {'girl' if other == 'she' else 'boy'} named {friend}", f"{cast['his']} friend {friend}"
    else:
        friend, friend_name = f"the {friend_animal}", friend_animal
        new, old = f"a {rng.choice(words.FRIEND_TRAITS)} {friend_animal}", f"{cast['his']} friend the {friend_animal}"
    cast.update(friend=friend, friend_name=friend_name, new_friend=new, old_friend=old)
    cast.update(zip(("fhe", "fhim", "fhis"), _PRONOUNS[other], strict=True))
    cast["they"] = "we" if first else "they"
    cast["both"] = f"{friend} and I" if first else f"{hero} and {friend}"
    cast["both_old"] = f"{old} and I" if first else f"{hero} and {old}"
    return cast


def _things(rng: random.Random, home: str, kind: str) -> dict[str, str]:
    """Objects and places of any plot, drawn for each story; nobody walks to where they live or fears their own kind."""
    monsters = [monster for monster in words.MONSTERS if monster.split()[-1] != kind]
    places = [place for place in words.PLACES if place.split()[-1] not in home]
    spots, foods, hobbies = rng.sample(words.SPOTS, 3), rng.sample(words.FOODS, 2), rng.sample(words.HOBBIES, 2)
    cast = dict(spot=spots[0], spot2=spots[1], spot3=spots[2], food=foods[0], food2=foods[1])
    cast.update(hobby=hobbies[0], hobby2=hobbies[1])
    cast.update(zip(("helper", "helped"), rng.choice(words.HELPERS), strict=True))
    cast.update(zip(("building", "material", "breaker"), rng.choice(words.BUILDINGS), strict=True))
    cast.update(zip(("skill", "done", "failed"), rng.choice(words.SKILLS), strict=True))
    cast.update(zip(("plant", "bloom"), rng.choice(words.SEEDS), strict=True))
    for key, options in dict(
        toy=words.TOYS,
        color=words.COLORS,
        place=places,
        flyer=words.FLYING,
        visitor=words.VISITORS,
        bad=monsters,
        gift=words.GIFTS,
        game=words.GAMES,
        seat=words.SEATS,
        box=words.BOXES,
    ).items():
        cast[key] = rng.choice(options)
    return cast


def _plot(rng: random.Random, cast: dict[str, str]) -> list[str]:
    """Usually the hero's favourite, so that the likeliest story depends on who it is about; else any."""
    if rng.random() < _FAVOURITE_SHARE:
        return _FAVOURITES.get(cast["kind"]) or _FAVOURITES[cast["name"]]
    return rng.choice(PLOTS)


def story(rng: random.Random) -> str:
    """One story of about 80 to 130 words."""
    people = _people(rng)
    cast = people | _things(rng, people["home"], people["kind"])
    cast["about"] = _fill(_expand(_ABOUT, rng), cast)
    steps = list(_plot(rng, cast))
    if steps[0].startswith(_DIRECT) and cast["hero"] != "I" and rng.random() < 0.15:
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
