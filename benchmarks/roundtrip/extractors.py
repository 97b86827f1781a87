"""The extractors that come with the project, each as `bytes -> text`: `python extractors.py NAME` serves one."""

import sys
from collections.abc import Callable
from pathlib import Path

Extract = Callable[[bytes], str]


def fast() -> Extract:
    """Our first pass."""
    from curation.extract.fast import extract_fast

    return lambda body: extract_fast(body, "utf-8").text


def careful() -> Extract:
    """Our second pass."""
    from curation.extract.careful import extract_careful

    return lambda body: extract_careful(body, "utf-8").text


def trafilatura_markdown() -> Extract:
    """trafilatura's main content as Markdown."""
    import trafilatura

    return lambda body: (
        trafilatura.extract(body, output_format="markdown", include_formatting=True, include_tables=True) or ""
    )


def trafilatura_text() -> Extract:
    """trafilatura's main content as plain text."""
    import trafilatura

    return lambda body: trafilatura.extract(body) or ""


def resiliparse() -> Extract:
    """resiliparse's main content."""
    from resiliparse.extract.html2text import extract_plain_text

    return lambda body: extract_plain_text(body.decode("utf-8", "replace"), main_content=True)


EXTRACTORS: dict[str, Callable[[], Extract]] = {
    "careful": careful,
    "fast": fast,
    "trafilatura": trafilatura_markdown,
    "trafilatura-text": trafilatura_text,
    "resiliparse": resiliparse,
}

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    from worker import serve

    serve(EXTRACTORS[sys.argv[1]]())
