r"""Which names of LaTeX mean the same when formulas are compared; names end in a blank where they stand in a result."""


def _words(text: str) -> frozenset[str]:
    return frozenset("\\" + word for word in text.split())


def _same(names: dict[str, str]) -> dict[str, str]:
    return {other: name for name, others in names.items() for other in others.split()}


# What a formula means is the same with and without these.
DROPPED = frozenset(("~", "}", "\\,", "\\;", "\\:", "\\!", "\\ ", "\\>", "\\/", "\\@", "\\-")) | _words(
    "quad qquad thinspace medspace thickspace enspace enskip negthinspace negmedspace negthickspace nobreakspace "
    "displaystyle textstyle scriptstyle scriptscriptstyle limits nolimits nonumber notag mathstrut strut hfill hfil "
    "rm it sf tt cal normalsize small large Large tiny allowbreak nobreak hline centering relax null hskip"
)
DROPPED_WITH_ARGUMENT = _words("label hspace hspace* vspace color tag tag* hphantom vphantom mspace require")
SIZES = _words(
    "left right middle big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr bigm Bigm biggm Biggm mleft mright"
)
# Their argument alone is compared.
UPRIGHT = _words(
    "mathrm operatorname operatorname* text textrm textit textup textnormal mathit mathsf texttt mathtt textsf mbox "
    "hbox "
    "fbox mathop mathord mathbin mathrel mathopen mathclose mathpunct mathinner smash ensuremath emph intertext "
    "mathnormal rlap llap mathrlap mathllap mathclap textstyle boxed"
)
ALPHABETS = _same(
    {
        "\\mathbf": "\\mathbf \\boldsymbol \\bm \\textbf \\bold \\pmb \\symbf \\bf",
        "\\mathbb": "\\mathbb \\Bbb",
        "\\mathcal": "\\mathcal \\mathscr",
        "\\mathfrak": "\\mathfrak \\frak",
    }
)
# How many arguments follow; a name that is not here has none.
ARGUMENTS = {
    **dict.fromkeys(_words("frac binom overset underset stackrel"), 2),
    **dict.fromkeys(
        _words(
            "sqrt hat bar vec tilde dot ddot dddot check breve acute grave overrightarrow overleftarrow overbrace "
            "underbrace underline xrightarrow xleftarrow mathring phantom substack cancel bcancel xcancel not pmod"
        ),
        1,
    ),
}
OVER = {"\\over": "\\frac", "\\atop": "\\grid", "\\choose": "\\grid", "\\above": "\\frac"}
_FUNCTIONS = (
    "arccos arcsin arctan arg cos cosh cot coth csc deg det dim exp gcd hom inf ker lg lim ln log max min Pr sec sin "
    "sinh sup tan tanh liminf limsup injlim projlim bmod mod lcm"
)
SPELLED = {f"\\{name}": name.removeprefix("b") for name in _FUNCTIONS.split()}
# Environments that set rows of cells, and the brackets that some of them bring along.
_GRIDS = "matrix array aligned align split gathered gather alignedat alignat eqnarray smallmatrix"
GRIDS = frozenset(_GRIDS.split())
FENCED = {
    "pmatrix": ("(", ")"),
    "bmatrix": ("[", "]"),
    "vmatrix": ("|", "|"),
    "Bmatrix": ("\\{ ", "\\} "),
    "Vmatrix": ("\\| ", "\\| "),
    "cases": ("\\{ ", ""),
    "dcases": ("\\{ ", ""),
    "rcases": ("", "\\} "),
}
SYNONYMS = _same(
    {
        "\\frac": "\\dfrac \\tfrac \\cfrac",
        "\\binom": "\\dbinom \\tbinom",
        "\\leq": "\\le \\leqslant",
        "\\geq": "\\ge \\geqslant",
        "\\neq": "\\ne",
        "\\rightarrow": "\\to \\longrightarrow",
        "\\leftarrow": "\\gets \\longleftarrow",
        "\\Rightarrow": "\\implies \\Longrightarrow",
        "\\Leftarrow": "\\impliedby \\Longleftarrow",
        "\\Leftrightarrow": "\\iff \\Longleftrightarrow",
        "\\leftrightarrow": "\\longleftrightarrow",
        "\\mapsto": "\\longmapsto",
        "\\wedge": "\\land",
        "\\vee": "\\lor",
        "\\neg": "\\lnot",
        "\\ni": "\\owns",
        "\\setminus": "\\smallsetminus \\backslash",
        "\\dots": "\\ldots \\cdots \\dotsc \\dotsb \\dotsm \\dotsi \\dotso \\hdots",
        "|": "\\mid \\vert \\lvert \\rvert",
        "\\|": "\\Vert \\lVert \\rVert \\parallel",
        "\\{": "\\lbrace",
        "\\}": "\\rbrace",
        "[": "\\lbrack",
        "]": "\\rbrack",
        ":": "\\colon",
        "*": "\\ast",
        "\\prime": "\\prime",
        "\\perp": "\\bot",
        "\\hat": "\\widehat",
        "\\tilde": "\\widetilde",
        "\\bar": "\\overline",
        "\\overset": "\\stackrel",
        "\\\\": "\\cr \\newline \\tabularnewline",
        "\\hbar": "\\hslash",
        "\\Re": "\\real",
        "\\triangle": "\\vartriangle",
        "\\langle": "\\lang",
        "\\rangle": "\\rang",
    }
)
_GREEK = "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩϕϵϑϖϱς"
_GREEK_NAMES = (
    "alpha beta gamma delta varepsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon varphi chi "
    "psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega phi epsilon vartheta varpi varrho varsigma"
)
# Characters that have a name; the arithmetic ones that keyboards have stay characters.
CHARS = {
    "−": "-",
    "–": "-",
    "∣": "|",
    "∥": "\\| ",
    "′": "\\prime ",
    "∗": "*",
    "·": "\\cdot ",
    "⋅": "\\cdot ",
    "×": "\\times ",
    "÷": "\\div ",
    "±": "\\pm ",
    "∓": "\\mp ",
    "≤": "\\leq ",
    "⩽": "\\leq ",
    "≥": "\\geq ",
    "⩾": "\\geq ",
    "≠": "\\neq ",
    "≈": "\\approx ",
    "≡": "\\equiv ",
    "∼": "\\sim ",
    "≅": "\\cong ",
    "∝": "\\propto ",
    "→": "\\rightarrow ",
    "←": "\\leftarrow ",
    "⇒": "\\Rightarrow ",
    "⇔": "\\Leftrightarrow ",
    "↦": "\\mapsto ",
    "∈": "\\in ",
    "∉": "\\notin ",
    "⊂": "\\subset ",
    "⊆": "\\subseteq ",
    "∪": "\\cup ",
    "∩": "\\cap ",
    "∅": "\\emptyset ",
    "∖": "\\setminus ",
    "∀": "\\forall ",
    "∃": "\\exists ",
    "∧": "\\wedge ",
    "∨": "\\vee ",
    "¬": "\\neg ",
    "∞": "\\infty ",
    "∂": "\\partial ",
    "∇": "\\nabla ",
    "∑": "\\sum ",
    "∏": "\\prod ",
    "∫": "\\int ",
    "√": "\\sqrt ",
    "…": "\\dots ",
    "⋯": "\\dots ",
    "°": "\\circ ",
    "∘": "\\circ ",
    "⊥": "\\perp ",
    "ℝ": "\\mathbb{R}",
    "ℕ": "\\mathbb{N}",
    "ℤ": "\\mathbb{Z}",
    "ℚ": "\\mathbb{Q}",
    "ℂ": "\\mathbb{C}",
    "ℓ": "\\ell ",
    "⟨": "\\langle ",
    "⟩": "\\rangle ",
    **{letter: f"\\{name} " for letter, name in zip(_GREEK, _GREEK_NAMES.split(), strict=True)},
}
