"""The plots: each is a list of steps, each step a template.

`[a|b]` chooses, the first more often than the others (an empty choice leaves the step shorter), `{key}` is filled from
the cast of the story, `{Key}` with a capital. Keys of the hero: hero he him his, hero_said hero_asked (so that one
template serves the first person too), name (how others call the hero), self_name. Of the friend: friend, new_friend
(not met before), old_friend, fhe fhim. Of both: both both_old they. The rest are objects and places (`words.py`).
"""

HAPPY = "[{Hero} was so happy.|{Hero} had a big smile.]"
DAY = "[One day,|One sunny day,]"
FRIENDS = "From that day on, {they} were good friends."

LOST = [
    DAY + " {hero} went to {place} with a {color} {toy}. [{He} ran and played.|It was fun.|{He} loved the {toy}.]",
    "But then the {toy} was [gone|lost]. {Hero} [was very sad|sat down and cried].",
    '[{New_friend} came by|Then {new_friend} came]. "[What is it|Why are you sad], {name}?" asked {friend}.',
    '"[I lost my {toy}|I can not find my {toy}]," {hero_said}. "[I will help you|I can help you]," said {friend}.',
    "{They} looked {spot}. {They} looked {spot2}. It was not there.",
    'Then {friend} looked {spot3}. "[Look|Oh, look]! Here [it is|is the {toy}]!" {fhe} said.',
    HAPPY + ' "Thank you, {friend_name}!" {hero_said}. {They} played with the {toy} all day.',
    "[{Hero} learned to ask for help.|" + FRIENDS + "|From that day on, {hero} took good care of the {toy}.]",
]

SHARE = [
    DAY + " {hero} had a big {food}. [It looked so good.|{He} wanted to eat it all.]",
    "{He} sat down {seat}. Then {new_friend} came by. {Friend} had no food.",
    '"[May I have some|Can I eat some of it], please?" asked {friend}.',
    '"[No, it is my {food}|No, it is all for me]!" {hero_said}. {Friend} was sad and went away.',
    "But [it was no fun to eat alone|the {food} was not so good alone|{hero} did not feel good].",
    '"[Wait|Come back], {friend_name}!" {hero_said}. "[We can share the {food}|I want to share it with you]."',
    ('So {they} [shared|ate] the {food}. [It was very good.|It was fun.] '
     '"[Thank you|You are kind], {name}," said {friend}.'),
    "The next day, {friend} came with a big {food2}. {Fhe} shared it with {him}.",
    "[{Hero} learned to share.|{Hero} learned that it is good to share.|" + FRIENDS + "]",
]

STUCK = [
    DAY + " {hero} went to {place} with a {color} {flyer}. [Then the wind came.|The wind was strong.]",
    "The {flyer} flew up into a tall tree. [Oh no!|It did not come down.] {Hero} [was too small|could not get it].",
    ('[Then a kind {helper} came by|A kind {helper} saw {him}]. '
     '"[Why are you sad|What is it], {name}?" asked the {helper}.'),
    '"[My {flyer} is in the tree|I want my {flyer} back]," {hero_said}. "[Can|Will] you help me?"',
    '"[Yes, I can|I will help you]," said the {helper}. The {helper} {helped}, and the {flyer} came down.',
    HAPPY + ' "Thank you!" {hero_said}. "[Do you want to play|Will you play with me]?"',
    "So {they} played with the {flyer} [until it was dark|all day].",
    ("[From that day on, the {helper} was {his} friend.|{Hero} learned to ask for help.|"
     "Then {he} went home and told {his} mom.]"),
]

NIGHT = [
    "One night, {hero} was in bed. [The wind was strong.|It was very dark.|The rain came down.]",
    "Then there was a sound [at the door|under the bed]. {Hero} was afraid.",
    '"[Mom, come here|Mom, help me]!" {hero_said}. "There is a {bad}!"',
    '{His} mom came and gave {him} a hug. "[We can look together|Do not be afraid. I am with you]," she said.',
    "So {they} looked. It was not a {bad}. It was a little {visitor}! It was [wet and cold|cold|all alone].",
    '"[Do not be afraid|Come in], little {visitor}," {hero_said}. "[You can stay with me|I will help you]."',
    "{He} gave the {visitor} [some food|some water|a small bed]. Soon it was [warm and happy|happy].",
    '"[You are so kind|You are very kind], {name}," said {his} mom.',
    "From that day on, [the {visitor} was {his} friend|{hero} was not afraid of the dark].",
]

SKILL = [
    "{Hero} wanted to learn to {skill}. [{His} friends could do it.|It looked like fun.]",
    DAY + " {he} tried, but {he} {failed}. [It was too hard.|Oh no!] {Hero} was [sad|very sad].",
    '"[I can not do it|I will never learn it]," {hero_said}.',
    ('{Old_friend} came by. "[Do not be sad|Try again], {name}," said {friend}. '
     '"[It was hard for me too|I will help you]."'),
    "So {friend} showed {him} how to {skill}. {Hero} tried again and again. It was [hard, but it was fun|not so hard].",
    'Then one day, {hero} {done}! "[I did it|Look at me|I can do it]!" {hero_said}.',
    '"[I knew you could do it|You did it, {name}]!" said {friend}. {Fhe} gave {him} a hug.',
    ("[{Hero} learned to try again and again.|{Hero} was so happy that {he} told {his} mom.|"
     "From that day on, {they} did it together.]"),
]

