"""Fingerprints: stable, refused for what has no stable form, and able to say what changed."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.errors import IdentityError, OctoError
from manifests.fingerprint import canonical_json, changed_keys, file_digest, fingerprint, refuse_changed
from manifests.records import atomic_path, read_record, write_record

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), JSON, max_size=5))
def test_a_fingerprint_does_not_depend_on_the_order_of_keys(recipe: dict[str, object]) -> None:
    assert fingerprint(recipe) == fingerprint(dict(reversed(recipe.items())))
    assert changed_keys(recipe, recipe) == []


def test_a_fingerprint_never_changes_between_releases() -> None:
    recipe = {"b": [1, 2.5, None], "a": {"é": True}}
    assert canonical_json(recipe) == '{"a":{"é":true},"b":[1,2.5,null]}'.encode()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1: 2}, {"a": {1, 2}}, {"a": Path("x")}])
def test_what_has_no_stable_form_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="no stable form|not text"):
        canonical_json(value)


def test_a_changed_recipe_under_an_old_name_is_refused_and_the_key_named(tmp_path: Path) -> None:
    old = {"dedup": {"bands": 14}, "inputs": ["sha256:1"]}
    record = tmp_path / "build.json"
    refuse_changed("demo@1", record, old)  # nothing there yet
    write_record(record, {"fingerprint": fingerprint(old), "recipe": old})
    refuse_changed("demo@1", record, old)
    with pytest.raises(IdentityError, match=r"dedup\.bands: 14 → 11") as caught:
        refuse_changed("demo@1", record, {"dedup": {"bands": 11}, "inputs": ["sha256:1"]})
    assert "--replace" in str(caught.value)


def test_a_record_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "record.json"
    write_record(target, {"a": 1})
    with pytest.raises(RuntimeError), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert read_record(target) == {"a": 1}
    assert list(tmp_path.iterdir()) == [target]


def test_a_full_disk_is_explained() -> None:
    with pytest.raises(OctoError, match="the disk is full"), atomic_path(Path("/dev/full")) as temporary:
        raise OSError(28, "No space left on device", str(temporary))


def test_a_file_is_known_by_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "b").write_bytes(b"x")
    assert file_digest(tmp_path / "a") == file_digest(tmp_path / "b")
