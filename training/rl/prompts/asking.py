"""Problems in the words of a template, without those whose prompt would be too long or read as something else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from manifests.kinds.rl import Prompts
from training.rl.prompts.rows import Problem, Prompt, Removed
from training.rl.prompts.templates import render
from training.rl.prompts.tokenizer import PromptTokenizer

BATCH_PROMPTS = 1024


@dataclass(frozen=True)
class Asking:
    """How problems are asked. Without a tokenizer no length is known, and nothing is removed."""

    prompts: Prompts
    templates: Mapping[str, str]
    tokenizer: PromptTokenizer | None

    def ask(
        self, data_source: str, split: str, problems: Sequence[Problem], first: int = 0
    ) -> tuple[list[Prompt], list[Removed]]:
        """The prompts, numbered from `first` in the order given, and the problems that cannot be asked."""
        kept, removed = list[Prompt](), list[Removed]()
        for start in range(0, len(problems), BATCH_PROMPTS):
            batch = problems[start : start + BATCH_PROMPTS]
            contents = [render(self.prompts.template, self.templates, problem.text) for problem in batch]
            for problem, content, tokens in zip(batch, contents, self._lengths(contents), strict=True):
                fault = self._fault(problem, tokens)
                if fault is None:
                    kept.append(Prompt(data_source, split, first + len(kept), problem, content, tokens))
                else:
                    removed.append(Removed(data_source, problem.id, *fault))
        return kept, removed

    def _lengths(self, contents: Sequence[str]) -> Sequence[int | None]:
        return [None] * len(contents) if self.tokenizer is None else self.tokenizer.counts(contents)

    def _fault(self, problem: Problem, tokens: int | None) -> tuple[str, str] | None:
        """(reason, detail). A problem must not end its own prompt: the text of a special token becomes that token."""
        if self.tokenizer is None or tokens is None:
            return None
        found = next((text for text in self.tokenizer.special if text in problem.text), None)
        if found is not None:
            return "special_token", f"holds {found!r}, which the tokenizer reads as a special token"
        most = self.prompts.max_prompt_tokens
        return ("too_long", f"{tokens:,} tokens; at most {most:,}") if tokens > most else None
