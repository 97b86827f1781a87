"""What the names and signs of AsciiMath stand for, as the language's reference at asciimath.org lists them."""

from dataclasses import dataclass
from typing import Literal

Role = Literal[
    "sign", "big", "function", "accent", "brace", "font", "root", "fence", "cancel",
    "pair", "style", "left", "right", "bar", "infix", "word", "text", "differential",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Symbol:
    """One name of the language: its part in the grammar, its LaTeX, and a second form where there are two.

    `wide` is what an accent is over several letters, what a font is for text, and what closes a fence.
    """

    role: Role
    tex: str
    wide: str = ""


_SAME_NAME = (
    "alpha beta chi delta Delta epsilon varepsilon eta gamma Gamma iota kappa lambda Lambda mu nu omega Omega phi"
    " varphi Phi pi Pi psi Psi rho sigma Sigma tau theta vartheta Theta upsilon xi Xi zeta cdot ast star times"
    " ltimes rtimes bowtie div circ oplus otimes odot wedge vee cap cup ne le leq ge geq prec succ preceq succeq"
    " notin subset supset subseteq supseteq equiv cong approx sim propto neg implies iff forall exists bot top vdash"
    " models int oint partial nabla pm mp emptyset infty aleph ldots therefore because angle triangle prime frown"
    " quad qquad cdots vdots ddots diamond square setminus backslash lfloor rfloor uparrow downarrow rightarrow to"
    " rightarrowtail twoheadrightarrow mapsto leftarrow leftrightarrow Rightarrow Leftarrow Leftrightarrow in dim"
)
_SHORT = (
    "epsi:epsilon lamda:lambda Lamda:Lambda *:cdot **:ast ***:star \\\\:backslash xx:times |><:ltimes ><|:rtimes"
    " |><|:bowtie -::div divide:div @:circ o+:oplus ox:otimes o.:odot ^^:wedge vv:vee nn:cap uu:cup !=:ne <=:le"
    " lt=:leq >=:ge gt=:geq mlt:ll mgt:gg -<:prec -lt:prec >-:succ -<=:preceq >-=:succeq !in:notin sub:subset"
    " sup:supset sube:subseteq supe:supseteq -=:equiv ~=:cong ~~:approx ~:sim prop:propto not:neg =>:implies <=>:iff"
    " AA:forall EE:exists _|_:bot TT:top |--:vdash |==:models del:partial grad:nabla +-:pm -+:mp O/:emptyset oo:infty"
    " ...:ldots :.:therefore :':because /_:angle /_\\:triangle |__:lfloor __|:rfloor |~:lceil ~|:rceil lceiling:lceil"
    " rceiling:rceil uarr:uparrow darr:downarrow rarr:rightarrow ->:to >->:rightarrowtail ->>:twoheadrightarrow"
    " |->:mapsto larr:leftarrow harr:leftrightarrow rArr:Rightarrow lArr:Leftarrow hArr:Leftrightarrow mod:bmod"
)
_FUNCTIONS = "sin cos tan sinh cosh tanh cot sec csc arcsin arccos arctan coth exp log ln det gcd"
_UNKNOWN_FUNCTIONS = "sech csch lcm Sin Cos Tan Arcsin Arccos Arctan Sinh Cosh Tanh Cot Sec Csc Log Ln"


def _signs() -> dict[str, str]:
    """Names that stand for one sign, with their LaTeX."""
    short = dict(pair.rsplit(":", 1) for pair in _SHORT.split())
    plain = {
        "//": "/", ":=": ":=", "lt": "<", "gt": ">", ":|:": "|", "'": "'", "\\ ": "\\ ", "%": "\\%", "$": "\\$",
        "#": "\\#", "&": "\\&", "lub": "\\operatorname{lub}", "glb": "\\operatorname{glb}",
        ">->>": "⤖", "twoheadrightarrowtail": "⤖",
    }  # fmt: skip
    number_sets = {letter * 2: f"\\mathbb{{{letter}}}" for letter in "CNQRZ"}
    same = {name: "\\" + name for name in _SAME_NAME.split()}
    return same | {name: "\\" + tex for name, tex in short.items()} | plain | number_sets


def _functions() -> dict[str, Symbol]:
    """Names that take what follows as their argument."""
    table = {name: Symbol("function", "\\" + name) for name in _FUNCTIONS.split()}
    table |= {name: Symbol("function", f"\\operatorname{{{name}}}") for name in _UNKNOWN_FUNCTIONS.split()}
    return table | {name: Symbol("function", name) for name in "fg"}


def _with_argument() -> dict[str, Symbol]:
    """Names that change what follows: roots, accents, fonts, fences, colours."""
    accents = {
        "hat": "widehat", "tilde": "widetilde", "vec": "overrightarrow", "bar": "overline", "dot": "dot",
        "ddot": "ddot",
        "ul": "underline", "underline": "underline", "overline": "overline",     }  # fmt: skip
    narrow = {"ul": "underline"}
    fonts = {
        "bb": ("mathbf", "textbf"), "sf": ("mathsf", "textsf"), "tt": ("mathtt", "texttt"), "bbb": ("mathbb", "text"),
        "cc": ("mathcal", "text"), "fr": ("mathfrak", "text"),
    }  # fmt: skip
    fences = {"abs": "||", "Abs": "||", "norm": ("\\|", "\\|"), "floor": ("\\lfloor", "\\rfloor")}
    fences |= {"ceil": ("\\lceil", "\\rceil")}
    table = {name: Symbol("accent", "\\" + narrow.get(name, name), "\\" + wide) for name, wide in accents.items()}
    for name, (letters, words) in fonts.items():
        table[name] = table[letters] = Symbol("font", "\\" + letters, "\\" + words)
    table |= {name: Symbol("fence", opening, closing) for name, (opening, closing) in fences.items()}
    table |= {name: Symbol("brace", f"\\{full}") for name, full in (("ubrace", "underbrace"), ("obrace", "overbrace"))}
    table |= {full: Symbol("brace", f"\\{full}") for full in ("underbrace", "overbrace")}
    table |= {name: Symbol("pair", f"\\{name}") for name in ("frac", "root", "overset", "underset")}
    table |= {name: Symbol("accent", "\\overset{\\frown}", "\\overset{\\frown}") for name in ("overarc", "overparen")}
    table |= {"stackrel": Symbol("pair", "\\overset"), "cancel": Symbol("cancel", "\\cancel")}
    table |= {name: Symbol("style", name) for name in ("color", "class", "id")}
    return table | {"sqrt": Symbol("root", "\\sqrt")}


def _brackets() -> dict[str, Symbol]:
    """Opening and closing signs; the invisible pair has no LaTeX."""
    left = {"(": "(", "[": "[", "{": "\\{", "|:": "|", "(:": "\\langle", "<<": "\\langle", "langle": "\\langle"}
    right = {")": ")", "]": "]", "}": "\\}", ":|": "|", ":)": "\\rangle", ">>": "\\rangle", "rangle": "\\rangle"}
    left |= {"{:": "", "left(": "(", "left[": "["}
    right |= {":}": "", "right)": ")", "right]": "]"}
    table = {name: Symbol("left", tex) for name, tex in left.items()}
    return table | {name: Symbol("right", tex) for name, tex in right.items()} | {"|": Symbol("bar", "|")}


def _table() -> dict[str, Symbol]:
    bigs = {"sum": "sum", "prod": "prod", "^^^": "bigwedge", "vvv": "bigvee", "nnn": "bigcap", "uuu": "bigcup"}
    bigs |= {name: name for name in ("bigwedge", "bigvee", "bigcap", "bigcup", "lim", "min", "max")}
    table = {name: Symbol("sign", tex) for name, tex in _signs().items()}
    table |= {name: Symbol("big", "\\" + tex) for name, tex in bigs.items()}
    table |= {"Lim": Symbol("big", "\\operatorname*{Lim}")}
    table |= _functions() | _with_argument() | _brackets()
    table |= {name: Symbol("word", f"\\text{{ {name} }}") for name in ("and", "or", "if")}
    table |= {"/": Symbol("infix", "/"), "_": Symbol("infix", "\\_"), "^": Symbol("infix", "\\text{\\textasciicircum}")}
    table |= {name: Symbol("text", "\\text") for name in ("text", "mbox")}
    return table | {name: Symbol("differential", name) for name in ("dx", "dy", "dz", "dt")}


SYMBOLS = _table()
LONGEST = max(map(len, SYMBOLS))
_GREEK = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi o pi rho varsigma sigma tau upsilon"
_UNICODE = "φϕχψωΓΔΘΛΞΠΣΦΨΩ×÷·⋅±∓≤≥≠≈≡≅∼∝∞∂∇∈∉⊂⊃⊆⊇∩∪∧∨¬∀∃∅→←↔⇒⇐⇔↦∠…⋯′∫⊥∴∘⊕⊗"
_UNICODE_NAMES = (
    "varphi phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega times div cdot cdot pm mp le ge ne"
    " approx equiv cong sim propto infty partial nabla in notin subset supset subseteq supseteq cap cup wedge vee"
    " neg forall exists emptyset to leftarrow leftrightarrow Rightarrow Leftarrow Leftrightarrow mapsto angle"
    " ldots cdots prime int perp therefore circ oplus otimes"
)
_NAMED = {chr(0x3B1 + at): name for at, name in enumerate(_GREEK.split()) if name != "o"}
_NAMED |= dict(zip(_UNICODE, _UNICODE_NAMES.split(), strict=True))
CHARACTERS = {char: Symbol("sign", "\\" + name) for char, name in _NAMED.items()}
CHARACTERS |= {"−": Symbol("sign", "-"), "°": Symbol("sign", "^\\circ")}
CHARACTERS |= {"∑": Symbol("big", "\\sum"), "∏": Symbol("big", "\\prod"), "√": SYMBOLS["sqrt"]}
CHARACTERS |= {"⟨": SYMBOLS["(:"], "⟩": SYMBOLS[":)"], "ℝ": SYMBOLS["RR"], "ℤ": SYMBOLS["ZZ"]}
