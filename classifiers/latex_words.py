"""Tables that bring LaTeX commands and the glyphs of mathematics to one word each (a command with its backslash).

Greek letters have a table of their own: inside Greek words they are no mathematics.
"""

_GLYPHS = """
sum ∑ | prod ∏ | coprod ∐ | int ∫ | iint ∬ | iiint ∭ | oint ∮ | sqrt √ | infty ∞ | partial ∂ | nabla ∇ | ldots … ⋯ ⋮ ⋱
leq ≤ ⩽ ≦ | geq ≥ ⩾ ≧ | ll ≪ | gg ≫ | neq ≠ | equiv ≡ | approx ≈ | cong ≅ | sim ∼ | simeq ≃ | propto ∝ | prec ≺ | succ ≻
pm ± | mp ∓ | times × | div ÷ | cdot ⋅ · | circ ∘ | bullet ∙ | ast ∗ | oplus ⊕ | otimes ⊗ | odot ⊙ | star ⋆ | dagger †
in ∈ | notin ∉ | ni ∋ | subset ⊂ | subseteq ⊆ | subsetneq ⊊ | supset ⊃ | supseteq ⊇ | cup ∪ ⋃ | cap ∩ ⋂ | emptyset ∅
setminus ∖ | wedge ∧ ⋀ | vee ∨ ⋁ | neg ¬ | forall ∀ | exists ∃ | vdash ⊢ | models ⊨ | perp ⊥ | top ⊤ | parallel ∥
mid ∣ | nmid ∤ | rightarrow → ⟶ ⇒ ⟹ | leftarrow ← ⟵ ⇐ ⟸ | leftrightarrow ↔ ⟷ ⇔ ⟺ | mapsto ↦ ⟼ | hookrightarrow ↪
uparrow ↑ | downarrow ↓ | langle ⟨ 〈 ⟩ 〉 | lfloor ⌊ ⌋ | lceil ⌈ ⌉ | ell ℓ | hbar ℏ | angle ∠ | triangle △ | square □
therefore ∴ | because ∵ | prime ′ ″ ‴ | aleph ℵ | re ℜ | im ℑ | wp ℘
"""

_GREEK = """
alpha α | beta β | gamma γ | delta δ | epsilon ε ϵ | zeta ζ | eta η | theta θ ϑ | iota ι | kappa κ | lambda λ | mu μ
nu ν | xi ξ | pi π ϖ | rho ρ ϱ | sigma σ ς | tau τ | upsilon υ | phi φ ϕ | chi χ | psi ψ | omega ω
"""

_SYNONYMS = """
leq le leqslant leqq | geq ge geqslant geqq | neq ne | rightarrow to longrightarrow implies
leftarrow gets longleftarrow | leftrightarrow iff longleftrightarrow | mapsto longmapsto
ldots dots cdots vdots ddots dotsc dotsb dotsm | frac dfrac tfrac cfrac | binom dbinom tbinom
epsilon varepsilon | phi varphi | theta vartheta | rho varrho | sigma varsigma | pi varpi | emptyset varnothing
wedge land bigwedge | vee lor bigvee | cup bigcup | cap bigcap | neg lnot | in isin | mid vert lvert rvert
langle rangle | lfloor rfloor | lceil rceil | overline bar | widehat hat | widetilde tilde
"""

_LAYOUT = """
left right big bigl bigr bigg biggl biggr middle displaystyle textstyle scriptstyle limits nolimits quad qquad
text textrm textit textbf textsf texttt textup textsc textnormal mathrm mathit mathbf mathsf mathnormal boldsymbol bm
emph em it bf rm tt sc sl item mbox hbox ensuremath phantom hphantom vphantom operatorname nonumber notag tag
noindent medskip bigskip smallskip pagebreak newpage newline linebreak centering hline par footnote title author
maketitle part chapter section subsection subsubsection paragraph documentclass
"""


def _table(lines: str) -> list[list[str]]:
    """The entries of one of the texts above, each as its words, the common name first."""
    return [entry.split() for entry in lines.replace("\n", "|").split("|") if entry.strip()]


def _glyph_words(lines: str) -> dict[int, str]:
    return {ord(glyph): f" \\{name} " for name, *glyphs in _table(lines) for glyph in glyphs}


def _command_words() -> dict[bytes, bytes]:
    """Each command that has another name or is mere layout → its word between spaces, or a space."""
    names = {other: f" \\{name} " for name, *others in _table(_SYNONYMS) for other in others}
    layout = dict.fromkeys(_LAYOUT.split(), " ")
    return {f"\\{command}".lower().encode(): word.encode() for command, word in (names | layout).items()}


GLYPH_WORDS = _glyph_words(_GLYPHS)
"""Code point of a glyph → the command of that name between spaces; for `str.translate`."""

GREEK_WORDS = _glyph_words(_GREEK)
"""Code point of a lower-case Greek letter → its command between spaces."""

COMMAND_WORDS = _command_words()
"""LaTeX command in lower case → its common name between spaces; a space for layout."""
