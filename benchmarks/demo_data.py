"""Rebuilds `manifests/recipes/demo/data` byte for byte: `python benchmarks/demo_data.py`.

Needs the `dev` extra, node and, once, `npm install --no-package-lock` in `benchmarks/render`. Every number is drawn
from fixed seeds, so two runs write the same bytes; `--check` compares a fresh build with the files that are there.
"""

import argparse
import gzip
import hashlib
import json
import random
import tempfile
from pathlib import Path

from demo.arithmetic import arithmetic, notebook
from demo.benchmark import LEAKED_IN_SHORT_QA, LEAKED_ON_PAGES, rows
from demo.checks import overlapping, require
from demo.collection import EXERCISE_PAGES, NEAR_DUPLICATES, Collection, Page, exercise_pages, placed, read_page
from demo.dialogues import dialogues
from demo.general import general
from demo.oddities import copies, damage, failures, same_bodies, spam
from demo.readme import write_readme
from demo.records import Response, WarcFile, crawl_date
from demo.rows import long_cot, short_qa
from demo.sites import EVERYDAY, FOREIGN, FRENCH, GERMAN, OTHER_SITES
from demo.supply import Supply
from demo.tokenizer import train_tokenizer

DEMO = Path(__file__).parent.parent / "manifests" / "recipes" / "demo"
SEED = "octo demo 1"
LARGEST_PLAIN_BYTES = 200_000
HELD_OUT = {"web": 40, "short_qa": 60, "long_cot": 40, "general": 32}
SHORT_QA, LONG_COT, INSTRUCTIONS, GENERAL = 1200, 400, 300, 150


WHAT = {
    "short_qa": "short worked problems: `id`, `text`, `problem`, `answer`",
    "long_cot": "problems with long reasoning that explores, stumbles, checks and ends in a boxed answer: `id`, `text`",
    "instructions": "conversations, `User:` and `Assistant:`: `id`, `text`",
    "general": "plain English prose without mathematics: `id`, `text`",
    "benchmark": "our own problems: `id`, `problem`, `answer`",
    "arithmetic": "problems, one sum of two small numbers each: `id`, `problem`, `answer`, `level`",
    "arithmetic_notebook": "such sums with boxed answers that are often wrong: `id`, `text`",
}
UNSEEN = {
    "arithmetic": "for the accuracy on unseen problems: `id`, `problem`, `answer`, `level`",
}


def write_rows(path: Path, items: list[dict[str, str]]) -> str:
    """JSON lines, gzipped without a time stamp where they are larger than 200 kB; returns the file's name."""
    data = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in items).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    if len(data) > LARGEST_PLAIN_BYTES:
        data, path = gzip.compress(data, 9, mtime=0), path.with_name(path.name + ".gz")
    path.write_bytes(data)
    return path.name


def texts_of(prefix: str, texts: list[str]) -> list[dict[str, str]]:
    """Rows of `id` and `text`."""
    return [{"id": f"{prefix}-{i:04d}", "text": text} for i, text in enumerate(texts, 1)]


def bare(items: list[dict[str, str]]) -> list[dict[str, str]]:
    """The same rows with `id` and `text` alone."""
    return [{"id": row["id"], "text": row["text"]} for row in items]


