"""Reactions as other tools write them: `when x then y`, `on x { y }`, `after 10s …`."""

from __future__ import annotations

import re

from rspp_compiler.syntax.hints.place import Hint, Place, Rule

_VERB = r"(?:open|end|cancel|abort|degrade|enter|pause|resume|call)"
_ACTION = rf"{_VERB}\s+[a-z_][\w.]*"
_EVENTS = r"\s*on\s+(.*?)\s*->"


def _begins_otherwise(at: Place) -> Hint | None:
    """`when ears.idle -> …`, `if …`, `upon …`."""
    found = re.match(r"\s*(when|if|upon|whenever|event|handler|trigger|once)\s+[a-z_]\w*\.", at.line)
    if re.match(r"\s*for\s", at.line) and at.before.strip() == "for":
        return Hint("nothing is repeated: each node has a line of its own, and what stands twice goes into a `module`")
    if re.match(r"\s*(?:when|if)\b[^{}]*\{", at.line) and at.before.strip() in ("", "if", "when"):
        return Hint(
            'what is other for some sessions is a policy, outside: `policy NAME when session.tenant == "…" { … }`'
        )
    if not found or "->" not in at.line:
        return None
    start = at.start + found.start(1)
    return Hint("a reaction begins with `on`", (start, start + len(found[1]), "on"))


def _after_a_time(at: Place) -> Hint | None:
    """`on 10s -> …`, `after 10s -> …`, `every 1min -> …`."""
    found = re.match(r"\s*(on|after|every|in)\s+(?:after\s+|every\s+)?(\d+(?:ms|s|min|h))\b", at.line)
    if not found:
        return None
    word = "every" if "every" in found[0] else "after"
    declared, event = f"node later : timer {{ {word} = {found[2]} }}", "on later.fired"
    edit = (at.start + len(at.indent), at.start + found.end(), f"{declared}\n{at.indent}{event}")
    return Hint(f"time passes at a node: `{declared}`, `{event} -> …`", edit)


def _joined_events(at: Place) -> Hint | None:
    """`on a.x, b.y -> …`, `on a.x and b.y -> …`."""
    if at.first != "on" or "->" in at.before or "OR" not in at.accepted or re.search(r"\bwhen\b", at.before):
        return None
    help = "the events of a line are joined by `or`: each of them alone begins it"
    return at.put(r",\s*|and\b|&&?|\|\|?|/|\+", " or " if at.after.startswith(",") else "or", help)


def _arrow_left_out(at: Place) -> Hint | None:
    """`on ears.idle: end session`, `on ears.idle then …`, `on ears.idle { … }`."""
    if at.first != "on" or "->" in at.before or "ARROW" not in at.accepted or "COMPARE" in at.accepted:
        return None
    help = "what happens then stands behind an arrow: `on NODE.EVENT -> …`"
    if found := re.match(r"\{\s*(?:->\s*)?([^{}\n]*?)\s*\}", at.after):
        return Hint(help, (at.offset, at.offset + found.end(), f"-> {found[1]}"))
    colon = at.put(r":", " ->", help)
    return colon or at.put(r"(?:then|do|=>|=|:)(?!\w)", "->", help)


def _key_of_the_keypad(at: Place) -> Hint | None:
    """`on ingress.dtmf("0") -> …`."""
    found = re.match(r"\(\s*[\"']?([0-9*#A-D])[\"']?\s*\)", at.after)
    if not found or not re.search(r"\bdtmf\s*$", at.before):
        return None
    meant = f'when event.digit == "{found[1]}"'
    return Hint(f"which key it was, a condition asks: `{meant}`", (at.offset, at.offset + found.end(), f" {meant}"))


def _condition_behind(at: Place) -> Hint | None:
    """`on x -> end session when y`."""
    line = re.match(rf"{_EVENTS}\s*({_ACTION})\s*$", at.before)
    end, condition = at.rest()
    if not line or not re.match(r"(?:when|if)\s", condition):
        return None
    condition = re.sub(r"^if\b", "when", condition)
    start = at.start + line.start(1)
    meant = f"{line[1]} {condition} -> {line[2]}"
    return Hint("the condition stands before the arrow: `on … when … -> …`", (start, end, meant))


