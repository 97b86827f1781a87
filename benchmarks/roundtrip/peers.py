"""Other projects' extractors, each from a checkout of its repository: `PYTHON peers.py NAME CHECKOUT` serves one.

PYTHON is an environment with what the project needs; nothing of theirs is part of this repository. Where a project
draws its settings at random, the likeliest one is used; where it writes tables at random, Markdown.
"""

import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from unittest.mock import MagicMock

Extract = Callable[[bytes], str]
_OPENWEBMATH = {
    "markdown_headings": True,
    "markdown_code": True,
    "boilerplate_config": {"ratio_threshold": 0.18, "absolute_threshold": 10, "end_threshold": 15, "enable": True},
    "remove_buttons": True,
    "remove_image_figures": True,
    "remove_link_clusters": True,
    "table_config": {"min_rows": 2, "min_cols": 3, "format": "plain"},
    "remove_chinese": True,
    "remove_edit_buttons": True,
    "extract_latex": True,
}
_MEGAMATH_UNUSED: tuple[str, ...] = ("datatrove.data", "fasttext", "tqdm", "utils.datatrove_utils", "utils.file_utils")
_MEGAMATH_UNUSED += (
    "url_filtering.url_filter",
    "utils.math_fasttext",
    "fastwarc",
    "fastwarc.stream_io",
    "fastwarc.warc",
)


def openwebmath(checkout: Path) -> Extract:
    """OpenWebMath's `extract_text`; needs resiliparse below 1, tabulate, py_asciimath, pyyaml, urllib3, lxml."""
    sys.path.insert(0, str(checkout / "text_extraction"))
    extract_text = importlib.import_module("text_extract.extract").extract_text

    def extract(body: bytes) -> str:
        found = extract_text(body.decode("utf-8", "replace"), _OPENWEBMATH, fast=True)
        return found[0] if found else ""

    return extract


def megamath(checkout: Path) -> Extract:
    """MegaMath's first stage as far as the text; needs resiliparse below 1, lxml, prettytable."""
    os.chdir(checkout / "web_pipeline")
    sys.path.insert(0, str(checkout / "web_pipeline"))
    for name in _MEGAMATH_UNUSED:
        sys.modules[name] = MagicMock(__all__=[])
    sys.argv = sys.argv[:1]  # it reads the command line when imported
    stage = importlib.import_module("stage1_download_and_extract")

    def extract(body: bytes) -> str:
        page = stage.improve_latex_content_parsing(body.decode("utf-8", "replace"))
        try:
            tree = stage.process_tables(stage.html.fromstring(page), format_choice="markdown")
            page = stage.html.tostring(tree, encoding="unicode", pretty_print=True)
        except Exception:  # as in the original: tables it cannot write stay as they are
            pass
        return stage.extract_plain_text(page, alt_texts=False, links=False, preserve_formatting=True)

    return extract


def llm_webkit(checkout: Path) -> Extract:
    """llm-webkit: magic-html's main content and its own Markdown; needs its `requirements/runtime.txt`."""
    sys.path.insert(0, str(checkout))
    simple = importlib.import_module("llm_web_kit.simple")
    extract = simple.extract_content_from_html_with_magic_html
    return lambda body: extract("https://example.org/", body.decode("utf-8", "replace"), "md")


def magic_html(checkout: Path) -> Extract:
    """magic-html's main content as HTML, made text by taking its tags off; needs its `requirements.txt`."""
    sys.path.insert(0, str(checkout))
    extractor = importlib.import_module("magic_html").GeneralExtractor()
    document = importlib.import_module("lxml.html")

    def extract(body: bytes) -> str:
        html = extractor.extract(body.decode("utf-8", "replace"), base_url="https://example.org/")["html"]
        return document.fromstring(html).text_content() if html else ""

    return extract


PEERS: dict[str, Callable[[Path], Extract]] = {
    "openwebmath": openwebmath,
    "megamath": megamath,
    "llm-webkit": llm_webkit,
    "magic-html": magic_html,
}

if __name__ == "__main__":
    serve = importlib.import_module("worker").serve
    name, place = sys.argv[1:]
    serve(PEERS[name](Path(place).resolve()))
