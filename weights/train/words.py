"""The lexicon of the story grammar: who, what and where.

Small on purpose: with few and short words most of them are one or two tokens of the 512, and a small model learns to
carry them through a story.
"""

CHILDREN = {"he": ("Tom", "Sam", "Ben", "Max"), "she": ("Lily", "Mia", "Anna", "Sue")}
PET_NAMES = {"he": ("Bo", "Pip"), "she": ("Dot", "Fifi")}
ANIMALS = ("fox", "cat", "dog", "pig", "bear", "duck", "frog", "goat")
TRAITS = ("little", "happy", "kind", "small")
FRIEND_TRAITS = ("kind", "big", "old")
COLORS = ("red", "blue", "green")
HOBBIES = ("sing", "run", "play", "dance")
CHILD_HOMES = ("in a small house", "in a big town", "by the sea", "on a farm")
ANIMAL_HOMES = ("in the woods", "near a pond", "under a big tree", "on a farm")
PLACES = ("the park", "the hill", "the pond", "the woods")
SPOTS = ("under a tree", "behind a rock", "in the tall grass", "near the pond", "behind the house")
SEATS = ("under a tree", "in the sun", "on the grass")

TOYS = ("ball", "doll", "hat", "drum", "boat")
FOODS = ("cake", "apple", "pie", "cookie")
FLYING = ("kite", "ball", "hat")
# Who can reach into a tree, and how.
HELPERS = (("bird", "flew up"), ("owl", "flew up"), ("cow", "hit the tree"))
# What is built, with what, and what breaks it.
BUILDINGS = (
    ("sand house", "wet sand", "the sea"), ("tower", "sticks", "the wind"), ("snow house", "snow", "the wind"),
    ("mud house", "mud", "the rain"),
)
# A skill: to do it, having done it, what goes wrong at first.
SKILLS = (
    ("swim", "swam in the pond", "was afraid of the water"), ("ride a bike", "rode the bike", "fell off the bike"),
    ("fly a kite", "flew the kite", "lost it in a tree"),
)
MONSTERS = ("big bear", "bad fox", "big dog")
VISITORS = ("hen", "lamb", "bird")
SEEDS = (("rose", "smelled good"), ("apple tree", "had red apples"), ("pear tree", "had many pears"))
GIFTS = ("gold ring", "blue stone", "red rose")
GAMES = ("ball", "tag")
BOXES = ("box", "hat")
