"""Small probes with one right answer each: what stands beside formulas, and what looks like one and is not.

`python benchmarks/roundtrip/micro.py [EXTRACTOR …]` prints which probes each of the project's extractors gets right.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

MATHJAX = '<script src="https://cdn.example.net/mathjax/2.7.9/MathJax.js?config=TeX-MML-AM_CHTML"></script>'
MATHJAX_DOLLARS = (
    '<script>MathJax = {tex: {inlineMath: [["$", "$"], ["\\\\(", "\\\\)"]], processEscapes: true}};</script>'
    '<script async src="https://cdn.example.net/mathjax/es5/tex-chtml.js"></script>'
)
ASCIIMATH = '<script src="https://cdn.example.net/mathjax/2.7.9/MathJax.js?config=AM_CHTML"></script>'
_FILLER = (
    "<p>{} paragraph of the page has enough words of plain prose in it that every extractor takes it for the main "
    "content "
    "of this page and keeps it with whatever stands between the two of them.</p>"
)


@dataclass(frozen=True, slots=True)
class Probe:
    """A piece of a page; each of `expected` must stand in the Markdown made of it, and none of `forbidden`.

    White space counts as one blank. An alternative in `expected` is a tuple: one of its texts is enough.
    """

    name: str
    html: str
    expected: tuple[str | tuple[str, ...], ...]
    forbidden: tuple[str, ...] = ()
    head: str = ""


def page_of(probe: Probe) -> bytes:
    """A whole page with the probe between two paragraphs."""
    return (
        f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>A page</title>{probe.head}</head><body><article>'
        f"<h1>A page</h1>{_FILLER.format('The first')}{probe.html}{_FILLER.format('The last')}</article></body></html>"
    ).encode()


def failures(probe: Probe, text: str) -> list[str]:
    """What is wrong with the text made of a probe's page."""
    flat = _flat(text)
    wrong = []
    for expected in probe.expected:
        choices = (expected,) if isinstance(expected, str) else expected
        if not any(_flat(choice) in flat for choice in choices):
            wrong.append(f"missing {expected!r}")
    return wrong + [f"has {text!r}" for text in probe.forbidden if text in flat]


def _flat(text: str) -> str:
    """The text on one line, display formulas between blanks."""
    return " ".join(text.replace("$$", " $$ ").split())


