"""The length schedule: which cap holds in which rollout step."""

from manifests.kinds.rl import LengthStage
from training.rl.schedule import Span, cap_at, spans

PAPER = [
    LengthStage(from_rollout_step=first, max_response_tokens=cap)
    for first, cap in ((0, 2048), (100, 4096), (160, 8192))
]


def test_a_stage_begins_after_its_number_of_rollout_steps() -> None:
    caps = {step: cap_at(PAPER, step) for step in (1, 100, 101, 160, 161, 1000)}
    assert caps == {1: 2048, 100: 2048, 101: 4096, 160: 4096, 161: 8192, 1000: 8192}


def test_before_the_first_step_the_first_cap_holds() -> None:
    assert cap_at(PAPER, 0) == 2048


def test_spans_cover_every_rollout_step_once() -> None:
    found = spans(PAPER, 200)
    assert found == [Span(1, 100, 2048), Span(101, 160, 4096), Span(161, 200, 8192)]
    steps = [step for span in found for step in range(span.first, (span.last or 0) + 1)]
    assert steps == list(range(1, 201))
    assert all(cap_at(PAPER, step) == span.cap for span in found for step in (span.first, span.last or 0))


def test_an_open_run_has_an_open_last_span() -> None:
    assert spans(PAPER)[-1] == Span(161, None, 8192)
