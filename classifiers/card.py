"""The card of a model as a page for people: what it is, what it was made from, how good it is, how to make it again."""

from typing import Any


def card_text(card: dict[str, Any]) -> str:
    """The card in Markdown."""
    return (
        "\n\n".join(
            [
                f"# {card['identity']}",
                card["description"] or "A fastText classifier of texts.",
                _facts(card),
                "## Training texts\n\n" + _sources(card["sources"]),
                "## Left out\n\n" + _left_out(card["left_out"]),
                "## Validation\n\n" + _validation(card["valid"], card["threshold"]),
                "## Made from\n\n" + _parameters(card),
            ]
        )
        + "\n"
    )


def _facts(card: dict[str, Any]) -> str:
    return _table(
        ["fact", "value"],
        [
            ["labels", f"{card['labels']['positive']} (the score is its probability), {card['labels']['negative']}"],
            ["size", f"{card['size_bytes']:,} bytes"],
            ["digest", f"`{card['digest']}`"],
            ["fingerprint of the recipe", f"`{card['fingerprint']}`"],
            ["normal form of text", f"revision {card['normaliser_revision']}"],
            ["trained with", card["library"]],
            ["made", card["made"]],
        ],
    )


def _sources(sources: list[dict[str, Any]]) -> str:
    """One row a source; the licences of the texts are their authors' and stay with the texts."""
    rows = [[row["label"], row["source"], row["licence"], f"{row['train']:,}", f"{row['valid']:,}"] for row in sources]
    return _table(["label", "source", "licence", "train", "valid"], rows)


def _left_out(left_out: dict[str, int]) -> str:
    if not left_out:
        return "Nothing."
    return _table(["rule", "rows"], [[f"`{rule}`", f"{rows:,}"] for rule, rows in left_out.items()])


def _validation(valid: dict[str, Any], threshold: float) -> str:
    total = (
        f"At threshold {threshold:g}, on {valid['texts']:,} texts not trained on: accuracy {valid['accuracy']:.4f}, "
        f"recall {valid['recall']:.4f}, precision {valid['precision']:.4f}. Fewest mistakes at "
        f"{valid['best_threshold']:g}: accuracy {valid['best_accuracy']:.4f}. These texts come from the sources of the "
        "training texts, so pages of other origin do worse."
    )
    rows = [
        [row["label"], row["source"], f"{row['texts']:,}", f"{row['wrong']:,}", f"{row['median']:.3f}"]
        for row in valid["by_source"]
    ]
    return total + "\n\n" + _table(["label", "source", "texts", "wrong", "median score"], rows)


def _parameters(card: dict[str, Any]) -> str:
    recipe = card["recipe"]
    parts = {"model": recipe["model"], "quantise": recipe["quantise"], "augment": recipe["training"]["augment"]}
    rows = [[key, f"`{_shown(value)}`"] for key, value in parts.items()]
    rows += [[f"file {label or 'with labels'}", f"`{digest}`"] for digest, label in _files(recipe["training"])]
    name = card["identity"].partition("@")[0]
    made = (
        f"{card['training_lines']:,} training lines over all epochs, as many of each label. To make it again, byte for "
        f"byte: `octo classifier train {name} --files DIR`, where DIR holds the files with these digests."
    )
    return made + "\n\n" + _table(["part", "value"], rows)


def _files(training: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(digest, None) for digest in training["files"]] + list(training["one_label_files"].items())


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {item}" for key, item in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _table(columns: list[str], rows: list[list[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    """Sources come from files: a bar or a line break in one must not break the table."""
    return " ".join(text.replace("|", "\\|").split())
