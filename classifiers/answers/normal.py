"""One spelling for what LaTeX writes in several ways: `tidy(answer)` keeps spaces, `squeezed(tidy)` drops them.

Nothing here changes what is meant: `\\dfrac12` becomes `\\frac{1}{2}`, `\\left(3,\\,4\\right)` becomes `(3, 4)`.
Answers are short (truths.LONGEST), so every expression below may take quadratic time.
"""

import re

_UNICODE = str.maketrans(
    {
        "−": "-", "–": "-", "×": "\\times ", "·": "\\cdot ", "⋅": "\\cdot ", "÷": "/", "±": "\\pm ", "√": "\\sqrt ",
        "π": "\\pi ", "θ": "\\theta ", "∞": "\\infty ", "≤": "\\le ", "≥": "\\ge ", "≠": "\\neq ", "≈": "\\approx ",
        "∈": "\\in ", "∪": "\\cup ", "∅": "\\emptyset ", "ℝ": "\\mathbb{R}", "⟨": "\\langle ", "⟩": "\\rangle ",
        "°": "^{\\circ}", "²": "^{2}", "³": "^{3}", "½": "\\frac{1}{2}", "¼": "\\frac{1}{4}", "¾": "\\frac{3}{4}",
        "′": "'", "’": "'", "，": ",", "：": ":", "（": "(", "）": ")", "\u00a0": " ", "\u202f": " ", "\u2009": " ",
    }
)  # fmt: skip

_WORDS = "text|textbf|textit|textrm|textnormal|textup|textsf|mbox|hbox|mathrm|mathbf|mathit|mathsf|operatorname"
# In this order. Commands end where no letter follows.
_SPELLINGS = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"(?<!\\)\\[()\[\]]", " "),  # \( \) \[ \]
        (r"\\\\\[[0-9.]+(?:pt|ex|em|mm|cm)\]", r"\\\\"),
        (r"(?<=[0-9]),(?:\\!|\\,)\s*(?=[0-9]{3}(?![0-9]))", ""),  # 1,\!000
        (r"(?<=[0-9])\s*\{\s*,\s*\}\s*(?=[0-9])", ""),  # 1{,}000
        (r"(?<![0-9.])([0-9]{1,3})((?:(?:\\[,;:! ]|~| )+[0-9]{3})+)(?![0-9])", r"\1\2"),  # 1\,000: squeezed later
        (r"\\(?:left|right|middle|[bB]igg?[lrm]?)(?![A-Za-z])\s*\.?", ""),
        (r"\\(?:lbrace|\{)\s*", r"\\{"),
        (r"\\rbrace(?![A-Za-z])", r"\\}"),
        (r"(?<!\\)\\[,;:!>]|~|(?<!\\)\\(?= )", " "),
        (r"\\(?:q?quad|thinspace|enspace|displaystyle|textstyle|limits|nolimits)(?![A-Za-z])", " "),
        (r"\\(?:hspace|hskip|label|tag)\*?\{[^{}]*\}|\\phantom\s*(?:\{[^{}]*\}|[-+0-9A-Za-z])", " "),
        (r"\\[dtc]frac(?![A-Za-z])", r"\\frac"),
        (r"\\[dt]binom(?![A-Za-z])", r"\\binom"),
        (rf"\\(?:{_WORDS})\s*(?=\{{)", r"\\text"),
        (r"\{\\(?:rm|bf|it|tt)\s+([^{}]*)\}", r"\\text{\1}"),
        (r"\\(?:boxed|fbox)\s*\{([^{}]*)\}", r"\1"),
        (r"\\(?:times|ast)(?![A-Za-z])|(?<![\\^_{])\*+", r"\\cdot "),
        (r"\\(?:leqslant|leq)(?![A-Za-z])|<=", r"\\le "),
        (r"\\(?:geqslant|geq)(?![A-Za-z])|>=", r"\\ge "),
        (r"\\lt(?![A-Za-z])", "<"),
        (r"\\gt(?![A-Za-z])", ">"),
        (r"\\ne(?![A-Za-z])|\\not\s*=", r"\\neq "),
        (r"\\bigcup(?![A-Za-z])", r"\\cup "),
        (r"\\(?:varnothing|emptyset)(?![A-Za-z])|\\\{\s*\\\}", r"\\emptyset "),
        (r"\\(?:degree|degrees)(?![A-Za-z])|\^\s*\\circ(?![A-Za-z])|\^\s*\{\s*\\circ\s*\}", r"^{\\circ}"),
        (r"\\%|\\text\{\s*(?:%|\\%|percent)\s*\}|\bpercent\b", "%"),
        (r"\\text\{\s*,?\s*(?:and|or)\s*,?\s*\}", " , "),
        (r"(?<![A-Za-z\\])(?:and|or)(?![A-Za-z])", " , "),
        (r"\binfinity\b|\\infin(?![A-Za-z])", r"\\infty "),
        (r"(^|[,(\[=<>]|\\cup)\s*\+\s*(?=[0-9\\.])", r"\1 "),  # a sign that says nothing
        (r"([0-9])\s*(?:\\text\{\s*)(thousand|million|billion|trillion)\b", r"\1 \2 \\text{"),
        (r"(?<![A-Za-z])thousand\b", r"\\cdot 10^{3}"),
        (r"(?<![A-Za-z])million\b", r"\\cdot 10^{6}"),
        (r"(?<![A-Za-z])billion\b", r"\\cdot 10^{9}"),
        (r"(?<![A-Za-z])trillion\b", r"\\cdot 10^{12}"),
        (r"\\text\{\s*\}", ""),
        (r"(?<!\\)\{\s*(-?[0-9]{1,3}(?:,[0-9]{3})+)\s*\}", lambda match: match[0].replace(",", "")),  # \frac{1}{2,000}
        (r"(?<![0-9./}])([0-9]+)\s+([0-9]+)\s*/\s*([0-9]+)(?![0-9])", r"\1\\frac{\2}{\3}"),  # 3 1/2
        (r"([\^_])\s*(\\frac\s*(?:[0-9]\s*[0-9]|\{[^{}]*\}\s*\{[^{}]*\}))", r"\1{\2}"),
    )
]
_TOKEN = re.compile(r"\\sqrt\s*\[[^][]*\]|\^\s*-?[0-9]+|(?<=[0-9])_\s*[0-9]+|\\[A-Za-z]+|\\.|\s+|.", re.DOTALL)
_ARGUMENTS = {"\\frac": 2, "\\binom": 2, "\\sqrt": 1, "^": 1, "_": 1}
_EDGES = re.compile(r"^(?:[\s,;:=]|\.(?![0-9])|\\approx(?![a-z]))+|(?:[\s.,;:]|\\\\)+$")
_WRAPPING = re.compile(r"\\text\{([^{}]*)\}")


