"""Pictures of formulas, and the TeX in their addresses and alternative texts."""

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, unquote_plus

from curation.extract.carriers import Carrier
from curation.extract.tex import looks_like_prose, undelimited

if TYPE_CHECKING:
    from resiliparse.parse.html import ElementNode

SELECTOR = (
    r'.math img, img:is(.math, .tex, [alt^="$"], [alt^="\\"], [class*="latex"], [class*="mwe-math"],'
    ' [class*="ql-img-"], [eeimg], [data-mathml], [data-latex], [data-tex], [data-formula],'
    ' [src*="latex"], [src*="/math/render"], [src*="render/math"], [src*="codecogs"], [src*="mimetex"],'
    ' [src*="mathtex"], [src*="cht=tx"], [src*="equation?tex="], [src*="upmath.me"])'
)
_SOURCES = ("data-latex", "data-tex", "data-formula")
# WIRIS writes MathML into an attribute with other characters for those that HTML would have to escape.
_WIRIS = str.maketrans({"«": "<", "»": ">", "¨": '"', "§": "&", "`": "'"})
_SURE_CLASSES = ("math", "tex", "latex", "ql-img-", "mwe-math", "formula")
_HOSTS = re.compile(
    r"codecogs\.com|latex\.php|latexrender|mimetex|mathtex|cht=tx|render/math|media/math/render|"
    r"equation\?tex=|artofproblemsolving|quicklatex|upmath\.me"
)
_PARAMETER = re.compile(r"[?&](?:latex|tex|chl|math|eq|formula)=([^&]*)")
_FILE_NAME = re.compile(r"\S+\.(?:png|gif|svg|jpe?g|webp)", re.IGNORECASE)
_LOOKS = re.compile(
    r"(?:\s|\\(?:inline|bg_\w+|fg_\w+|fn_\w+|dpi\{?\d+\}?|large|small|huge|tiny|normal|displaystyle)(?![A-Za-z]))+"
)


def read_image(image: "ElementNode") -> Carrier | None:
    """The formula this picture shows, or None where it is no formula. Prose in the alternative text is no TeX."""
    source = image.getattr("src") or image.getattr("data-src") or image.getattr("data-lazy-src") or ""
    alt = (image.getattr("alt") or "").strip()
    classes = image.class_name or ""
    rendered = bool(_HOSTS.search(source)) or image.hasattr("eeimg")
    display = True if "display" in classes or "Dsp" in classes else None if "inline" not in classes else False
    if carrier := _read_attributes(image, display):
        return carrier
    from_alt, delimited = undelimited(alt)
    if delimited is not None or alt.startswith("\\begin"):
        block = alt.startswith("\\begin") and not alt.startswith("\\begin{math}")
        return Carrier("img-alt", from_alt, True if block else display if delimited is None else delimited)
    if rendered and "\\inline" in source:
        display = False
    if (from_address := _tex_in_address(source) if rendered else None) and "latex.php" not in source:
        return Carrier("img-url", from_address, display)
    if _is_tex(alt, rendered or any(name in classes for name in _SURE_CLASSES), _in_math(image, classes)):
        return Carrier("img-alt", alt, display)
    if from_address:
        return Carrier("img-url", from_address, display)
    return Carrier("img", None, display, None, alt) if rendered else None


def _in_math(image: "ElementNode", classes: str) -> bool:
    """Whether Sphinx drew this picture: it says so of the picture, or of the block around it."""
    if "math" in classes.split():
        return True
    block = image.parent_element
    for _ in range(2):
        if block is not None:
            if "math" in (block.class_name or "").split():
                return True
            block = block.parent_element
    return False


def _read_attributes(image: "ElementNode", display: bool | None) -> Carrier | None:
    for name in _SOURCES:
        if source := image.getattr(name):
            tex, delimited = undelimited(source)
            return Carrier("img-attribute", tex, delimited if display is None else display)
    if mathml := image.getattr("data-mathml"):
        return Carrier("img-mathml", None, display, None, mathml.translate(_WIRIS) if "«" in mathml else mathml)
    return None


def _is_tex(alt: str, shows_formula: bool, sphinx: bool) -> bool:
    if not alt or _FILE_NAME.fullmatch(alt):
        return False
    return sphinx or alt.startswith("\\") or (shows_formula and not looks_like_prose(alt))


def _tex_in_address(source: str) -> str | None:
    """TeX from the address of a rendering service, without the service's own size and colour commands."""
    parameter = _PARAMETER.search(source)
    if parameter:
        tex = unquote_plus(parameter[1])
    elif "?" in source and re.search("codecogs|mimetex|mathtex", source):
        tex = unquote(source.split("?", 1)[1].replace("&space;", " ").replace("&plus;", "+").replace("&hash;", "#"))
    elif "upmath.me/" in source:
        tex = unquote(source.rsplit("/", 1)[-1])
    else:
        return None
    looks = _LOOKS.match(tex)
    return tex[looks.end() :].strip() if looks else tex.strip()
