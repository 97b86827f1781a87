"""YAML 1.2 core schema with lines; what YAML could hide is refused."""

import math

import pytest

from manifests.yaml import MAX_BYTES, dotted, parse_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"), ("yes", "yes"), ("on", "on"), ("2e-5", 2e-5), ("0777", 777), ("0o17", 15), ("0x1F", 31),
        ("1_000", "1_000"),
        ("~", None), ("null", None), ("", None), ("true", True), ("TRUE", True), ("1.10", 1.1), ('"1.10"', "1.10"),
        ("2026-11-20", "2026-11-20"), ("12:30", "12:30"), ("-.inf", -math.inf), ("+3", 3), ("200B", "200B"),
    ],
)  # fmt: skip
def test_scalars_follow_yaml_1_2(text: str, value: object) -> None:
    assert parse_yaml(f"key: {text}").value == {"key": value}


def test_every_value_knows_its_line() -> None:
    parsed = parse_yaml("a: 1\nlist:\n  - x: 1\n    y: 2\n")
    assert parsed.line_of(("list", 0, "y")) == 4
    assert parsed.line_of(("list", 0, "missing")) == 3
    assert dotted(("list", 0, "y")) == "list[0].y"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: &x 1\nb: *x", "alias or anchor"),
        ("a: !!python/object:os.system x", "the tag"),
        ("a: 1\na: 2", "stands twice, first on line 1"),
        ("a: 1\n---\nb: 2", "second document"),
        ("a: [1", "is not YAML"),
        ("[" * 100, "nests deeper"),
        ("? [a]\n: 1", "a key that is a list"),
    ],
)
def test_what_yaml_could_hide_is_refused(text: str, says: str) -> None:
    assert any(says in mistake.message for mistake in parse_yaml(text).mistakes)


def test_alias_bombs_cost_nothing() -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{b}: &{b} [{','.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert "alias or anchor" in parse_yaml(bomb).mistakes[0].message


def test_a_huge_file_is_no_manifest() -> None:
    assert "larger than" in parse_yaml("a: " + "x" * MAX_BYTES).mistakes[0].message