def tidy(answer: str) -> str:
    """The answer in one spelling, with its spaces: no `\\left`, no dollar signs around formulas, all arguments in
    braces, `\\text{…}` for every kind of upright words, `%` and `^{\\circ}` for every kind of percent and degree."""
    text = _without_dollars(answer.translate(_UNICODE))
    for pattern, replacement in _SPELLINGS:
        text = pattern.sub(replacement, text)
    return _trimmed(_braced(text))


def squeezed(text: str) -> str:
    """A tidy text without spaces, except between a command and a letter: what two spellings are compared by."""
    tokens = re.findall(r"\\[A-Za-z]+|\\.|\S", text, re.DOTALL)
    out = []
    for before, token in zip(["", *tokens], tokens, strict=False):
        command = len(before) > 1 and before[1].isalpha()
        out.append(f" {token}" if command and token[0].isalpha() else token)
    return "".join(out)


def without_text(text: str) -> str:
    """A tidy text with the content of every `\\text{…}` in place of the command."""
    return _WRAPPING.sub(r" \1 ", text)


def _without_dollars(text: str) -> str:
    """Dollar signs in pairs delimit formulas; an odd one is money, written `\\$`."""
    formulas = re.sub(r"(?<!\\)\$", "", text)
    return formulas if (len(text) - len(formulas)) % 2 == 0 else re.sub(r"(?<!\\)\$", r"\\$", text)


def _trimmed(text: str) -> str:
    """Without punctuation, line breaks and an equals sign that hang at the edges."""
    before = None
    while before != text:
        before = text
        text = _EDGES.sub("", text)
    return text


def _braced(text: str) -> str:
    """Every argument of a fraction, a root, a power or an index in braces: `\\frac12` is `\\frac{1}{2}`."""
    out: list[str] = []
    outer: list[int] = []  # arguments still expected around each open group
    expected = 0
    for token in _TOKEN.findall(text):
        name = "\\sqrt" if token.startswith("\\sqrt") else token
        if expected and token.isspace():
            continue
        if token == "{":
            outer.append(max(expected - 1, 0))
            out.append(token)
            expected = 0
        elif token == "}":
            expected = outer.pop() if outer else 0
            out.append(token)
        elif name in _ARGUMENTS:
            expected = _ARGUMENTS[name]
            out.append(token)
        elif len(token) > 1 and token[0] in "^_":
            out.append(f"{token[0]}{{{token[1:].strip()}}}")
        elif expected:
            out.append(f"{{{token}}}")
            expected -= 1
        else:
            out.append(token)
    return "".join(out)
