"""How responses are sampled, and what a sampled response is. No torch needed."""

from dataclasses import dataclass

from manifests.errors import TrainingError


@dataclass(frozen=True)
class Sampling:
    """How many responses, how long, and how their tokens are chosen."""

    max_response_tokens: int
    """The cap, an end of text included; tokens."""
    temperature: float
    """0 takes the most likely token every time."""
    top_p: float
    """Only the most likely tokens that together have this probability are drawn; 1: all."""
    responses: int
    """Responses to each prompt."""
    sequences_at_once: int
    """Responses generated side by side: decides memory and speed, and results only by rounding."""
    seed: int
    precision: str = "float32"
    """`bfloat16` computes in it by autocast, where the weights are float32; weights in bfloat16 need nothing."""

    def __post_init__(self) -> None:
        """Raises TrainingError for settings that nothing can be sampled with."""
        wrong = [
            f"{name} is {getattr(self, name)}"
            for name in ("max_response_tokens", "responses", "sequences_at_once")
            if getattr(self, name) < 1
        ]
        wrong += [f"temperature is {self.temperature}"] * (not self.temperature >= 0)
        wrong += [f"top_p is {self.top_p}"] * (not 0 < self.top_p <= 1)
        if wrong:
            raise TrainingError(
                f"sampling: {', '.join(wrong)}; expected whole numbers from 1 on, a temperature from 0 on and a top_p "
                "above 0 and at most 1."
            )


@dataclass(frozen=True)
class Sampled:
    """One response."""

    text: str
    """Without special tokens."""
    tokens: int
    """As generated, an end of text included, padding not."""
    truncated: bool
    """Whether it reached the cap without an end of text."""
