"""The switchboard with reactions that look before they act, and that follow what the kernel decides."""

from __future__ import annotations

from dataclasses import replace

from plan_switchboard import switchboard
from units import MS, mask

from rspp_runtime.abi.budgets import PathBudget
from rspp_runtime.abi.codes import text_id
from rspp_runtime.abi.plan import Action, Check, Event, Mode, Plan, Policy, Reaction

STT, LLM, SORRY, HELLO, VOICE, EGRESS = 2, 4, 5, 6, 7, 8
IDLE, BARGE_IN, LLM_ERROR, LLM_TIMEOUT, VOICE_ERROR = 3, 4, 5, 6, 8
SWITCH, CIRCUIT, FAILED, CANCELLED, FELL_BACK, EXHAUSTED, SPOKEN, STARTED, DONE = range(9, 18)
OVER, ABORTED, OPENED, SHOWN, DEFERRED, COMMITTED, ERRED, WARNED = range(18, 26)
TEXT_ONLY, BRIEF, MUTE = 1, 2, 3


def _both(one: Check, two: Check, op: str = "and") -> tuple[Check, ...]:
    return one, two, Check(op)


def _events() -> tuple[Event, ...]:
    return (
        Event(SWITCH, "llm.provider_switch", LLM, -1, "PROVIDER_SWITCH"),
        Event(CIRCUIT, "voice.circuit_event", VOICE, -1, "CIRCUIT_EVENT"),
        Event(FAILED, "llm.provider_error", LLM, -1, "PROVIDER_ERROR"),
        Event(CANCELLED, "llm.cancel", LLM, -1, "CANCEL"),
        Event(FELL_BACK, "llm.fallback", LLM, -1, "FALLBACK"),
        Event(EXHAUSTED, "llm.budget_exhausted", LLM, -1),
        Event(SPOKEN, "sorry.playback_completed", SORRY, -1, "PLAYBACK_COMPLETED"),
        Event(STARTED, "voice.started", VOICE, -1),
        Event(DONE, "voice.done", VOICE, -1),
        Event(OVER, "turn.budget_exhausted", -2, -1),
        Event(ABORTED, "turn.abort", -2, -1, "ABORT"),
        Event(OPENED, "turn.turn_open", -2, -1, "TURN_OPEN"),
        Event(SHOWN, "egress.output_accepted", EGRESS, -1, "OUTPUT_ACCEPTED"),
        Event(DEFERRED, "session.defer", -1, -1, "DEFER"),
        Event(COMMITTED, "turn.commit", -2, -1, "COMMIT"),
        Event(ERRED, "turn.error", -2, -1, "ABORT"),
        Event(WARNED, "turn.budget_warning", -2, -1, "BUDGET_WARNING"),
    )


def _reactions(plan: Plan) -> tuple[Reaction, ...]:
    """Each guard holds now and then."""
    guards = {
        BARGE_IN: (Check(">=", "spoken", 3), Check(">", "speech", 400 * MS), Check("or")),
        IDLE: _both(Check(">=", "idles", 2), Check(">=", "idle", 100 * MS)),
        LLM_TIMEOUT: (Check(">", "attempts", 1),),
        LLM_ERROR: _both(Check("==", "outcome", 2), Check("==", "retryable", 0), "or"),
        VOICE_ERROR: (Check("<", "turn", 12),),
    }
    rows = [replace(row, guard=guards.get(row.event, ())) for row in plan.reactions]
    for event, verb, target, guard in (
        (BARGE_IN, "cancel_node", LLM, _both(Check("==", "turn", 3), Check("==", "origin", 0))),
        (SWITCH, "trigger", SORRY, _both(Check("==", "provider", 1), Check("==", "cause", 20))),
        (CIRCUIT, "degrade", 1, _both(Check("!=", "cause", 43), Check(">=", "attempts", 1))),
        (FAILED, "cancel_node", VOICE, _both(Check("==", "outcome", 1), Check("==", "provider", 0))),
        (CANCELLED, "cancel_node", LLM, ()),
        (FELL_BACK, "degrade", 1, (Check("==", "mode", 0),)),
        (EXHAUSTED, "trigger", SORRY, (Check("==", "origin", 1),)),
        (SPOKEN, "end_utterance", -1, _both(Check(">", "heard", 3), Check("==", "turn", 2))),
        (STARTED, "cancel_node", LLM, _both(Check("==", "attempts", 1), Check("==", "turn", 3))),
        (DONE, "trigger", SORRY, (Check(">", "elapsed", 120 * MS),)),
        (OVER, "degrade", 1, _both(Check("==", "mode", 0), Check("!=", "path", 3))),
        (OVER, "trigger", SORRY, (Check("==", "path", 1),)),
        (OVER, "cancel_node", LLM, (Check("==", "path", 3),)),
        (ABORTED, "trigger", SORRY, _both(Check("==", "cause", 5), Check("<", "turn", 9))),
        (OPENED, "end_utterance", -1, (Check("==", "turn", 5),)),
        (SHOWN, "cancel_turn", -1, _both(Check("==", "turn", 9), Check("==", "origin", 0))),
        (ABORTED, "enter", BRIEF, _both(Check("==", "cause", 1), Check(">", "turn", 2))),
        (COMMITTED, "enter", MUTE, _both(Check("==", "mode", BRIEF), Check(">", "turn", 3))),
        (OPENED, "enter", 0, (Check(">", "turn", 5),)),
        (SHOWN, "degrade", MUTE, (Check("==", "mode", TEXT_ONLY),)),
        (SWITCH, "degrade", MUTE, (Check("==", "mode", BRIEF),)),
        (DEFERRED, "cancel_node", VOICE, _both(Check("==", "cause", 13), Check(">", "turn", 2))),
        (ERRED, "trigger", SORRY, (Check(">=", "failures", 1),)),
        (WARNED, "enter", BRIEF, _both(Check("==", "turn", 6), Check("==", "path", 3))),
    ):
        rows.append(Reaction(id=len(rows), event=event, action=Action(verb, target), line=60 + len(rows), guard=guard))
    return tuple(rows)


