"""The data that ships with the demo keeps the promises of its README."""

import gzip
import json
import re
import zlib
from collections import Counter
from pathlib import Path

import pytest
import warcio
from fastwarc.warc import ArchiveIterator
from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.encoding import detect_encoding
from resiliparse.parse.html import HTMLTree
from tokenizers import Tokenizer

DATA = Path(__file__).parents[2] / "manifests" / "recipes" / "demo" / "data"
PAGES = DATA.parent / "pages"
TRAINING = ("short_qa.jsonl.gz", "long_cot.jsonl.gz", "instructions.jsonl", "general.jsonl")
HELD_OUT = ("web.jsonl", "short_qa.jsonl", "long_cot.jsonl", "general.jsonl")
GRAM = 13
LATEX_IN_TEXT = {
    "calculus.example.com",
    "lectures.example.net",
    "statistics.example.org",
    "tutoring.example.com",
    "forum.example.net",
    "mathdiary.example.com",
}
"""Sites whose LaTeX plain extraction finds, since it stands in the text or in `alt`."""


def read_rows(name: str) -> list[dict[str, str]]:
    path = DATA / name
    text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def grams(text: str, size: int = GRAM) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[i : i + size]) for i in range(len(words) - size + 1)}


def leaked(problems: dict[str, str], text: str) -> list[str]:
    """The benchmark problems that share 13 words in a row with the text."""
    found = grams(text)
    return [identity for identity, problem in problems.items() if found & grams(problem)]


def listed(what: str) -> list[tuple[str, str]]:
    """The pairs of URLs the README names as copies of each other."""
    readme = (DATA / "README.md").read_text("utf-8")
    return re.findall(rf"^\| (\S+) \| {what} of (\S+):", readme, re.MULTILINE)


def shared(one: str, other: str) -> float:
    first, second = grams(one, 5), grams(other, 5)
    return len(first & second) / len(first | second)


@pytest.fixture(scope="module")
def records() -> list[tuple[str, str, str, dict[str, str]]]:
    """(type, id, URL, HTTP headers) of every record."""
    found = []
    with (DATA / "pages.warc.gz").open("rb") as stream:
        for record in ArchiveIterator(stream, parse_http=True):
            http = record.http_headers.asdict() if record.http_headers else {}
            found.append(
                (record.headers["WARC-Type"], record.record_id, record.headers.get("WARC-Target-URI", ""), http)
            )
    return found


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    """The plain text of every HTML page with a body, by URL."""
    texts = {}
    with (DATA / "pages.warc.gz").open("rb") as stream:
        for record in warcio.ArchiveIterator(stream):
            http = record.http_headers
            if record.rec_type != "response" or http.get_statuscode() != "200":
                continue
            body, kind = record.content_stream().read(), http.get_header("Content-Type", "")
            if body and kind.startswith("text/html"):
                declared = re.search("charset=([^;]+)", kind)
                tree = HTMLTree.parse_from_bytes(body, declared[1] if declared else detect_encoding(body))
                texts[record.rec_headers.get_header("WARC-Target-URI")] = extract_plain_text(tree, alt_texts=True)
    return texts


def test_every_record_can_be_read_and_has_its_own_id(records):
    kinds = Counter(kind for kind, *_ in records)
    assert kinds["warcinfo"] == 1 and kinds["revisit"] == 1 and kinds["metadata"] >= 1
    assert kinds["response"] >= 200 and kinds["request"] >= 1
    assert len({identity for _, identity, _, _ in records}) == len(records)
    urls = [url for kind, _, url, _ in records if kind == "response"]
    assert len(set(urls)) == len(urls)


def test_each_record_is_a_gzip_member_of_its_own(records):
    stream, members = (DATA / "pages.warc.gz").read_bytes(), 0
    while stream:
        inflate = zlib.decompressobj(wbits=31)
        assert inflate.decompress(stream).startswith(b"WARC/1.1\r\n")
        stream, members = inflate.unused_data, members + 1
    assert members == len(records)


def test_responses_come_in_many_encodings_and_types(records):
    headers = [http for kind, _, _, http in records if kind == "response"]
    assert sum(http.get("Content-Encoding") == "gzip" for http in headers) > 10
    assert sum(http.get("Transfer-Encoding") == "chunked" for http in headers) > 10
    kinds = {http.get("Content-Type", "") for http in headers}
    assert {"application/pdf", "image/png", "application/json", "text/html; charset=ISO-8859-1"} <= kinds


def test_the_words_of_an_article_are_found_on_its_page(pages):
    article = (PAGES / "proof-by-induction.md").read_text("utf-8")
    text = next(text for url, text in pages.items() if "proof-by-induction" in url and "/cut/" not in url)
    sentence = "Imagine a row of dominoes. If the first one falls, and if every falling domino knocks over the next"
    assert sentence in article and sentence in " ".join(text.split())