PROBES = (
    # Money
    Probe(
        "money-beside-formula",
        "<p>It costs $5 and then $10 more, so $15 in total, where $x$ is $y+1$.</p>",
        (
            ("costs $5 and then $10 more, so $15 in total", r"costs \$5 and then \$10 more, so \$15 in total"),
            "where $x$ is $y+1$.",
        ),
        head=MATHJAX_DOLLARS,
    ),
    Probe(
        "money-without-mathematics",
        "<p>The ticket was $20, the book $7.50 and the map $3.</p>",
        (
            (
                "The ticket was $20, the book $7.50 and the map $3.",
                r"The ticket was \$20, the book \$7.50 and the map \$3.",
            ),
        ),
    ),
    Probe(
        "money-escaped",
        r"<p>A bet of \$5 wins \$12 if $n$ is even.</p>",
        (("A bet of $5 wins $12 if $n$ is even.", r"A bet of \$5 wins \$12 if $n$ is even."),),
        head=MATHJAX_DOLLARS,
    ),
    Probe(
        "money-in-formula",
        r"<p>The profit is \(\$5 \cdot n\) after \(n\) sales.</p>",
        (r"The profit is $\$5 \cdot n$ after $n$ sales.",),
        head=MATHJAX,
    ),
    Probe(
        "money-with-country",
        "<p>Prices: US$5, A$7, C$9.50 and HK$60 a piece.</p>",
        (("US$5, A$7, C$9.50 and HK$60", r"US\$5, A\$7, C\$9.50 and HK\$60"),),
        head=MATHJAX_DOLLARS,
    ),
    Probe(
        "money-ranges",
        "<p>It pays $40k-$50k a year, or $1,000&ndash;$2,000 a month.</p>",
        (
            (
                "It pays $40k-$50k a year, or $1,000–$2,000 a month.",
                r"It pays \$40k-\$50k a year, or \$1,000–\$2,000 a month.",
            ),
        ),
        head=MATHJAX_DOLLARS,
    ),
    Probe(
        "money-millions",
        "<p>Sales rose from $3 million to $4 million.</p>",
        (("Sales rose from $3 million to $4 million.", r"Sales rose from \$3 million to \$4 million."),),
        head=MATHJAX,
    ),
    Probe(
        "money-after-amount",
        "<p>Give me 5$ or 10$, not 20$.</p>",
        (("Give me 5$ or 10$, not 20$.", r"Give me 5\$ or 10\$, not 20\$."),),
    ),
    Probe(
        "money-stackexchange",
        '<p>I paid $30 for the book; <span class="math-container">$p_n$</span> is on page 30.</p>',
        (("I paid $30 for the book; $p_n$ is on page 30.", r"I paid \$30 for the book; $p_n$ is on page 30."),),
        head=MATHJAX_DOLLARS,
    ),
    # Raised and lowered text
    Probe(
        "square",
        "<p>The area is x<sup>2</sup> + y<sup>2</sup> in all.</p>",
        (("$x^2 + y^2$", "$x^{2} + y^{2}$"),),
        ("x2",),
    ),
    Probe(
        "power-of-ten",
        "<p>A length of 10<sup>-3</sup> m is small.</p>",
        (("$10^{-3}$ m is small", "10^{-3} m is small", "10^-3 m is small"),),
        ("10-3",),
    ),
    Probe(
        "power-of-ten-minus-sign",
        "<p>About 6.02 &times; 10<sup>&minus;23</sup> of them.</p>",
        (("$6.02 \\times 10^{-23}$", "× 10^{-23}", "× 10^{−23}", "\\times 10^{-23}", "× $10^{-23}$"),),
        ("10-23", "10−23"),
    ),
    Probe(
        "index",
        "<p>Consider a<sub>n</sub> = a<sub>n-1</sub> + 1 for all n.</p>",
        (("$a_n = a_{n-1} + 1$", "$a_n$ = $a_{n-1}$ + 1", "$a_{n} = a_{n-1} + 1$"),),
        ("an = an-1",),
    ),
    Probe(
        "water",
        "<p>We drink H<sub>2</sub>O every day.</p>",
        (("H_2O", "$H_2O$", "H₂O", r"$\mathrm{H_2O}$", "$H_{2}O$"),),
        ("H2O",),
    ),
    Probe(
        "sulphate",
        "<p>The ion SO<sub>4</sub><sup>2&minus;</sup> is stable.</p>",
        (("SO_4^{2-}", "SO_{4}^{2-}", "SO₄²⁻"),),
        ("SO42",),
    ),
    Probe(
        "ordinal-th",
        "<p>In the 19<sup>th</sup> century it was known.</p>",
        (("the 19th century", "the 19^th^ century"),),
        ("19^{th}", "$19"),
    ),
    Probe(
        "ordinal-st",
        "<p>On the 1<sup>st</sup> and 22<sup>nd</sup> of May.</p>",
        ("the 1st and 22nd of May",),
        ("^{st}", "^{nd}"),
    ),
    Probe(
        "ordinal-french",
        "<p>Au 2<sup>e</sup> si&egrave;cle, le 1<sup>er</sup> mai.</p>",
        ("Au 2e siècle, le 1er mai.",),
        ("2^e", "1^{er}"),
    ),
    Probe("trade-mark", "<p>The Octo<sup>TM</sup> brand is new.</p>", (("OctoTM brand", "Octo™ brand"),), ("^{TM}",)),
    Probe(
        "footnote-number",
        "<p>This is well known.<sup><a href='#fn1'>1</a></sup> It was proved later.</p>",
        (
            (
                "This is well known.1 It",
                "This is well known. It",
                "This is well known.[1] It",
                "This is well known.¹ It",
                "This is well known. 1 It",
                "known.[^1] It",
            ),
        ),
        ("^1 It", "^{1}", "$"),
    ),
    Probe(
        "footnote-brackets",
        "<p>This is known<sup>[3]</sup> since 1850.</p>",
        (("This is known[3] since 1850.", "This is known [3] since 1850.", "This is known since 1850."),),
        ("^{[3]}", "^[3]", r"\[3\]"),
    ),
    Probe(
        "footnote-star",
        "<p>The price<sup>*</sup> may change.</p>",
        (("The price* may change.", r"The price\* may change."),),
        ("^*",),
    ),
    Probe(
        "footnote-after-word",
        "<p>Newton's <i>Principia</i><sup>2</sup> appeared in London.</p>",
        (
            (
                "Principia*2 appeared",
                "Principia2 appeared",
                "Principia* 2 appeared",
                "Principia_2 appeared",
                "Principia*² appeared",
            ),
        ),
        ("^2", "^{2}"),
    ),
    # Brackets
    Probe(
        "citation",
        "<p>See [12] and [13, p. 7] for proofs.</p>",
        ("See [12] and [13, p. 7] for proofs.",),
        (r"\[12\]", "$"),
    ),
    Probe(
        "citation-beside-formula",
        r"<p>By [4] we have \[x = 1\] as in [5].</p>",
        ("By [4] we have", "$$ x = 1 $$", "as in [5]."),
        (r"\[4\]",),
        MATHJAX,
    ),
    Probe(
        "interval",
        "<p>Take x in [0, 1) or (2, 3] and go on.</p>",
        ("Take x in [0, 1) or (2, 3] and go on.",),
        head=MATHJAX,
    ),
    Probe(
        "smiley",
        r"<p>We won! \(^o^)/ And again.</p>",
        ((r"We won! \(^o^)/ And again.", "We won! (^o^)/ And again."),),
        ("$",),
        MATHJAX,
    ),
    Probe(
        "shrug",
        r"<p>Nobody knows ¯\_(ツ)_/¯ why.</p>",
        ((r"¯\_(ツ)_/¯", r"¯\\_(ツ)_/¯", r"¯_(ツ)_/¯"),),
        ("$",),
        MATHJAX,
    ),
    Probe("link", '<p>Read <a href="/a_b_c">this page</a> on $n$.</p>', ("this page", "on $n$."), head=MATHJAX_DOLLARS),
    # Code
    Probe("dollar-code-span", "<p>Type <code>$x^2$</code> to get a square.</p>", ("`$x^2$`",), head=MATHJAX_DOLLARS),
    Probe(
        "tex-in-pre",
        "<pre>\\frac{a}{b} $y$\n\\[ z \\]</pre>",
        ("\\frac{a}{b} $y$ \\[ z \\]",),
        ("$$ z",),
        MATHJAX_DOLLARS,
    ),
    Probe(
        "shell-prompt",
        "<pre><code>$ ls -l\n$ cd /tmp\n</code></pre>",
        ("```", "$ ls -l $ cd /tmp"),
        head=MATHJAX_DOLLARS,
    ),
    Probe(
        "shell-prompt-in-text",
        "<p>Run $ make and then $ make install as root.</p>",
        (("Run $ make and then $ make install as root.", r"Run \$ make and then \$ make install as root."),),
        head=MATHJAX_DOLLARS,
    ),
    Probe(
        "jquery",
        "<p>Call <code>$('#a').hide()</code> and then <code>$('#b').show()</code> twice.</p>",
        ("`$('#a').hide()`", "`$('#b').show()`"),
        head=MATHJAX_DOLLARS,
    ),
    Probe(
        "php",
        "<pre><code>$x = $y + 1;\necho $x;\n</code></pre>",
        ("$x = $y + 1; echo $x;",),
        head=MATHJAX_DOLLARS,
    ),
    Probe(
        "php-in-text",
        "<p>The variables $name and $value are strings in PHP.</p>",
        (("The variables $name and $value are strings", r"The variables \$name and \$value are strings"),),
    ),
    Probe(
        "regex",
        "<p>The pattern <code>^a(b|c)*$</code> matches, <code>\\(x\\)</code> too.</p>",
        ("`^a(b|c)*$`", "`\\(x\\)`"),
        head=MATHJAX,
    ),
    Probe(
        "regex-in-text",
        "<p>Use ^[a-z]+$ or ^[0-9]+$ here.</p>",
        (("^[a-z]+$ or ^[0-9]+$ here", r"^[a-z]+\$ or ^[0-9]+\$ here"),),
    ),
    Probe("code-indentation", "<pre><code>if a:\n    b = 1\n\n    c = 2</code></pre>", ("```",), ("`if a:`",)),
    Probe("kbd", "<p>Press <kbd>$</kbd> and type $n$.</p>", ("and type $n$.",), head=MATHJAX_DOLLARS),
    Probe(
        "backquotes-without-asciimath",
        "<p>Use `x_1` and `y_1` in your file.</p>",
        (("`x_1` and `y_1`", r"\`x_1\` and \`y_1\`"),),
        ("$",),
    ),
    # Text that looks like something else
    Probe(
        "e-mail",
        "<p>Write to first_last@example.org or a_b_c@example.org now.</p>",
        ("first_last@example.org or a_b_c@example.org",),
        ("$", r"\_"),
    ),
    Probe(
        "file-names",
        "<p>Open my_file_name.txt and 2*3*4 lines of it.</p>",
        ("my_file_name.txt and 2*3*4 lines",),
        (r"\_", r"\*"),
    ),
    Probe("windows-path", r"<p>Copy it to C:\Users\begin\frac and wait.</p>", (r"C:\Users\begin\frac",), ("$",)),
    Probe("date", "<p>On 3/4/2021, 12:30&ndash;13:45, room 4.</p>", ("On 3/4/2021, 12:30–13:45, room 4.",), ("$",)),
    Probe(
        "hash-and-percent",
        "<p>The #1 choice of 50% &amp; more.</p>",
        (("The #1 choice of 50% & more.", r"The \#1 choice of 50% & more."),),
        ("$",),
    ),
    Probe("comparison", "<p>Both 3 &lt; 4 and 5 &gt; 4 hold.</p>", ("Both 3 < 4 and 5 > 4 hold.",), ("&lt;", "&gt;")),
    Probe(
        "stars",
        "<p>Rated **** by readers, a_star and b_star.</p>",
        (("a_star and b_star", r"a\_star and b\_star"),),
        ("$",),
    ),
    # Formulas in plain text and in small elements
    Probe(
        "italic-run",
        "<p>Let <i>f</i>(<i>x</i>) = <i>x</i><sup>3</sup> &minus; 2<i>x</i> for <i>x</i> &isin; &#8477;.</p>",
        (("$f(x) = x^3 - 2x$", "$f(x) = x^{3} - 2x$"), ("$x \\in \\mathbb{R}$", "$x \\in \\mathbb R$")),
        ("x3",),
    ),
    Probe(
        "italic-variable",
        "<p>If <em>n</em> is even, then <em>n</em><sup>2</sup> is even.</p>",
        (("$n^2$ is even", "$n^{2}$ is even"),),
        ("n2",),
    ),
    Probe(
        "emphasis-stays",
        "<p>This is <em>not</em> a formula, but <i>a priori</i> clear.</p>",
        (("*not*", "_not_", "is not a"), ("*a priori*", "_a priori_", "but a priori")),
    ),
    Probe(
        "title-stays",
        "<p>In <i>Elements</i>, book <i>X</i>, he shows it.</p>",
        (("*Elements*", "_Elements_", "In Elements"),),
        ("$Elements$",),
    ),
    Probe(
        "unicode-letters",
        "<p>Here 𝑓(𝑥) = 𝑥² is a parabola.</p>",
        (("𝑓(𝑥) = 𝑥²", "$f(x) = x^2$", "$f(x) = x^{2}$", "f(x) = x²"),),
    ),
    Probe(
        "unicode-sum",
        "<p>The sum ∑ᵢ xᵢ² ≤ ½ is small.</p>",
        (
            (
                "∑ᵢ xᵢ² ≤ ½",
                r"$\sum_{i} x_{i}^{2} \le \frac{1}{2}$",
                r"$\sum_i x_i^2 \leq \frac{1}{2}$",
                r"$\sum_i x_i^2 \le \frac12$",
            ),
        ),
    ),
    Probe(
        "unicode-powers",
        "<p>In m² and cm³, or 10⁻³ of it.</p>",
        (("m² and cm³, or 10⁻³", "$10^{-3}$"),),
        ("m2 and", "10-3"),
    ),
    Probe("degree", "<p>It was 20°C, at an angle of 45°.</p>", ("It was 20°C, at an angle of 45°.",), ("$",)),
    Probe(
        "fraction-slash",
        "<p>Add 1/2 cup and 3&frasl;4 spoon.</p>",
        (("Add 1/2 cup and 3⁄4 spoon.", "Add 1/2 cup and 3/4 spoon."),),
        ("$",),
    ),
    # Delimiters
    Probe(
        "br-in-display", "<p>We have $$a = b<br>+ c$$ and so on.</p>", ("$$ a = b + c $$",), ("<br>",), MATHJAX_DOLLARS
    ),
    Probe(
        "br-in-brackets",
        "<p>So<br>\\[<br>x = y<br />+ z<br>\\]<br>follows.</p>",
        ("$$ x = y + z $$",),
        ("\\[",),
        MATHJAX,
    ),
    Probe(
        "emphasis-in-formula",
        "<p>So $a_<em>1 + b</em>1$ holds and \\(c_2\\) too.</p>",
        ("$a_1 + b_1$", "$c_2$"),
        ("*",),
        MATHJAX_DOLLARS,
    ),
    Probe(
        "less-than-in-formula",
        "<p>For $a &lt; b$ and $c &amp; d$.</p>",
        ("$a < b$", "$c & d$"),
        ("&lt;", "&amp;"),
        MATHJAX_DOLLARS,
    ),
    Probe(
        "star-in-formula",
        "<p>The groups $G^*$ and $H^*$ and $a*b*c$ differ.</p>",
        ("$G^*$ and $H^*$ and $a*b*c$",),
        (r"\*",),
        MATHJAX_DOLLARS,
    ),
    Probe(
        "underscores-in-formulas",
        r"<p>Both \(a_i\) and \(b_i\) vanish.</p>",
        ("Both $a_i$ and $b_i$ vanish.",),
        (r"\_",),
        MATHJAX,
    ),
    Probe(
        "nested-dollar",
        r"<p>Let $$x = \text{the least $n$ so far}$$ here.</p>",
        (r"\text{the least $n$ so far}",),
        (),
        MATHJAX_DOLLARS,
    ),
    Probe(
        "environment",
        "<p>We get</p>\\begin{align}a &amp;= b \\\\ c &amp;= d\\end{align}<p>at once.</p>",
        (r"\begin{align}a &= b \\ c &= d\end{align}", "at once."),
        ("&amp;",),
        MATHJAX,
    ),
    Probe(
        "unclosed-parenthesis",
        r"<p>The text \( has no end and goes on.</p>",
        (("has no end and goes on."),),
        ("$",),
        MATHJAX,
    ),
    Probe(
        "lonely-dollar",
        "<p>A single $ sign stands here, and $x$ there.</p>",
        (("single $ sign stands here, and $x$ there.", r"single \$ sign stands here, and $x$ there."),),
        (),
        MATHJAX_DOLLARS,
    ),
    Probe(
        "two-paragraphs",
        "<p>Open $a here.</p><p>Close b$ there.</p>",
        (("Open $a here.", r"Open \$a here."), ("Close b$ there.", r"Close b\$ there.")),
        (),
        MATHJAX_DOLLARS,
    ),
    Probe(
        "adjacent",
        r"<p>Twice: \(a\)\(b\) and $c$-fold, $d$th.</p>",
        ("$a$", "$b$", "$c$-fold", "$d$th"),
        (),
        MATHJAX_DOLLARS,
    ),
    Probe("punctuation", r"<p>Here (\(x\)), \(y\), and \(z\).</p>", ("($x$), $y$, and $z$.",), (), MATHJAX),
    Probe("display-in-sentence", r"<p>Then \[ a = b \] holds.</p>", ("Then $$ a = b $$ holds.",), (), MATHJAX),
    Probe(
        "ignored-element",
        '<p>A <span class="tex2jax_ignore">$5 or $6</span> note on $x$.</p>',
        (("$5 or $6 note on $x$.", r"\$5 or \$6 note on $x$."),),
        (),
        MATHJAX_DOLLARS,
    ),
    Probe(
        "katex-error",
        "<p>See <span class='katex-error' title='ParseError'>\\foo{x}</span> here.</p>",
        (("$\\foo{x}$", "\\foo{x}"),),
    ),
    Probe(
        "list-of-formulas", r"<ul><li>\(a\)</li><li>\(b\)</li><li>\(c\)</li></ul>", ("- $a$ - $b$ - $c$",), (), MATHJAX
    ),
    Probe(
        "heading-with-formula", r"<h2>The case \(n = 2\)</h2><p>Nothing new.</p>", ("## The case $n = 2$",), (), MATHJAX
    ),
    Probe("link-with-formula", r'<p>See <a href="/x">the space \(L^2\)</a> below.</p>', ("$L^2$",), (), MATHJAX),
    Probe(
        "table-with-bar",
        r"<table><tr><th>name</th><th>value</th></tr><tr><td>size</td><td>\(|x|\)</td></tr><tr><td>end</td><td>one</td></tr></table>",
        (
            (
                "| size | $\\lvert x\\rvert$ |",
                "| size | $\\|x\\|$ |",
                "| size | $\\vert x\\vert$ |",
                "| size | $\\vert x \\vert$ |",
            ),
        ),
        (),
        MATHJAX,
    ),
    Probe(
        "image-of-prose",
        '<p>A picture <img src="cat.png" alt="A cat sleeping on a desk" class="latex"> of a cat.</p>',
        (),
        ("$A cat",),
    ),
    Probe("image-number", '<p>Fig. <img src="/f.png" alt="3"> shows it.</p>', (), ("$3$",)),
    # AsciiMath
    Probe(
        "asciimath",
        "<p>Solve `x^2 + sqrt(y) = alpha/2` now.</p>",
        ((r"$x^2 + \sqrt{y} = \frac{\alpha}{2}$", r"$x^{2} + \sqrt{y} = \frac{\alpha}{2}$"),),
        ("`",),
        ASCIIMATH,
    ),
    Probe("asciimath-in-code", "<p>Type <code>`x^2`</code> for a square.</p>", ("x^2",), ("$x^2$",), ASCIIMATH),
    Probe("asciimath-lonely", "<p>The mark ` alone means nothing.</p>", ("alone means nothing.",), ("$",), ASCIIMATH),
)


def main() -> None:
    """Prints for each extractor the probes it gets wrong."""
    from roundtrip.extractors import EXTRACTORS

    for name in sys.argv[1:] or ("careful", "fast"):
        extract = EXTRACTORS[name]()
        wrong = {probe.name: failures(probe, extract(page_of(probe))) for probe in PROBES}
        bad = {probe: reasons for probe, reasons in wrong.items() if reasons}
        print(f"{name}: {len(PROBES) - len(bad)} of {len(PROBES)} right")
        for probe, reasons in bad.items():
            print(f"    {probe}: {'; '.join(reasons)}")


if __name__ == "__main__":
    main()