HOME = [
    DAY + " {hero} went far into the woods alone. {He} saw a {color} bird and ran after it.",
    "[{He} ran and ran.|The bird flew away.] [Soon {he} was lost.|{He} could not find the way home.] It was [dark|"
    "very dark].",
    "{Hero} was afraid. {He} sat down under a tree and cried.",
    'An old owl saw {him}. "[Who is there|Why are you sad]?" asked the owl.',
    '"[It is me, {self_name}|I am {self_name}]," {hero_said}. "[I am lost|I want to go home|I can not find my mom]."',
    '"[I know the way|I can help you]," said the owl. "[Come with me|Do not be afraid]."',
    "The owl flew from tree to tree, and {hero} ran after it. Then {he} saw {his} home!",
    '{His} mom was at the door. "[The owl helped me|The old owl is my friend]," {hero_said}. "Thank you, owl!"',
    ("[From that day on, {he} did not go into the woods alone.|{Hero} learned to stay near home.|"
     "From that day on, the owl was {his} friend.]"),
]

BUILD = [
    DAY + " {both_old} wanted to make a {building}. [It looked like fun.|{They} had a plan.]",
    "{They} used {material}. [It was hard.|It took all day.] [Soon|Then] the {building} was [big|very pretty].",
    "But then {breaker} came. [Oh no!|] The {building} [fell down|broke]. {Hero} [was very sad|sat down and cried].",
    '"[We can make it again|Do not be sad. We can try again]," said {friend}.',
    '"[What if {breaker} comes again|Will it not break again]?" {hero_asked}. "We can make it strong," said {friend}.',
    "So {they} tried again with big stones. {Hero} helped {friend}, and {friend} helped {him}.",
    "Soon there was a new {building}. It was [big and strong|very strong].",
    "{Breaker} came again, but the {building} did not break. {Both} were so happy.",
    "{Hero} learned [to try again|that friends can do hard things together].",
]

BIRD = [
    DAY + " {hero} saw a small bird near {place}. [The bird could not fly.|The bird was very cold.]",
    '"[Do not be afraid|Do not be sad], little bird," {hero_said}. "[I will help you|I will take care of you]."',
    "{He} took the bird home and made a bed in a {color} {box}. {He} gave it [food|some food] and water every day.",
    "Soon the bird was strong. It wanted to fly. {Hero} was a little sad.",
    '"[Come back soon|Thank you for the songs]," {hero_said}. The bird flew up and away.',
    "The snow came. {Hero} [looked for the bird every day|was all alone].",
    "Then one sunny day, the bird came back! It had a {gift} for {him}.",
    HAPPY + ' "[Thank you|You came back], little bird!" {hero_said}.',
    ("[From that day on, the bird sang for {him} every day.|{Hero} learned that it is good to help.|"
     "From that day on, the bird was {his} friend.]"),
]

SEED = [
    DAY + " {hero} [saw|had] a small seed. [What could it be?|{He} showed it to {his} mom.]",
    'Then {old_friend} came by. "[Give it water|Give it sun and water], {name}," said {friend}.',
    "So {hero} took the seed to {place}. {He} gave it water every day.",
    "But there was no {plant}. [{Hero} was sad.|{Hero} did not want to wait.]",
    ('"[Will it never come up|Why is it not there]?" {hero_asked}. '
     '"[Good things take time|Wait a little more]," said {friend}.'),
    "So {they} [sat {seat}|played {game}] and waited. [The rain came.|The sun came.]",
    "Then one day, there was a small {plant}! " + HAPPY,
    "Soon the {plant} was big and {bloom}. [{His} friends came to see it.|{He} showed it to {friend}.]",
    '"[You did it|It is so pretty], {name}!" said {friend}. {Hero} learned [to wait|that good things take time].',
]

NEWCOMER = [
    DAY + " {hero} went to {place} to play. {He} saw {new_friend}. {Fhe} was all alone.",
    "{Friend} looked sad. [{Fhe} had no friends.|{Fhe} did not play.] {Hero} wanted to be kind.",
    '"[Hi|Hello]! I am {self_name}," {hero_said}. "[Do you want to play|Will you play] with me?"',
    ('[{Friend} was afraid. "What can we play?" {fhe} asked. "We|"Can we be friends?" asked {friend}. "Yes! We] '
     'can play {game}," {hero_said}.'),
    "So {they} played {game}. {They} ran and ran. Soon {friend} [was happy|had a big smile].",
    "Then {they} sat {seat} and ate a {food}. [It was very good.|The sun was warm.]",
    '"I was so sad," said {friend}. "[Now I have a friend|You are so kind]. Thank you, {name}."',
    '"[Come again|We can play again] soon," {hero_said}. {Friend} gave {him} a hug.',
    "[" + FRIENDS + "|{Hero} learned that it is good to be kind.]",
]

PLOTS = (LOST, SHARE, STUCK, NIGHT, SKILL, HOME, BUILD, BIRD, SEED, NEWCOMER)