def test_every_page_gives_readable_text(pages):
    """Chunked, gzipped or in a legacy charset: what comes out is text, never bytes or replacement signs."""
    for url, text in pages.items():
        assert "\ufffd" not in text or url.endswith("/fr/automne.html"), url
        assert len(text.split()) >= 15, url


def test_leaks_are_where_the_readme_says_and_nowhere_else(pages):
    problems = {row["id"]: row["problem"] for row in read_rows("benchmark.jsonl")}
    on_pages = {identity for text in pages.values() for identity in leaked(problems, text)}
    in_rows = [identity for name in TRAINING for row in read_rows(name) for identity in leaked(problems, row["text"])]
    assert on_pages == {"demo-bench-05", "demo-bench-23"}
    assert in_rows == ["demo-bench-31"]
    readme = (DATA / "README.md").read_text("utf-8")
    assert all(f"`{identity}`" in readme for identity in (*on_pages, *in_rows))


def test_held_out_texts_are_not_training_texts(pages):
    trained = {row["text"] for name in TRAINING for row in read_rows(name)}
    for name in HELD_OUT:
        rows = read_rows(f"heldout/{name}")
        assert 30 <= len(rows) <= 60
        assert not trained & {row["text"] for row in rows}
    web = [row["text"] for row in read_rows("heldout/web.jsonl")]
    seen = [grams(text, 8) for text in pages.values()]
    for text in web:
        own = grams(text, 8)
        assert max(len(own & other) / len(own) for other in seen) < 0.4


def test_ids_are_unique_and_fields_are_as_promised():
    fields = {"short_qa.jsonl.gz": {"id", "text", "problem", "answer"}, "benchmark.jsonl": {"id", "problem", "answer"}}
    ids = []
    for name in (*TRAINING, *(f"heldout/{name}" for name in HELD_OUT), "benchmark.jsonl"):
        rows = read_rows(name)
        assert all(set(row) == fields.get(name, {"id", "text"}) for row in rows), name
        assert all(value.strip() for row in rows for value in row.values()), name
        ids += [row["id"] for row in rows]
    assert len(set(ids)) == len(ids)


def test_worked_problems_state_the_answer_they_promise():
    rows = read_rows("short_qa.jsonl.gz")
    assert len({row["problem"] for row in rows}) == len(rows)
    for row in rows:
        assert row["text"].startswith(f"Question: {row['problem']}\nAnswer: ")
        assert f"${row['answer']}$" in row["text"].rsplit("\nAnswer: ", 1)[1]


def test_long_reasoning_ends_in_a_boxed_answer():
    for row in read_rows("long_cot.jsonl.gz"):
        assert 600 <= len(row["text"]) <= 2000
        assert re.search(r"\$\\boxed\{.+\}\$\.$", row["text"]), row["id"]


def test_near_duplicates_are_near_and_other_pages_are_not(pages):
    near, same = listed("near-duplicate"), listed("exact duplicate")
    assert len(near) >= 8
    copied = {url for pair in (*near, *same) for url in pair}
    others = [text for url, text in pages.items() if url.split("/")[2] in LATEX_IN_TEXT and url not in copied]
    assert max(shared(one, other) for i, one in enumerate(others[:40]) for other in others[:i]) < 0.4
    plain = [(a, b) for a, b in near if {a.split("/")[2], b.split("/")[2]} <= LATEX_IN_TEXT]
    assert plain and all(shared(pages[a], pages[b]) > 0.6 for a, b in plain)


def test_exact_duplicates_have_equal_text(pages):
    same = listed("exact duplicate")
    assert len(same) >= 3 and all(pages[copy] == pages[original] for copy, original in same)


@pytest.mark.parametrize(
    "text",
    [r"$$\int_0^1 \frac{x^2}{1 + x} \, dx$$", "Größe, 漢字, 🙂 and a tab\t.", "x = 12345.678\n\nQuestion: $5 < 7$"],
)
def test_the_tokenizer_gives_text_back_unchanged(text):
    tokenizer = Tokenizer.from_file(str(DATA / "tokenizer.json"))
    encoded = tokenizer.encode(text)
    assert tokenizer.decode(encoded.ids) == text
    assert 0 not in encoded.ids


def test_the_tokenizer_is_small_and_adds_nothing():
    tokenizer = Tokenizer.from_file(str(DATA / "tokenizer.json"))
    assert tokenizer.get_vocab_size() == 2048
    assert tokenizer.token_to_id("<|endoftext|>") == 0
    assert tokenizer.encode("").ids == []
    assert len(tokenizer.encode("1234").ids) == 4
    text = read_rows("short_qa.jsonl.gz")[0]["text"]
    assert len(text) / len(tokenizer.encode(text).ids) > 2


def test_the_data_is_small_enough_to_ship():
    files = [path for path in DATA.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 2_500_000
    assert (DATA / "pages.warc.gz").stat().st_size <= 1_200_000
    assert "CC0-1.0" in (DATA / "README.md").read_text("utf-8")