def _paths() -> tuple[PathBudget, ...]:
    """To what is heard, to what is said, through all of it, and to what is thought."""
    spoken = mask(0, BRIEF)  # modes
    rows = (
        ("ingress.audio -> stt.final", 250, {"hears": True, "from_input_end": True, "ends_node": STT, "modes": 15}),
        (
            "stt.utterance -> voice.audio",
            500,
            {"pushed": mask(5), "ends_node": VOICE, "edges": mask(4, 5), "nodes": mask(LLM, VOICE), "modes": spoken},
        ),
        (
            "ears.speech -> egress.audio",
            900,
            {
                **{"pushed": mask(5), "hears": True, "from_input_end": True, "ends_edges": mask(0)},
                **{"edges": mask(0, 4, 5), "nodes": mask(LLM, VOICE), "modes": spoken},
            },
        ),
        (
            "stt.utterance -> llm.delta",
            350,
            {"pushed": mask(5), "ends_node": LLM, "edges": mask(5), "nodes": mask(LLM), "modes": 15},
        ),
    )
    return tuple(
        PathBudget(id=id, name=name, line=90 + id, limit_ns=ms * MS, warning_ns=ms * MS * 4 // 5, **more)  # type: ignore[arg-type]
        for id, (name, ms, more) in enumerate(rows)
    )


def attendant() -> Plan:
    """Listens before it is interrupted, and comments on its own troubles."""
    plan = switchboard()
    own: dict[str, dict[str, object]] = {
        "llm": {"event_exhausted": EXHAUSTED, "speakable_ns": 0},  # a model may think until the turn is over
        "voice": {"event_started": STARTED, "event_done": DONE},
    }
    llm = plan.nodes[LLM].attempts
    assert llm is not None
    own["llm"]["attempts"] = replace(
        llm,
        providers=(*llm.providers, "tiny", "private"),
        ranges=((0, 2), (0, 2), (2, 1), (0, 2), (3, 1), (3, 1), (2, 1), (3, 1)),
    )
    voice = plan.nodes[VOICE].attempts
    assert voice is not None
    own["voice"]["attempts"] = replace(
        voice, guards=((Check("!=", "region", text_id("eu")),), (Check("==", "mode", 0),), ())
    )
    stt = plan.nodes[STT].attempts
    assert stt is not None
    own["stt"] = {"attempts": replace(stt, guards=((Check("==", "tier", text_id("gold")),), ()))}
    nodes = tuple(replace(node, **own.get(node.name, {})) for node in plan.nodes)  # type: ignore[arg-type]
    return replace(
        plan,
        pipeline="stub_attendant",
        nodes=nodes,
        events=(*plan.events, *_events()),
        reactions=_reactions(plan),
        apology_ns=100 * MS,
        paths=_paths(),
        policies=(Policy("private", (Check("==", "tenant", text_id("acme")), Check("==", "tier", 0), Check("or"))),),
        modes=(
            *plan.modes,
            Mode(id=BRIEF, name="brief", nodes_off=0, edges_off=0),
            Mode(id=MUTE, name="mute", nodes_off=mask(HELLO, VOICE), edges_off=plan.modes[1].edges_off),
        ),
        control_step_max=plan.control_step_max + 3,
        control_out_max=plan.control_out_max + 12,
    )