def build_collection(pages: list[Page], supply: Supply) -> tuple[Collection, list[Response]]:
    """The whole demo web, and the responses that were answered twice."""
    collection = Collection(SEED)
    math = [p for p in pages if p.kind == "math" and p.lang == "en" and not p.held_out] + exercise_pages(
        supply, EXERCISE_PAGES
    )
    where = placed(math)
    everyday = [
        (p, OTHER_SITES.get(p.layout, EVERYDAY[i % len(EVERYDAY)]))
        for i, p in enumerate(p for p in pages if p.kind == "other" and p.lang == "en")
    ]
    foreign = [
        (p, {"fr": FRENCH, "de": GERMAN}[p.lang] if p.kind == "math" else FOREIGN[p.lang])
        for p in pages
        if p.lang != "en" and p.slug != "fr-foret-en-automne"
    ]
    collection.prepare([*where, *everyday, *foreign])
    leaks = {"hexagons-in-the-garden": LEAKED_ON_PAGES[0], "a-rainy-tuesday": LEAKED_ON_PAGES[1]}
    for item, site in where:
        collection.add(
            item, site, f"contains benchmark problem `{leaks[item.slug]}` word for word" if item.slug in leaks else ""
        )
    for item, site in everyday:
        collection.add(
            item,
            site,
            "about twenty words"
            if item.slug == "thin-page"
            else "prices in dollars, no mathematics"
            if item.layout == "shop"
            else "no mathematics",
        )
    for item, site in foreign:
        collection.add(
            item,
            site,
            f"language `{item.lang}`, {'mathematics' if item.kind == 'math' else 'no mathematics'}, {site.encoding}",
        )
    by_slug = {p.slug: p for p in pages}
    copies(collection, where, NEAR_DUPLICATES)
    doubled = same_bodies(collection)
    failures(collection)
    damage(
        collection,
        *next((p, s) for p, s in where if s.form == "katex" and p.slug not in leaks),
        by_slug["fr-foret-en-automne"],
    )
    spam(collection)
    return collection, doubled


def write_warc(path: Path, collection: Collection, doubled: list[Response]) -> dict[str, int]:
    """The WARC; records lie in an order that has nothing to do with their sites. How many of each type is returned."""
    order = list(collection.responses)
    random.Random(SEED).shuffle(order)
    warc, counts = WarcFile(path), {"warcinfo": 1, "response": len(order), "request": 0, "metadata": 0, "revisit": 1}
    warc.info()
    for number, response in enumerate(order):
        request, metadata = number % 8 == 0, number % 24 == 0
        warc.response(response, request=request, metadata=metadata)
        counts["request"] += request
        counts["metadata"] += metadata
    warc.revisit(doubled[0], "2025-11-21T09:30:00Z")
    require(crawl_date(doubled[0].url) < "2025-11-21", f"{doubled[0].url}: its revisit has to be later.")
    warc.close()
    return counts


def build(demo: Path, data: Path) -> None:
    """Writes every file of the data folder."""
    data.mkdir(parents=True, exist_ok=True)
    pages = [read_page(path) for path in sorted((demo / "pages").glob("*.md"))]
    problems, supply = rows(), Supply(SEED)
    held = {
        "short_qa": bare(short_qa(supply, HELD_OUT["short_qa"], "demo-heldout-qa")),
        "long_cot": long_cot(supply, HELD_OUT["long_cot"], "demo-heldout-cot"),
    }
    unseen = [p for p in pages if p.held_out]
    web = [p.markdown for p in unseen + exercise_pages(supply, HELD_OUT["web"] - len(unseen))]
    held["web"] = texts_of("demo-heldout-web", web)
    prose = general(random.Random(SEED), GENERAL + HELD_OUT["general"])
    held["general"] = texts_of("demo-heldout-general", prose[GENERAL:])
    training = {
        "short_qa": short_qa(supply, SHORT_QA, "demo-qa"),
        "long_cot": long_cot(supply, LONG_COT, "demo-cot"),
        "instructions": dialogues(supply, INSTRUCTIONS, "demo-instruction"),
        "general": texts_of("demo-general", prose[:GENERAL]),
    }
    leak_into(training["short_qa"], next(row for row in problems if row["id"] == LEAKED_IN_SHORT_QA))
    collection, doubled = build_collection(pages, supply)
    check(problems, training, held, collection)
    prompts = {
        "arithmetic": arithmetic("demo-arithmetic", held_out=False),
        "arithmetic_notebook": notebook("demo-notebook", random.Random(SEED)),
    }
    held_prompts = {"arithmetic": arithmetic("demo-heldout-arithmetic", held_out=True)}
    listed = {
        write_rows(data / f"{name}.jsonl", items): (len(items), WHAT[name])
        for name, items in (training | {"benchmark": problems} | prompts).items()
    }
    listed |= {
        f"heldout/{write_rows(data / 'heldout' / f'{name}.jsonl', items)}": (
            len(items),
            UNSEEN.get(name, "for the loss on unseen text: `id`, `text`"),
        )
        for name, items in (held | held_prompts).items()
    }
    counts = write_warc(data / "pages.warc.gz", collection, doubled)
    seen = [*collection.texts.values(), *(row["text"] for items in training.values() for row in items)]
    train_tokenizer(seen, data / "tokenizer.json")
    listed |= {"pages.warc.gz": (0, "a small web, see below"), "tokenizer.json": (0, "see above")}
    write_readme(data, listed, counts, collection, LEAKED_IN_SHORT_QA)


