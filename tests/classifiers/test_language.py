"""Languages: told by words, not by formulas; nothing is guessed from too little."""

import pytest

from classifiers.language import LanguageDetector

ENGLISH = (
    "A group is a set with an operation that is associative, has an identity, and gives an inverse to each element. "
    "Groups describe the symmetries of objects, and the theory of them began with the study of equations. "
)
TEXTS = {
    "en": ENGLISH,
    "fr": "Un groupe est un ensemble muni d'une opération associative qui possède un élément neutre, et dans lequel "
    "chaque élément a un inverse. Les groupes décrivent les symétries des objets géométriques et des équations.",
    "de": "Eine Gruppe ist eine Menge mit einer assoziativen Verknüpfung, die ein neutrales Element besitzt und in der "
    "jedes Element ein Inverses hat. Gruppen beschreiben die Symmetrien von Körpern und von Gleichungen.",
    "ru": "Группа — это множество с ассоциативной операцией, в котором есть нейтральный элемент и у каждого элемента "
    "есть обратный. Группы описывают симметрии различных объектов и появились при изучении уравнений.",
    "ja": "群とは、結合的な演算をもつ集合であって、単位元が存在し、すべての元が逆元をもつものをいう。"
    "群は図形の対称性を記述するものであり、その理論は方程式の研究から始まったとされている。",
}


@pytest.mark.parametrize("language", TEXTS)
def test_running_text_is_recognised(language: str) -> None:
    assert LanguageDetector().detect(TEXTS[language]) == (language, 1.0)


def test_formulas_do_not_count() -> None:
    formulas = r" $\lim_{n \to \infty} \sum_{i=1}^{n} \frac{a_i}{b_i}$ \[ \operatorname{res} f \] " * 30
    assert LanguageDetector().detect(formulas) == ("und", 0.0)
    assert LanguageDetector().detect(TEXTS["de"] + formulas + TEXTS["de"]) == ("de", 1.0)


def test_a_page_in_two_languages_has_a_middling_score() -> None:
    language, score = LanguageDetector().detect(ENGLISH * 8 + TEXTS["ru"] * 4)
    assert language == "en"
    assert 0.4 < score < 0.9


@pytest.mark.parametrize("text", ["", "Good morning!", "12 34 56 " * 200, "$x$ " * 500, "\ud800" * 500])
def test_too_little_to_tell(text: str) -> None:
    assert LanguageDetector().detect(text) == ("und", 0.0)


def test_reference_pages_with_much_code_are_still_english() -> None:
    page = "scipy.linalg.solve(a, b)\n\nSolves the linear equation set for the unknown x, where a is a square matrix.\n"
    assert LanguageDetector().detect(page * 3)[0] == "en"
