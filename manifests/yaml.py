"""YAML 1.2 core schema with a line number for every value; what YAML could hide is refused.

`no` is text, `2e-5` a number, `0777` the number 777; aliases, tags, repeated keys and several documents in one file are
mistakes. PyYAML parses; only the rules that turn scalars into values are ours, because PyYAML's are those of YAML 1.1.
"""

import re
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import yaml

MAX_BYTES = 1_000_000
MAX_DEPTH = 32

Path = tuple[str | int, ...]

# YAML 1.2.2 section 10.3.2, tag resolution of the core schema.
_CORE: list[tuple[re.Pattern[str], Callable[[str], Any]]] = [
    (re.compile(r"(?:null|Null|NULL|~|)\Z"), lambda text: None),
    (re.compile(r"(?:true|True|TRUE)\Z"), lambda text: True),
    (re.compile(r"(?:false|False|FALSE)\Z"), lambda text: False),
    (re.compile(r"[-+]?[0-9]+\Z"), int),
    (re.compile(r"0o[0-7]+\Z"), lambda text: int(text[2:], 8)),
    (re.compile(r"0x[0-9a-fA-F]+\Z"), lambda text: int(text[2:], 16)),
    (re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z"), float),
    (re.compile(r"[-+]?\.(?:inf|Inf|INF)\Z"), lambda text: float(text.replace(".", ""))),
    (re.compile(r"\.(?:nan|NaN|NAN)\Z"), lambda text: float("nan")),
]


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One thing that is wrong in a manifest: its 1-based line, the dotted path, and what to do."""

    line: int
    path: str
    message: str


@dataclass(slots=True)
class Parsed:
    """The values of one file, the 1-based line of every path, and what YAML alone shows to be wrong."""

    value: Any
    lines: dict[Path, int] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)

    def line_of(self, path: Path) -> int:
        """The line of `path`, or of the nearest parent that stands in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


class _Loader(yaml.SafeLoader):
    """PyYAML's parser without the scalar rules of YAML 1.1, so that every plain scalar stays text for `_scalar`."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  PyYAML's own class attribute


def parse_yaml(text: str) -> Parsed:
    """The values of a manifest with their lines. Never raises for bad YAML: the mistakes say what is wrong."""
    parsed = Parsed(None)
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        parsed.mistakes.append(Mistake(1, "", f"is larger than {MAX_BYTES:,} bytes; expected a manifest"))
        return parsed
    try:
        if _refused_events(text, parsed):
            return parsed
        node = _Loader(text).get_single_node()
    except yaml.YAMLError as error:
        parsed.mistakes.append(_syntax_mistake(error))
        return parsed
    parsed.value = _value(node, (), parsed) if node is not None else None
    return parsed


def dotted(path: Path) -> str:
    """`sources[2].weight` for ("sources", 2, "weight")."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _refused_events(text: str, parsed: Parsed) -> bool:
    """Looks at the events before nodes are built, since aliases and deep nesting could cost time and memory there."""
    depth = documents = 0
    for event in yaml.parse(text, Loader=_Loader):
        documents += isinstance(event, yaml.DocumentStartEvent)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if refusal := _refusal(event, depth, documents):
            line = event.start_mark.line + 1 if event.start_mark else 1
            parsed.mistakes.append(Mistake(line, "", refusal))
            return True
    return False


def _refusal(event: yaml.Event, depth: int, documents: int) -> str | None:
    if depth > MAX_DEPTH:
        return f"nests deeper than {MAX_DEPTH} levels; expected a manifest"
    if documents > 1:
        return "holds a second document after `---`; expected one manifest a file"
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
        name = getattr(event, "anchor", "")
        return f"uses the alias or anchor {name!r}; expected the value written out, since manifests share nothing"
    if (tag := getattr(event, "tag", None)) not in (None, "!"):
        return f"uses the tag {tag!r}; expected plain values"
    return None


def _syntax_mistake(error: yaml.YAMLError) -> Mistake:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    return Mistake(
        mark.line + 1 if mark else 1, "", f"is not YAML: {problem}. Mend this first; nothing else was checked."
    )


def _value(node: yaml.Node, path: Path, parsed: Parsed) -> Any:
    parsed.lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, parsed)
    if isinstance(node, yaml.SequenceNode):
        return [_value(child, (*path, index), parsed) for index, child in enumerate(node.value)]
    return _scalar(typing.cast(yaml.ScalarNode, node))


def _mapping(node: yaml.MappingNode, path: Path, parsed: Parsed) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            parsed.mistakes.append(Mistake(line, dotted(path), "has a key that is a list or a mapping; expected text"))
            continue
        key = key_node.value
        if key in values:
            message = f"stands twice, first on line {parsed.lines[(*path, key)]}; expected one. Remove one of them."
            parsed.mistakes.append(Mistake(line, dotted((*path, key)), message))
        parsed.lines[(*path, key)] = line
        values[key] = _value(value_node, (*path, key), parsed)
    return values


def _scalar(node: yaml.ScalarNode) -> Any:
    if node.style is not None:  # quoted and block scalars are always text
        return node.value
    for pattern, convert in _CORE:
        if pattern.match(node.value):
            try:
                return convert(node.value)
            except ValueError:  # an integer of more digits than Python converts
                return node.value
    return node.value
