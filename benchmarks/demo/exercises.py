"""Exercise pages in Markdown, each from two or three kinds of problems of one area."""

import re

from demo.supply import AREAS, Supply
from demo.wording import Family, Problem, say, vary

DISPLAYED = re.compile(r"^(?P<lead>.*[a-z,:]) \$(?P<tex>[^$]{28,})\$\.$")

OPENINGS = (
    "This sheet is about {topics}. [[Work through the examples slowly|Read the examples with a pencil in your hand]], "
    "and cover the solutions until you have tried each problem yourself.",
    "Nobody learns mathematics by watching. Here are [[some|a few]] problems on {topics}, with solutions that show "
    "every step, so that you can find out where your own way differs.",
    "The [[following notes|notes below]] were written for a small evening class. They deal with {topics}, and they "
    "assume only what was covered [[last week|in the weeks before]].",
    "What do {topics} have in common? More than it seems: in each case a [[clever|good]] first step makes the rest "
    "routine.",
    "On this page we practise {topics}. The numbers are [[friendly|chosen so that no calculator is needed]], because "
    "the method matters more than the arithmetic.",
    "Before the [[test|exam]] it helps to see how the standard tasks are solved. We go through {topics} and point out "
    "the traps on the way.",
    "A reader asked for more worked examples on {topics}. Here they are, from easy to slightly less easy.",
    "If you [[understand|can do]] the problems on this page without looking at the solutions, you know enough about "
    "{topics} for most purposes.",
    "Today's topic: {topics}. We [[begin|start]] with an idea, look at examples, and end with exercises whose answers "
    "are given at the bottom.",
    "These [[problems|exercises]] come from our weekly tutoring hour. The questions on {topics} were asked most "
    "often, so we collected them.",
    "Mathematics is [[easier|more fun]] with concrete numbers. So instead of theory, here are cases of {topics}, "
    "calculated from beginning to end.",
    "Keep this page as a [[reference|reminder]]. It collects typical exercises on {topics} together with complete "
    "solutions.",
)
CLOSINGS = (
    "If your result differs, [[go back|return]] to the first line in which your solution and ours disagree. The "
    "mistake is usually there and usually small.",
    "[[Try|Now try]] to invent a problem of the same kind whose answer is a whole number. That is harder than it "
    "looks, and you learn a lot from it.",
    "[[Next time|Next week]] we shall use these methods as tools inside longer problems, so make sure they sit well.",
    "Write down in [[one sentence|your own words]] what the decisive step was in each example. The sentence is worth "
    "more than the calculation.",
    "When you get stuck, change the numbers into smaller ones and look for a pattern; then [[come back|return]] to "
    "the original question.",
    "Did you find a shorter solution? [[Good|Excellent]]. Compare it with ours and ask whether it would work for all "
    "numbers.",
    "It is a good habit to estimate the [[answer|result]] before calculating. Wrong signs and lost factors are found "
    "at once.",
    "[[Finally|One last piece of advice]]: check your results by a second method whenever there is one. We did so in "
    "the examples above.",
    "Come back to this page in a [[week|few days]] and solve the exercises again without help. What still works then "
    "has really been learned.",
    "Questions and corrections are welcome. [[Several|Some]] of these solutions were improved by readers who wrote to "
    "us.",
)
LEADS = (
    "Now it is your turn",
    "For practice",
    "Exercises without solutions",
    "Try these yourself",
    "Homework",
    "Check your understanding",
)
EXAMPLE = ("Example", "Problem", "Task", "Exercise")
SOLUTION = ("Solution", "Answer", "How to do it", "Worked solution")
TRAPS = ("A common mistake", "A word of warning", "Where things go wrong", "Careful")
CHECKS = ("Check:", "A second look:", "Is this plausible?", "To be sure:")
GREETINGS = (
    "I am preparing for an exam and got stuck here.",
    "My daughter brought this home from school and I could not help her.",
    "This was on last week's quiz, and I lost all the points.",
    "I found this in an old textbook without solutions.",
    "My study group cannot agree about this one.",
    "I have been staring at this for an hour.",
)
REPLIES = (
    "You are closer than you think.",
    "This one is a classic.",
    "Let me write out the steps.",
    "The good news: it takes only a few lines.",
    "I remember struggling with the same thing.",
    "Start like this.",
)


def displayed(text: str) -> str:
    """The sentence with its last formula on a line of its own, where that formula is long."""
    match = DISPLAYED.match(text)
    return f"{match['lead']}\n\n$${match['tex']}.$$\n\n" if match else f"{text} "


def flow(supply: Supply, steps: tuple[str, ...]) -> str:
    """The steps as running text, some formulas displayed."""
    shown = "".join(displayed(step) if supply.rng.random() < 0.6 else f"{step} " for step in steps)
    return re.sub(r"[ ]*\n\n[ ]*", "\n\n", shown).strip()


def answer_line(problem: Problem) -> str:
    """The bare answer as a formula."""
    return f"${problem.answer}$"


