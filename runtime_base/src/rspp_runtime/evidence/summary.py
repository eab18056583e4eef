"""The table of a turn, as rows of (what, value); and the same as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rspp_runtime.evidence import overhead
from rspp_runtime.evidence.facts import Conversation, Letter, Turn

MS_NS = 1_000_000


def figures(conversation: Conversation, turn: Turn) -> dict[str, Any]:
    """Everything measured about a turn; times in milliseconds, absent where the thing did not happen."""
    plan = conversation.plan
    start_ns = turn.input_end_ns
    out: dict[str, Any] = {
        "turn": turn.serial,
        "origin": turn.origin,
        "outcome": turn.outcome,
        "cause": turn.cause,
        "asked": turn.asked,
        "said": turn.said.decode("utf-8", "replace").strip() or turn.shown.decode("utf-8", "replace").strip(),
        "plan_hash": turn.plan_hash,
        "refused_outputs": len(turn.refusals),
        "refused_frames": sum(1 for refusal in turn.refusals if refusal.node in _voices(conversation)),
        "flushed_frames": turn.flushed_frames,
        "memory_bytes": conversation.stats.get("memory_bytes", plan.memory_bytes),
        "edges_high": {plan.edges[edge].name: high for edge, high in sorted(turn.edges_high.items())},
        "budget_exhausted": [name for _, name in turn.budget_exhausted],
    }
    stages = {}
    if turn.final_ns >= 0 and turn.origin == "speech":
        recogniser = plan.nodes[plan.recogniser].name if plan.recogniser >= 0 else "text"
        stages[recogniser] = _ms(turn.final_ns - start_ns)
    for node in plan.nodes:
        if node.name in turn.first_ns:
            stages[node.name] = _ms(turn.first_ns[node.name] - start_ns)
    out["first_output_ms"] = stages
    if turn.playback_ns >= 0:
        first_ns = turn.playback_ns
        out["end_to_end_ms"] = _ms(first_ns - start_ns)
        if plan.turn_ns:
            out["budget_used_percent"] = round(100 * (first_ns - start_ns) / plan.turn_ns, 1)
        if turn.speech_end_ns >= 0:
            out["speech_to_playback_ms"] = _ms(first_ns - turn.speech_end_ns)
    if turn.words_heard or turn.played:
        out["words_said"], out["words_heard"] = turn.said_words, turn.words_heard
        out["heard"], out["heard_basis"] = turn.heard_text, turn.heard_basis or "paced"
        out["heard_error_ms"] = turn.heard_error_ms
    letters = [letter for letter in conversation.letters if letter.turn == turn.serial]
    if letters:
        out["dead_letters"] = [letter_figures(letter) for letter in letters]
    if turn.pauses:
        out["pauses"] = turn.pauses
    out["overhead"] = turn.overhead.record({node.id: node.name for node in plan.nodes})
    if turn.cancel_ns >= 0 and turn.silent_ns >= 0:
        out["cancel_to_silence_ms"] = _ms(turn.silent_ns - turn.cancel_ns)
        onsets = [speech.start_ns for speech in conversation.speech if speech.noticed_start_ns == turn.cancel_ns]
        if onsets:
            out["onset_to_silence_ms"] = _ms(turn.silent_ns - onsets[-1])
    return out


def letter_figures(letter: Letter) -> dict[str, Any]:
    """One dead letter as data; `text` only where it was kept."""
    row: dict[str, Any] = {"node": letter.node, "cause": letter.cause, "seq": letter.seq}
    return row | ({"text": letter.text} if letter.text else {})


def letter_words(row: Mapping[str, Any]) -> str:
    """`find could not work on “where?” (node_timeout)`."""
    what = f"“{row['text']}”" if "text" in row else f"item {row['seq']}"
    return f"{row['node']} could not work on {what} ({row['cause']})"


def heard_basis(turn: Turn) -> str:
    """`acked ± 120 ms`: by what it is known what was heard, and how far that may be off."""
    return f"{turn.heard_basis} ± {turn.heard_error_ms} ms"


def broken_assumptions(conversation: Conversation) -> list[str]:
    """One line for each assumption that the run broke: its id, what was observed, and the limit."""
    return [f"assumption broken: {conversation.broken[id]}" for id in sorted(conversation.broken)]


def over_budget(conversation: Conversation, most_ns: int) -> list[str]:
    """One line for each turn in which a step took the kernel itself longer than `most_ns` (`rspp run --overhead`)."""
    return [
        f"overhead: a step of turn {turn.serial} took the kernel {overhead.ms(turn.overhead.longest_ns):g} ms, "
        f"more than {overhead.ms(most_ns):g} ms"
        for turn in conversation.turns
        if turn.overhead.longest_ns > most_ns
    ]


def rows(conversation: Conversation, turn: Turn) -> list[tuple[str, str]]:
    """The table that `rspp run` prints for one turn."""
    known = figures(conversation, turn)
    plan = conversation.plan
    out: list[tuple[str, str]] = []
    if known["asked"]:
        out.append(("the user", f"“{known['asked']}”"))
    if known["said"]:
        out.append(("the answer", f"“{known['said']}”"))
    ends = known["outcome"] + (f" ({known['cause']})" if known["cause"] else "")
    out.append(("outcome", ends or "still open"))
    for name, ms in known["first_output_ms"].items():
        what = "final" if plan.recogniser >= 0 and name == plan.nodes[plan.recogniser].name else "first output"
        out.append((f"{name} {what}", f"{ms:.0f} ms after the end of input"))
    if "end_to_end_ms" in known:
        out.append(("end to end", f"{known['end_to_end_ms']:.0f} ms from the end of input to playback"))
    if "speech_to_playback_ms" in known:
        out.append(("", f"{known['speech_to_playback_ms']:.0f} ms from the last of the user's speech to playback"))
    if "budget_used_percent" in known:
        out.append(("budget used", f"{known['budget_used_percent']:.0f} % of {plan.turn_ns / 1e9:g} s"))
    for name in known["budget_exhausted"]:
        out.append(("budget exhausted", name))
    if "cancel_to_silence_ms" in known:
        out.append(("cancel to silence", f"{known['cancel_to_silence_ms']:.1f} ms from noticing the user to silence"))
        if "onset_to_silence_ms" in known:
            out.append(("", f"{known['onset_to_silence_ms']:.0f} ms from the user's first sound"))
        frames = f"{_count(known['flushed_frames'], 'frame')} taken back unplayed"
        out.append(("the fence", f"{_count(known['refused_frames'], 'frame')} refused, {frames}"))
    for index, letter in enumerate(known.get("dead_letters", ())):
        out.append(("dead letters" if index == 0 else "", letter_words(letter)))
    if "pauses" in known:
        out.append(("paused", _count(known["pauses"], "time")))
    if "words_heard" in known:
        basis = f" ({heard_basis(turn)})" if turn.heard_basis else ""
        out.append(("words heard", f"{known['words_heard']} of {known['words_said']}{basis}"))
        if known["words_heard"] < known["words_said"] and known["heard"]:
            out.append(("", f"“{known['heard']} …”"))
    highs = [(name, high) for name, high in known["edges_high"].items() if high]
    by_name = {edge.name: edge.items_max for edge in plan.edges}
    for index, (name, high) in enumerate(highs):
        out.append(("fullest edges" if index == 0 else "", f"{high:>3} of {by_name[name]:<4} {name}"))
    own = known["overhead"]
    longest = f"the longest {own['longest_step_ms']:.2f} ms"
    out.append(("the kernel itself", f"{own['kernel_ms']:.1f} ms in {_count(own['steps'], 'step')}, {longest}"))
    for index, (name, took) in enumerate(own["nodes_ms"].items()):
        out.append(("called in steps" if index == 0 else "", f"{name} {took:.1f} ms"))
    out.append(("plan hash", known["plan_hash"][:16] + "…"))
    out.append(("memory", f"{known['memory_bytes'] / 1000:.0f} kB a session"))
    return out


def _voices(conversation: Conversation) -> set[str]:
    mask = conversation.plan.speech_nodes
    return {node.name for node in conversation.plan.nodes if mask >> node.id & 1}


def _ms(ns: int) -> float:
    return round(ns / MS_NS, 1)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