def _two_actions(at: Place) -> Hint | None:
    """`on x -> cancel turn, end session`, and with `and`."""
    line = re.match(rf"{_EVENTS}.*?(,\s*(?:\w+\s+)?)?$", at.before)
    help = "each action has a line of its own, and lines for one event run in order"
    if not line:
        return None
    if re.match(r"(?:else|otherwise)\b", at.after):
        return Hint(f"{help}; the opposite of a condition is `when not …`")
    if found := re.match(rf"(?:and|then|&&?|\+|;)\s*(?:->\s*)?({_ACTION})", at.after):
        start = at.start + len(at.before.rstrip())
        return Hint(help, (start, at.offset + found.end(), f"\n{at.indent}on {line[1]} -> {found[1]}"))
    begun = re.search(rf",\s*({_VERB})\s+$", at.before)
    if begun and (found := re.match(r"[a-z_][\w.]*", at.after)):
        action = f"{begun[1]} {found[0]}"
        edit = (at.start + begun.start(), at.offset + found.end(), f"\n{at.indent}on {line[1]} -> {action}")
        return Hint(help, edit)
    return None


def _called(at: Place) -> Hint | None:
    """`-> call desk()`, `-> desk()`."""
    empty = re.match(r"\(\s*\)", at.after)
    if not empty or not (verb := re.match(rf"{_EVENTS}\s*(call\s+)?(\w+)\s*$", at.before)):
        return None
    edit = (at.start + verb.start(3), at.offset + empty.end(), verb[3] if verb[2] else f"call {verb[3]}")
    return Hint("an action is a verb and its object, without brackets: `call TOOL`", edit)


def _several_paths(at: Place) -> Hint | None:
    """`on x -> sorry or goodbye`."""
    if re.match(rf"{_EVENTS}\s*\w+\s+or\s+$", at.before):
        return Hint("each path has a line of its own, and all lines for one event run in order")
    return None


def _any_event(at: Place) -> Hint | None:
    """`on *.error -> …`."""
    if at.first == "on" and at.after.startswith("*"):
        return Hint("events are named: `on stt.error or llm.error -> …`; a failure without a reaction aborts the turn")
    return None


def _spoken(at: Place) -> Hint | None:
    """`-> say "Hello"`, `-> say("Hello") -> voice`."""
    verb = re.match(rf"{_EVENTS}\s*(say|speak|play|tell|announce)\s*$", at.before)
    text = re.match(r'\(?\s*("(?:[^"\\\n]|\\.)*")\s*\)?', at.after)
    if not verb or not text:
        return None
    is_file = verb[2] == "play"
    declared = f"node hint : say {{ text = {text[1]} }}"
    declared = f"node sound : play {{ file = file({text[1]}) }}" if is_file else declared
    name, target = ("sound", "egress.audio") if is_file else ("hint", "voice")
    edit = (at.start + len(at.indent), at.offset + text.end(), f"{declared}\n{at.indent}on {verb[1]} -> {name}")
    help = f"what is said is declared, and the path begins at it: `{declared}`, `-> {name} -> {target}`"
    return Hint(help, edit)


def _transferred(at: Place) -> Hint | None:
    """`-> transfer "sip:…"`."""
    if not re.match(rf"{_EVENTS}\s*(transfer|call|dial|forward)\s*$", at.before) or at.after[:1] not in ('"', "("):
        return None
    return Hint('whom to hand over to is a tool: `tool desk : transfer { to = "sip:…" }`, `-> call desk`')


def _word_too_many(at: Place) -> Hint | None:
    """`-> switch to support`."""
    found = re.search(r"->\s*(\w+)\s+(to|the|into|a)\s+$", at.before)
    if not found or not re.match(r"[a-z_]\w*", at.after):
        return None
    verb = "enter" if found[1] in ("switch", "go", "goto", "move", "change", "jump") else found[1]
    edit = (at.start + found.start(1), at.offset, f"{verb} ")
    return Hint(f"an action is a verb and its object: `{verb} …`", edit)


def _lone_action(at: Place) -> Hint | None:
    """`end session` as a line."""
    if re.match(rf"\s*{_ACTION}\s*(#|$)", at.line) and at.block in ("pipeline", "module"):
        return Hint(f"an action stands behind an event: `on NODE.EVENT -> {at.line.strip()}`")
    return None


REACTIONS: tuple[Rule, ...] = (
    _begins_otherwise, _after_a_time, _joined_events, _arrow_left_out, _key_of_the_keypad, _condition_behind,
    _two_actions, _called, _several_paths, _any_event, _spoken, _transferred, _word_too_many, _lone_action,
)  # fmt: skip