def worked(supply: Supply, families: list[Family]) -> list[str]:
    """Sections with a remark and examples, and exercises with answers at the end."""
    rng, parts, number = supply.rng, [], 0
    word, solution = rng.choice(EXAMPLE), rng.choice(SOLUTION)
    for family in families:
        parts += [f"## {family.title}", vary(rng, supply.remark(family))]
        for _ in range(rng.choice((2, 2, 3)) if len(families) == 2 else 2):
            number += 1
            made = supply.problem(family)
            parts += [f"**{word} {number}.** {made.statement}", f"*{solution}.* {flow(supply, made.steps)}"]
            if rng.random() < 0.45:
                parts.append(f"*{rng.choice(CHECKS)}* {made.check}")
    return parts + practice(supply, families, rng.choice((2, 3)))


def sheet(supply: Supply, families: list[Family]) -> list[str]:
    """All the problems first, then all the solutions."""
    rng = supply.rng
    made = [(family, supply.problem(family)) for family in families for _ in range(3 if len(families) == 2 else 2)]
    rng.shuffle(made)
    parts = [
        "## Problems",
        "\n".join(f"{i}. {p.statement}" for i, (_, p) in enumerate(made, 1)),
        vary(rng, supply.remark(families[0])),
        "## Solutions",
    ]
    for i, (_, problem) in enumerate(made, 1):
        extra = f" {problem.check}" if rng.random() < 0.4 else ""
        parts.append(f"**Number {i}.** {problem.idea} {flow(supply, problem.steps)}{extra}")
    return parts


def thread(supply: Supply, families: list[Family]) -> list[str]:
    """Questions asked by readers, with a wrong attempt and an answer."""
    rng, parts = supply.rng, []
    for family in (*families, families[0]):
        made = supply.problem(family)
        parts += [
            f"## Question about {family.title[0].lower()}{family.title[1:]}",
            f"{rng.choice(GREETINGS)} {made.statement}",
        ]
        parts.append(f"**{rng.choice(REPLIES)}** {made.idea} {flow(supply, made.steps)}")
        parts.append(f"**{rng.choice(TRAPS)}.** {made.slip}")
        if rng.random() < 0.7:
            parts.append(f"{made.check} {vary(rng, supply.remark(family)) if rng.random() < 0.6 else ''}".strip())
    return parts


def lesson(supply: Supply, families: list[Family]) -> list[str]:
    """A lesson: idea, example, mistake and check for each topic."""
    rng, parts = supply.rng, []
    for family in families:
        parts += [f"## {family.title}", vary(rng, supply.remark(family))]
        first, second = supply.problem(family), supply.problem(family)
        parts += [
            f"{first.statement} {first.idea}",
            flow(supply, first.steps),
            f"**{rng.choice(TRAPS)}.** {first.slip}",
            f"**{rng.choice(CHECKS)}** {first.check}",
        ]
        parts += [
            say(
                rng,
                "One more of the same kind.",
                "Another [[example|case]].",
                "With other numbers:",
                "And once again, [[faster|more briefly]]:",
            )
            + f" {second.statement} {' '.join(second.steps)}"
        ]
    return parts


def practice(supply: Supply, families: list[Family], each: int) -> list[str]:
    """Exercises with their bare answers."""
    made = [supply.problem(family) for family in families for _ in range(each)]
    supply.rng.shuffle(made)
    listed = "\n".join(f"{i}. {p.statement}" for i, p in enumerate(made, 1))
    answers = "; ".join(f"{i}: {answer_line(p)}" for i, p in enumerate(made, 1))
    return [f"## {supply.rng.choice(LEADS)}", listed, f"Answers: {answers}."]


LAYOUTS = {"worked": worked, "sheet": sheet, "thread": thread, "lesson": lesson}


def exercise_page(supply: Supply, number: int) -> tuple[str, str, str, str]:
    """Title, topic, layout and Markdown body of one exercise page."""
    rng = supply.rng
    first = supply.family()
    area, others = first.area, [f for f in AREAS[first.area] if f is not first]
    families = [first, *rng.sample(others, rng.choice((1, 1, 2)))]
    topics = [f"{f.title[0].lower()}{f.title[1:]}" if not f.title.startswith("Euclid") else f.title for f in families]
    listed = topics[0] if len(topics) == 1 else f"{', '.join(topics[:-1])} and {topics[-1]}"
    title = say(
        rng,
        f"{listed[0].upper()}{listed[1:]}",
        f"Practice: {listed}",
        f"Worked examples: {listed}",
        f"{area.capitalize()}, sheet {number + 1}",
        f"Lesson {number + 1}: {listed}",
    )
    layout = rng.choice(list(LAYOUTS))
    opening = vary(rng, rng.choice(OPENINGS)).format(topics=listed)
    body = [opening, *LAYOUTS[layout](supply, families), vary(rng, rng.choice(CLOSINGS))]
    return title, area, layout, "\n\n".join(body)
