"""The whole road on the demo's pages, shortened: every recipe plans, and a token is followed back to its page."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DEMO = ROOT / "manifests" / "recipes" / "demo"
CORPORA = ["demo-web", "demo-short-qa", "demo-long-cot", "demo-instructions", "demo-general"]
MIXTURES = ["demo-stable", "demo-decay-long", "demo-decay-short", "demo-decay-hybrid"]


class Road:
    """A folder with the demo's manifests, shortened, and the command in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "recipes"
        shutil.copytree(DEMO, self.folder, ignore=shutil.ignore_patterns("pages"))
        for path in self.folder.glob("*.yaml"):
            text = path.read_text().replace("{steps: 150}", "{steps: 6}").replace("{steps: 30}", "{steps: 3}")
            text = text.replace("hidden_size: 128", "hidden_size: 32").replace(
                "num_hidden_layers: 4", "num_hidden_layers: 1"
            )
            path.write_text(text)

    def octo(self, *words: str) -> str:
        """What the command prints; fails the test with its error if it does not end well."""
        environment = os.environ | {"OCTO_DATA": str(self.folder.parent / "data")}
        command = [sys.executable, str(ROOT / "octo.py"), *words]
        ended = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, f"octo {' '.join(words)}\n{ended.stderr}"
        return ended.stdout

    def query(self, sql: str) -> list[dict[str, object]]:
        """The rows of a query."""
        rows: list[dict[str, object]] = json.loads(self.octo("query", sql, "--format", "json"))
        return rows


@pytest.fixture(scope="module")
def road(tmp_path_factory: pytest.TempPathFactory) -> Road:
    road = Road(tmp_path_factory.mktemp("road"))
    for name in CORPORA:
        road.octo("corpus", "plan", f"{name}.yaml")
        road.octo("corpus", "build", f"{name}.yaml")
    for name in MIXTURES:
        road.octo("mixture", "plan", f"{name}.yaml")
        road.octo("mixture", "tokenize", f"{name}.yaml")
    road.octo("train", "plan", "demo-train.yaml")
    road.octo("train", "launch", "demo-train.yaml", "--device", "cpu")
    road.octo("eval", "run", "demo-heldout.yaml", "--checkpoint", "demo@1/stable", "--checkpoint", "demo@1/long")
    return road


def test_every_phase_trained_what_its_lock_says(road: Road) -> None:
    rows = road.query(
        "SELECT r.phase, r.state, r.trained_tokens = m.trained_tokens AS tokens, "
        "r.order_digest = m.order_digest AS digest FROM runs r JOIN mixtures m USING (mixture) ORDER BY 1"
    )
    assert [row["phase"] for row in rows] == ["hybrid", "long", "short", "stable"]
    assert all(row["state"] == "done" and row["tokens"] and row["digest"] for row in rows)


def test_sources_get_their_share_to_one_window(road: Road) -> None:
    rows = road.query(
        "SELECT s.mixture, s.corpus, s.windows - s.weight * m.windows AS off, s.windows, "
        "count(DISTINCT p.window) AS found FROM mixture_sources s JOIN mixtures m USING (mixture) "
        "JOIN spans p ON p.mixture = s.mixture AND p.source = s.corpus GROUP BY ALL"
    )
    assert len(rows) == 3 + 4 + 4 + 5
    assert all(abs(float(str(row["off"]))) <= 1 and row["windows"] == row["found"] for row in rows)


def test_a_trained_token_can_be_followed_back_to_its_record_in_the_warc(road: Road) -> None:
    row = road.query(
        'SELECT r.run, d.url, f.file, f."offset", s.num_tokens FROM runs r JOIN spans s USING (mixture) '
        "JOIN documents d ON d.id = s.document_id AND d.corpus = s.source "
        "JOIN fates f ON f.id = d.id AND f.corpus = d.corpus AND f.decision = 'kept' "
        "WHERE r.phase = 'long' AND s.source = 'demo-web@1' AND s.\"window\" < 20 ORDER BY s.\"window\" LIMIT 1"
    )[0]
    from fastwarc.warc import ArchiveIterator

    with Path(str(row["file"])).open("rb") as stream:
        stream.seek(int(str(row["offset"])))
        record = next(iter(ArchiveIterator(stream)))
        assert record.headers["WARC-Target-URI"] == row["url"]


def test_held_out_loss_is_recorded_for_every_domain(road: Road) -> None:
    rows = road.query("SELECT phase, domain, loss, bits_per_byte FROM evaluations")
    assert {(row["phase"], row["domain"]) for row in rows} == {
        (phase, domain) for phase in ("stable", "long") for domain in ("web", "short-qa", "long-cot", "general")
    }
    assert all(0 < float(str(row["loss"])) < 8 for row in rows)


def test_an_export_loads_in_transformers(road: Road) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = road.folder.parent / "data" / "runs" / "demo@1" / "long" / "export"
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True)
    ids = tokenizer("Let $x^2 = 4$. Then", return_tensors="pt")["input_ids"]
    assert model(ids).logits.shape == (1, ids.shape[1], len(tokenizer))


def test_the_catalog_comes_back_from_the_records(road: Road) -> None:
    sql = "SELECT (SELECT count(*) FROM spans), (SELECT count(*) FROM runs), (SELECT sum(tokens) FROM corpora)"
    before = road.query(sql)
    (road.folder.parent / "data" / "catalog.duckdb").unlink()
    road.octo("catalog", "rebuild")
    assert road.query(sql) == before
