"""Events and actions that there are not: what is said of them, and what they were meant to be."""

from __future__ import annotations

from collections.abc import Mapping

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import guess
from rspp_compiler.diagnostics.nearest import nearest, related
from rspp_compiler.ir import ast
from rspp_compiler.sema.language import foreign
from rspp_compiler.sema.language.catalog import ACTIONS
from rspp_compiler.sema.language.events import SESSION_EVENTS, TURN_EVENTS
from rspp_compiler.sema.names.scope import Scope
from rspp_compiler.sema.reading.values import listed
from rspp_compiler.source import Span

_EVERY = tuple(f"{verb} {object}" for verb, objects in ACTIONS.items() for object in objects)
_NOTES = (f"actions: {listed(_EVERY)}; or a path, `-> NODE -> …`",)


def unknown_event(scope: Scope, id: str, shown: str, event: ast.Name, known: tuple[str, ...], at: Span) -> None:
    """E0206 of `event`, which the node `id`, in the source `shown`, does not have. `at` is the whole of it."""
    word = event.text
    node = scope.nodes.get(id.removeprefix(scope.prefix))
    meant = foreign.first(foreign.EVENTS, word, known) or nearest(word, known) or related(word, known)
    if node and any(port.name == word for port in node.outputs):
        help = f"`{word}` is an output: what comes out of it flows, `{shown}.{word} -> …`"
        help += f"; an event is `{meant}`" if meant else ""
        fix = guess(Fix(event.span, meant) if meant else scope.without_line(at))
    elif meant:
        help, fix = f"did you mean `{meant}`?", Fix(event.span, meant)
    else:
        help, fix = "name one of these", guess(scope.without_line(at))
    scope.ctx.sink.add(
        "E0206",
        f"`{shown}` has no event `{word}`",
        event.span,
        notes=(f"events of `{shown}`: {listed(known)}",),
        help=help,
        fix=fix,
    )


def lone_event(scope: Scope, ref: ast.Ref) -> None:
    """E0206 of an event without what it is one of: `on barge_in -> …`."""
    word = ref.text
    subjects = {"session": SESSION_EVENTS, "turn": TURN_EVENTS}
    nodes = [id for id, node in scope.nodes.items() if word in node.events]
    having = nodes or [subject for subject, events in subjects.items() if word in events]
    meant = f"{having[0]}.{word}" if len(having) == 1 else ""
    if not having and (event := foreign.first(foreign.EVENTS, word, SESSION_EVENTS)):
        meant = f"session.{event}"
    help = f"did you mean `{meant}`?" if meant else "an event is written `NODE.EVENT`"
    notes = (f"{listed(having)} have it",) if len(having) > 1 else ()
    fix = Fix(ref.span, meant) if meant else guess(scope.without_line(ref.span))
    scope.ctx.sink.add("E0206", f"`{word}` is not an event", ref.span, notes=notes, help=help, fix=fix)


def unknown_action(scope: Scope, action: ast.Action, names: Mapping[str, tuple[str, ...]]) -> None:
    """E0802 of a verb that there is not. `names` are those of modes and tools."""
    verb, object = action.verb.text, action.object.text
    own = foreign.VERBS.get(verb.lower(), "")
    whole = foreign.ACTIONS.get(f"{verb}_{object}".lower()) or foreign.ACTIONS.get(verb.lower(), "")
    near = nearest(verb, ACTIONS)
    if own and _takes(scope, own, object, names):
        help, fix = f"did you mean `{own} {object}`?", Fix(action.verb.span, own)
    elif near:
        help, fix = f"did you mean `{near}`?", Fix(action.verb.span, near)
    elif whole in _EVERY:
        help, fix = f"did you mean `{whole}`?", Fix(action.span, whole)
    elif own and not whole:
        what = " or ".join(f"`{own} {one}`" for one in ACTIONS[own])
        help, fix = f"write {what}", guess(scope.without_line(action.span))
    else:
        help, fix = whole or "choose one of these", guess(scope.without_line(action.span))
    scope.ctx.sink.add("E0802", f"no action `{verb}`", action.verb.span, notes=_NOTES, help=help, fix=fix)


def is_lone_action(scope: Scope, ref: ast.Ref, modes: tuple[str, ...], tools: tuple[str, ...]) -> bool:
    """Whether a reaction ends in one word that is no node, and an action to others: `-> hangup`. Reported (E0802).

    The name of a mode, or of a tool, lacks its verb.
    """
    word = ref.text
    is_known = word in scope.nodes or word in scope.instances or scope.is_lost(word)
    whole = "" if is_known else foreign.ACTIONS.get(word.lower(), "")
    objects = () if is_known else ACTIONS.get(word, ())
    verb = "" if is_known else "call" if word in tools else "enter" if word in modes else ""
    message = f"no action `{word}`"
    if verb:
        message = f"`{word}` is a {'tool' if verb == 'call' else 'mode'}, and no node"
        help, fix = f"did you mean `{verb} {word}`?", Fix(ref.span, f"{verb} {word}")
    elif objects:
        help = f"say what: {' or '.join(f'`{word} {object}`' for object in objects)}"
        fix = guess(Fix(ref.span, f"{word} {objects[0]}"))
    elif whole in _EVERY:
        help, fix = f"did you mean `{whole}`?", Fix(ref.span, whole)
    elif whole:
        help, fix = whole, guess(scope.without_line(ref.span))
    else:
        return False
    scope.ctx.sink.add("E0802", message, ref.span, notes=_NOTES, help=help, fix=fix)
    return True


def _takes(scope: Scope, verb: str, object: str, names: Mapping[str, tuple[str, ...]]) -> bool:
    sorts = ACTIONS[verb]
    is_node = "NODE" in sorts and object.partition(".")[0] in (*scope.nodes, *scope.instances)
    return is_node or object in sorts or any(object in names.get(sort, ()) for sort in sorts)
