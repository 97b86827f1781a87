"""prompts.json: what a run asks, counted, with the digests that say whether it is the same again."""

import hashlib
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from manifests.fingerprint import canonical_json
from manifests.kinds.rl import RlManifest
from training.rl.prompts.problems import CorpusProblems
from training.rl.prompts.rows import Prompt, Removed
from training.rl.prompts.templates import template_text
from training.rl.prompts.tokenizer import PromptTokenizer
from training.rl.prompts.validation import ValidationProblems


def prompt_facts(
    manifest: RlManifest,
    corpus: CorpusProblems,
    sets: Sequence[ValidationProblems],
    tokenizer: PromptTokenizer | None,
    train: Sequence[Prompt],
    validation: Sequence[Prompt],
    removed: Sequence[Removed],
) -> dict[str, Any]:
    """Where the problems come from, how they are asked, and for each source: problems = kept + removed."""
    name = manifest.prompts.template
    read = len(corpus.problems) + len(corpus.removed)
    return {
        "corpus": {
            "reference": corpus.reference,
            "digest": corpus.record.get("digest"),
            "fingerprint": corpus.record.get("fingerprint"),
            "decontaminated": corpus.benchmarks is not None,
        },
        "template": {"name": name, "text": template_text(name, manifest.templates)},
        "tokenizer": tokenizer.digest if tokenizer else None,
        "max_prompt_tokens": manifest.prompts.max_prompt_tokens,
        "train": _counted(corpus.reference, read, train, removed),
        "validation": {
            given.name: {"file_digest": given.digest} | _counted(given.name, len(given.texts), validation, removed)
            for given in sets
        },
        "digest": rows_digest(prompt.row for prompt in (*train, *validation)),
    }


def count_reasons(removed: Iterable[Removed]) -> dict[str, int]:
    """reason → how many, the most frequent first."""
    counts = Counter(item.reason for item in removed)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def rows_digest(rows: Iterable[dict[str, Any]]) -> str:
    """Of the rows in their order."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(canonical_json(row) + b"\n")
    return f"sha256:{digest.hexdigest()}"


def _counted(data_source: str, problems: int, prompts: Sequence[Prompt], removed: Sequence[Removed]) -> dict[str, Any]:
    mine = [prompt for prompt in prompts if prompt.data_source == data_source]
    levels = Counter(prompt.problem.level for prompt in mine if prompt.problem.level is not None)
    return {
        "problems": problems,
        "kept": len(mine),
        "removed": count_reasons(item for item in removed if item.data_source == data_source),
        "levels": dict(sorted(levels.items())),
        "prompt_tokens": _distribution([prompt.tokens for prompt in mine if prompt.tokens is not None]),
        "digest": rows_digest(prompt.row for prompt in mine),
    }


def _distribution(tokens: Sequence[int]) -> dict[str, float] | None:
    """Lengths of prompts, template included; tokens. None where they are not known."""
    if not tokens:
        return None
    ordered = sorted(tokens)
    shares = {"median": 0.5, "p90": 0.9, "p99": 0.99}
    return {
        "min": ordered[0],
        "mean": round(statistics.fmean(ordered), 1),
        **{name: ordered[min(int(share * len(ordered)), len(ordered) - 1)] for name, share in shares.items()},
        "max": ordered[-1],
    }
