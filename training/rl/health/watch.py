"""HealthWatch: hears the lines of one run in order and says what is going wrong, while it trains or afterwards."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Protocol

from manifests.kinds.rl import LengthStage
from training.rl.health.alarm import Alarm, Episodes, Finding
from training.rl.health.capped import CapSaturation, NeverLearning
from training.rl.health.collapse import Collapse
from training.rl.health.examples import examples_of, name_of
from training.rl.health.groups import NoGradient
from training.rl.health.policy import Divergence, Entropy, ProbabilityGap
from training.rl.health.reward import LostResponses, RewardErrors, RewardTimeouts
from training.rl.health.scores import Evaluation, SetScore, problems_of
from training.rl.health.texts import EarlyBox, Repetition
from training.rl.health.window import STEPS, window_of
from training.rl.schedule import cap_at

__all__ = ["Alarm", "HealthWatch"]

TRAINING, VALIDATION = "training", "validation"
QUIET_EVALUATIONS = 3  # without a finding, and an episode is over; chosen here
QUIET_LINES = 20

ReadResponses = Callable[[], Iterable[dict[str, Any]]]


class Rule(Protocol):
    """What a rule is: it hears evaluations, windows or lines in order and says what it sees."""

    name: str
    remedy: str

    def judge(self, seen: Any, /) -> Finding | None:
        """What is wrong now; None where nothing is, or where it cannot be known."""
        ...


EVALUATION_RULES: tuple[type[Rule], ...] = (Collapse, CapSaturation, NeverLearning)
WINDOW_RULES: tuple[type[Rule], ...] = (Repetition, EarlyBox, NoGradient, Entropy, Divergence, ProbabilityGap)
LINE_RULES: tuple[type[Rule], ...] = (RewardErrors, RewardTimeouts, LostResponses)


class HealthWatch:
    """The watch over one run; deterministic, so that feeding the same lines again gives the same alarms.

    `stages` is the length schedule; without it the `cap` of each line is taken. Memory is bounded, and a line costs
    about 0.1 ms; responses are read only when an alarm is raised.
    """

    def __init__(self, stages: Sequence[LengthStage] | None = None, run: str = "") -> None:
        self._stages, self._run = stages, name_of(run)
        self._judges = {
            stream: [rule() for rule in EVALUATION_RULES] for stream in (TRAINING, VALIDATION)
        }  # each stream against its own past
        self._window_rules = [rule() for rule in WINDOW_RULES]
        self._line_rules = [rule() for rule in LINE_RULES]
        self._episodes: dict[str, Episodes] = {}
        self._accuracy: dict[str, float] = {}
        self._lines: list[dict[str, Any]] = []
        self._scores: dict[str, SetScore] = {}
        self._sets: set[str] = set()
        self._validated: dict[str, Any] = {}
        self._responses: ReadResponses | None = None

    def observe(self, line: dict[str, Any], responses: ReadResponses | None = None) -> list[Alarm]:
        """The alarms that this line brings: a rollout line, or a validation line, which has a `set`.

        `responses` reads the responses of the rollout step, as `response_line` writes them, for the examples; a later
        line without its own uses the last one given.
        """
        self._responses = responses or self._responses
        if "set" in line:
            return self._validation(line)
        alarms = self._finish_evaluation() if line["rollout_step"] > self._validated.get("rollout_step", 0) else []
        return alarms + self._rollout(line)

    def finish(self) -> list[Alarm]:
        """The alarms of what was not complete yet: the last validation, the last few rollout steps."""
        return self._finish_evaluation() + self._finish_window()

    def _validation(self, line: dict[str, Any]) -> list[Alarm]:
        """Judges an evaluation as soon as all sets of the earlier ones are in it."""
        other = self._validated and line["rollout_step"] != self._validated["rollout_step"]
        alarms = self._finish_evaluation() if other or line["set"] in self._scores else []
        self._validated = line
        self._scores[line["set"]] = _score(line)
        if self._sets and self._sets <= self._scores.keys():
            alarms += self._finish_evaluation()
        return alarms

    def _finish_evaluation(self) -> list[Alarm]:
        if not self._scores:
            return []
        step = self._validated["rollout_step"]
        evaluation = Evaluation(step, self._cap(self._validated), tuple(self._scores.values()))
        self._sets |= self._scores.keys()
        self._scores = {}
        return self._judge_evaluation(VALIDATION, evaluation)

    def _judge_evaluation(self, stream: str, evaluation: Evaluation) -> list[Alarm]:
        self._accuracy[stream] = evaluation.best_accuracy
        other = self._accuracy.get(VALIDATION if stream == TRAINING else TRAINING, 0.0)
        evaluation = replace(evaluation, elsewhere=other)
        return self._judge(self._judges[stream], evaluation, evaluation.rollout_step, QUIET_EVALUATIONS, stream)

    def _rollout(self, line: dict[str, Any]) -> list[Alarm]:
        alarms = self._judge(self._line_rules, line, line["rollout_step"], QUIET_LINES)
        if self._lines and self._cap(self._lines[-1]) != self._cap(line):
            alarms += self._finish_window()
        self._lines.append(line)
        return alarms + (self._finish_window() if len(self._lines) == STEPS else [])

    def _finish_window(self) -> list[Alarm]:
        if not self._lines:
            return []
        window = window_of(self._lines, self._cap(self._lines[-1]))
        self._lines = []
        alarms = self._judge(self._window_rules, window, window.rollout_step, QUIET_EVALUATIONS)
        evaluation = window.evaluation
        return alarms + (self._judge_evaluation(TRAINING, evaluation) if evaluation else [])

    def _judge(
        self, rules: Sequence[Rule], seen: Any, rollout_step: int, quiet: int, stream: str = TRAINING
    ) -> list[Alarm]:
        alarms = []
        for rule in rules:
            finding = rule.judge(seen)
            if self._episodes.setdefault(rule.name, Episodes(quiet)).is_news(stream, finding) and finding:
                alarms.append(self._alarm(rule, finding, rollout_step))
        return alarms

    def _alarm(self, rule: Rule, finding: Finding, rollout_step: int) -> Alarm:
        examples = examples_of(rule.name, self._responses()) if self._responses else ()
        return Alarm(rule.name, finding.level, rollout_step, finding.evidence + ".", examples, rule.remedy, self._run)

    def _cap(self, line: dict[str, Any]) -> int | None:
        return cap_at(self._stages, line["rollout_step"]) if self._stages else line.get("cap")


def _score(line: dict[str, Any]) -> SetScore:
    problems = line.get("problems") or problems_of(line["set"])
    lengths = [line.get(name) for name in ("correct_tokens_mean", "response_tokens_mean", "truncated")]
    return SetScore(name_of(line["set"]), line["accuracy"], problems, *lengths)
