"""A tool as a model sees it, and what a model sends and gets: arguments and answers, in canonical JSON."""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rspp_runtime.abi.plan import Node, Plan

JSON_TYPES = {"text": "string", "number": "number", "flag": "boolean"}
DEPTH_MAX = 32  # of arguments and results


class NotDone(Exception):  # noqa: N818 - it says what happened
    """The function did nothing: a tool with `once` may be called with the same arguments again."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One tool: `params` are the names of its arguments with their types (text, number, flag)."""

    name: str
    about: str = ""
    params: tuple[tuple[str, str], ...] = ()
    optional: frozenset[str] = frozenset()  # arguments that may be left out

    @property
    def schema(self) -> dict[str, Any]:
        """The arguments as a JSON Schema."""
        return {
            "type": "object",
            "properties": {name: {"type": JSON_TYPES[type]} for name, type in self.params},
            "required": [name for name, _ in self.params if name not in self.optional],
            "additionalProperties": False,
        }

    def wrong(self, arguments: object) -> str:
        """What is wrong with arguments, in words for the model; "" if nothing is."""
        if not isinstance(arguments, dict):
            return f"the arguments of {self.name} are an object, not {_kind(arguments)}"
        types = dict(self.params)
        for name in arguments:
            if name not in types:
                near = difflib.get_close_matches(str(name), types, n=1)
                meant = f" (did you mean {near[0]!r}?)" if near else f"; it takes {', '.join(types) or 'none'}"
                return f"{self.name} has no argument {name!r}{meant}"
        for name, type in self.params:
            if name not in arguments:
                if name in self.optional:
                    continue
                return f"{self.name} needs the argument {name!r} ({type})"
            if not _is(type, arguments[name]):
                return f"{self.name}: {name!r} is a {type}, not {_kind(arguments[name])}"
        return ""


def offers_of(plan: Plan, node: Node, providers: Mapping[str, Sequence[tuple[str, object]]]) -> dict[str, Offer]:
    """The tools of a model, by name, as they are declared and as their functions are."""
    found: dict[str, Offer] = {}
    for edge in plan.edges:
        tool = plan.nodes[edge.target]
        if edge.source == node.id and tool.tool is not None:
            own = getattr(providers[tool.name][0][1], "offer", None)
            optional = own.optional if own is not None else frozenset()
            found[tool.name] = Offer(tool.name, tool.tool.about, tool.tool.params, optional)
    return found


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a call: a `value`, or an `error` in words for the model."""

    value: Any = None
    error: str = ""


def canonical(value: Any) -> str:
    """JSON with sorted keys and no blanks: one value, one text. Raises ValueError for what JSON cannot say."""
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    except (TypeError, RecursionError) as error:
        raise ValueError(str(error) or type(error).__name__) from None


def _is(type: str, value: object) -> bool:
    if type == "flag":
        return isinstance(value, bool)
    if type == "number":
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return isinstance(value, str)


def _kind(value: object) -> str:
    if value is None:
        return "nothing"
    for kind, words in ((bool, "a flag"), (str, "a text"), (Mapping, "an object"), (list, "a list")):
        if isinstance(value, kind):
            return words
    return "a number" if isinstance(value, int | float) else type(value).__name__