def leak_into(items: list[dict[str, str]], problem: dict[str, str]) -> None:
    """Puts a benchmark problem with its solution in the place of row 613."""
    solution = (
        "In one hour all three print $\\frac{1}{4}$ of the batch, the first $\\frac{1}{12}$ and the second "
        "$\\frac{1}{10}$. The third prints $\\frac{1}{4} - \\frac{1}{12} - \\frac{1}{10} = \\frac{1}{15}$, "
        f"so it needs ${problem['answer']}$ hours alone."
    )
    items[612] |= {
        "text": f"Question: {problem['problem']}\nAnswer: {solution} The answer is ${problem['answer']}$.",
        "problem": problem["problem"],
        "answer": problem["answer"],
    }


def check(
    problems: list[dict[str, str]],
    training: dict[str, list[dict[str, str]]],
    held: dict[str, list[dict[str, str]]],
    collection: Collection,
) -> None:
    """Stops unless the leaks are exactly those that are wanted and nothing held out is trained on."""
    found = overlapping(problems, collection.texts.values())
    require(
        found == dict.fromkeys(LEAKED_ON_PAGES, 1),
        f"pages: benchmark problems {found} occur; expected {LEAKED_ON_PAGES} once each.",
    )
    found = overlapping(problems, (row["text"] for items in training.values() for row in items))
    require(
        found == {LEAKED_IN_SHORT_QA: 1}, f"rows: benchmark problems {found} occur; expected {LEAKED_IN_SHORT_QA} once."
    )
    found = overlapping(problems, (row["text"] for items in held.values() for row in items))
    require(not found, f"held-out rows: benchmark problems {found} occur; expected none.")
    seen = {row["text"] for items in training.values() for row in items} | set(collection.texts.values())
    require(
        not any(row["text"] in seen for items in held.values() for row in items),
        "held-out rows: one of them is a training text too.",
    )
    every = [row["id"] for items in (*training.values(), *held.values(), problems) for row in items]
    require(len(every) == len(set(every)), "rows: an id occurs twice.")


def digests(data: Path) -> dict[str, str]:
    """The SHA-256 of every file, by its relative path."""
    return {
        str(p.relative_to(data)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(data.rglob("*"))
        if p.is_file()
    }


def main() -> None:
    """Builds the data, or compares a fresh build with what is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="build into a temporary folder and compare")
    parser.add_argument("--out", type=Path, default=DEMO / "data", help="where to write (default: %(default)s)")
    arguments = parser.parse_args()
    if not arguments.check:
        build(DEMO, arguments.out)
        return
    with tempfile.TemporaryDirectory() as folder:
        build(DEMO, Path(folder))
        fresh, present = digests(Path(folder)), digests(arguments.out)
    different = sorted(name for name in fresh.keys() | present.keys() if fresh.get(name) != present.get(name))
    require(
        not different, f"{arguments.out}: {different} differ from a fresh build. Run `python benchmarks/demo_data.py`."
    )
    print(f"{len(fresh)} files are the same in a fresh build.")


if __name__ == "__main__":
    main()
