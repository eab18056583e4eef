"""What a timeline shows of a conversation, row by row."""

from __future__ import annotations

from html import escape

from rspp_runtime.evidence.facts import Conversation, Turn
from rspp_runtime.evidence.summary import heard_basis, letter_figures, letter_words
from rspp_runtime.evidence.timeline.canvas import WORD_PX, Canvas, Window, clock, short


def chart(conversation: Conversation, window: Window) -> Canvas:
    """All rows. Texts are escaped."""
    canvas = Canvas(window)
    canvas.background()
    _hearing(canvas, conversation)
    for index, turn in enumerate(conversation.turns):
        following = conversation.turns[index + 1].opened_ns if index + 1 < len(conversation.turns) else window.end_ns
        if canvas.shows(turn.opened_ns, turn.end_ns(conversation.end_ns)):
            _turn(canvas, conversation, turn, following)
    return canvas


def _hearing(canvas: Canvas, conversation: Conversation) -> None:
    for speech in conversation.speech:
        end_ns = speech.end_ns if speech.end_ns >= 0 else conversation.end_ns
        title = f"the user speaks, {clock(speech.start_ns)} to {clock(end_ns)}"
        canvas.bar("user", speech.start_ns, end_ns, "user", title, height=18)
        if speech.noticed_end_ns > speech.end_ns >= 0:
            waited = (speech.noticed_end_ns - speech.end_ns) / 1e6
            canvas.bar(
                "user", speech.end_ns, speech.noticed_end_ns, "user-soft", f"silence, {waited:.0f} ms", height=18
            )
        if speech.noticed_start_ns >= 0:
            told = f"start of speech noticed at {clock(speech.noticed_start_ns)}"
            canvas.tick("user", speech.noticed_start_ns, "ink", told, at=5, height=24)
        if speech.noticed_end_ns >= 0:
            told = f"end of speech noticed at {clock(speech.noticed_end_ns)}: the utterance ends here"
            canvas.tick("user", speech.noticed_end_ns, "ink", told, at=5, height=24)
    for partial in conversation.partials:
        canvas.tick("stt", partial.t_ns, "stt", f"partial at {clock(partial.t_ns)}: {partial.text}", height=12)
    for final in conversation.finals:
        x, y = canvas.x(final.t_ns), canvas.tops["stt"] + 14
        canvas.parts.append(
            f'<path d="M{x} {y - 8}l8 8l-8 8l-8 -8z" style="fill:var(--stt)">'
            f"<title>{escape(f'final at {clock(final.t_ns)}: {final.text}')}</title></path>"
        )
        if final.text:
            canvas.text("stt", final.t_ns, short(f"“{final.text}”", 70), at=39, css="b small", dx=-6)


def _turn(canvas: Canvas, conversation: Conversation, turn: Turn, following_ns: int) -> None:
    """One turn; texts end before `following_ns`, where the next one begins."""
    plan = conversation.plan
    end_ns = turn.end_ns(conversation.end_ns)
    color = "cut" if turn.outcome == "abort" else "turn"
    label = f"turn {turn.serial} · {turn.outcome or 'open'}" + (f" ({turn.cause})" if turn.cause else "")
    if turn.heard_basis:
        label += f" · heard {turn.words_heard} words ({heard_basis(turn)})"
    canvas.bar(
        "turn",
        turn.opened_ns,
        end_ns,
        color,
        f"{label}, {clock(turn.opened_ns)} to {clock(end_ns)}",
        at=7,
        height=5,
    )
    canvas.text(
        "turn", max(turn.opened_ns, canvas.window.start_ns), label, at=28, css="small b", style=f"fill:var(--{color})"
    )
    for node in plan.nodes:
        if node.name in turn.first_ns and node.kind in ("llm", "tts"):
            row = "llm" if node.kind == "llm" else "voice"
            fed_ns = turn.first_fed_ns.get(node.name, turn.first_ns[node.name])
            last_ns = turn.last_ns[node.name]
            waited = (turn.first_ns[node.name] - fed_ns) / 1e6
            title = f"{node.name}: first output {waited:.0f} ms after its input; until {clock(last_ns)}"
            canvas.bar(row, fed_ns, last_ns, row, title, height=12, extra='opacity="0.35"')
            canvas.tick(row, turn.first_ns[node.name], row, f"{node.name}: first output", at=5, height=18)
        elif node.name in turn.first_fed_ns and node.kind in ("llm", "tts"):
            _silent(canvas, turn, "llm" if node.kind == "llm" else "voice", node.name, end_ns)
    for tool in turn.tools:
        until_ns = tool.end_ns if tool.end_ns >= 0 else end_ns
        told = f"{tool.name}({tool.arguments}): {(until_ns - tool.start_ns) / 1e6:.0f} ms: {tool.answer or 'no answer'}"
        canvas.bar("llm", tool.start_ns, until_ns, "turn" if tool.end_ns >= 0 else "cut", told, at=5, height=4)
    for delta in turn.deltas:
        canvas.tick("llm", delta.t_ns, "llm", f"{delta.text.strip() or 'a word'} at {clock(delta.t_ns)}", height=12)
    if turn.deltas and turn.deltas[0].text:
        written = "".join(delta.text for delta in turn.deltas).strip()
        room = (canvas.x(max(following_ns, turn.closed_ns)) - canvas.x(turn.deltas[0].t_ns)) // WORD_PX
        canvas.text("llm", turn.deltas[0].t_ns, short(f"“{written}”", max(24, room)), at=37, css="small soft")
    for letter in conversation.letters:
        if letter.turn == turn.serial:
            canvas.tick("turn", letter.t_ns, "cut", letter_words(letter_figures(letter)), at=3, height=13)
    _playback(canvas, turn, following_ns)
    _fence(canvas, turn)
    _budget(canvas, conversation, turn)


def _silent(canvas: Canvas, turn: Turn, row: str, name: str, end_ns: int) -> None:
    """A node that was given something and never answered: until its budget was spent, or the turn ended."""
    fed_ns = turn.first_fed_ns[name]
    gave_up_ns = min((t_ns for t_ns, spent in turn.budget_exhausted if spent == name), default=end_ns)
    waited = f"{(gave_up_ns - fed_ns) / 1e6:.0f} ms"
    canvas.bar(row, fed_ns, gave_up_ns, "cut", f"{name}: no output in {waited}", height=12, extra='opacity="0.45"')
    canvas.text(
        row, fed_ns, f"nothing in {waited}", at=37 if row == "llm" else 33, css="small", style="fill:var(--cut)"
    )


def _playback(canvas: Canvas, turn: Turn, following_ns: int) -> None:
    """What was heard, and what was synthesised and sent but never heard; each word where it was, or would have been."""
    stop_ns = turn.silent_ns if turn.silent_ns >= 0 else None
    for start_ns, end_ns in _runs(turn):
        heard_to = end_ns if stop_ns is None else min(end_ns, stop_ns)
        if heard_to > start_ns:
            canvas.bar("play", start_ns, heard_to, "play", f"played {clock(start_ns)} to {clock(heard_to)}", height=20)
        if heard_to < end_ns:
            cut_from = max(start_ns, heard_to)
            canvas.bar("play", cut_from, end_ns, "cut", "sent, and taken back before it was played", height=20,
                       extra='opacity="0.45"')  # fmt: skip
    words, known = turn.words, 0
    free_x = [0, 0]  # of the two lines of words: from where each is free
    for item in turn.played:
        if item.end_ns < canvas.window.start_ns:
            known = max(known, item.words)
        while known < item.words:
            word = words[known] if known < len(words) else "·"
            heard = known < turn.words_heard
            css = "small" if heard else "small soft"
            style = "" if heard else "fill:var(--cut);text-decoration:line-through"
            width = WORD_PX * len(word)
            line = 0 if free_x[0] <= free_x[1] or canvas.x(item.end_ns) - width >= free_x[0] else 1
            left = max(canvas.x(item.end_ns) - width, free_x[line])
            free_x[line] = left + width + WORD_PX
            canvas.text("play", item.end_ns, word, at=44 + 13 * line, css=css, dx=left - canvas.x(item.end_ns),
                        style=style)  # fmt: skip
            known += 1
    rest = len(words) - known
    if rest > 0 and turn.played:
        last_ns = turn.played[-1].end_ns
        ending = f" ({rest} words never spoken)"
        room = (canvas.x(following_ns) - canvas.x(last_ns)) // WORD_PX - len(ending)
        told = short(" ".join(words[known:]), max(12, room))
        canvas.text("play", last_ns, told + ending, at=72, css="small", dx=-14, style="fill:var(--cut)")


def _runs(turn: Turn) -> list[tuple[int, int]]:
    """Items that play without a gap, joined."""
    runs: list[tuple[int, int]] = []
    for item in turn.played:
        if runs and item.start_ns - runs[-1][1] < 1_000_000:
            runs[-1] = (runs[-1][0], item.end_ns)
        else:
            runs.append((item.start_ns, item.end_ns))
    return runs


def _fence(canvas: Canvas, turn: Turn) -> None:
    if turn.cancel_ns >= 0:
        lag = f" · silent {(turn.silent_ns - turn.cancel_ns) / 1e6:.1f} ms later" if turn.silent_ns >= 0 else ""
        canvas.rule(turn.cancel_ns, "cut", f"interrupted at {clock(turn.cancel_ns)}{lag}", f"interrupted{lag}")
    for refusal in turn.refusals:
        x, y = canvas.x(refusal.t_ns), canvas.tops["fence"] + 15
        where = "at the fence" if refusal.fence else "at the door"
        title = f"{refusal.node}: {refusal.size} bytes refused {where}, {clock(refusal.t_ns)}"
        canvas.parts.append(
            f'<path d="M{x - 4} {y - 4}l8 8m0 -8l-8 8" style="stroke:var(--cut);stroke-width:2">'
            f"<title>{escape(title)}</title></path>"
        )
    parts = []
    if turn.refusals:
        parts.append(f"{len(turn.refusals)} refused")
    if turn.flushed_frames:
        parts.append(f"{turn.flushed_frames} frames taken back")
    if parts and turn.cancel_ns >= 0:
        canvas.text("fence", turn.cancel_ns, ", ".join(parts), at=19, css="small", dx=14, style="fill:var(--cut)")


def _budget(canvas: Canvas, conversation: Conversation, turn: Turn) -> None:
    """From the end of input to playback, against the turn's budget."""
    budget_ns = conversation.plan.turn_ns
    if not budget_ns or turn.input_end_ns < 0:
        return
    x, y = canvas.x(turn.input_end_ns), canvas.tops["budget"] + 9
    width = canvas.x(turn.input_end_ns + budget_ns) - x
    canvas.parts.append(
        f'<rect x="{x}" y="{y}" width="{width}" height="12" rx="4" fill="none" stroke-dasharray="4 3" '
        f'style="stroke:var(--turn)"><title>budget of the turn: {budget_ns / 1e9:g} s</title></rect>'
    )
    if turn.playback_ns >= 0:
        used = 100 * (turn.playback_ns - turn.input_end_ns) / budget_ns
        took = (turn.playback_ns - turn.input_end_ns) / 1e6
        canvas.bar("budget", turn.input_end_ns, turn.playback_ns, "play", f"{took:.0f} ms to playback", at=9, height=12)
        canvas.text("budget", turn.input_end_ns, f"{took:.0f} ms, {used:.0f} % of {budget_ns / 1e9:g} s", at=34,
                    css="small soft")  # fmt: skip
    for t_ns, name in turn.budget_exhausted:
        canvas.tick("budget", t_ns, "cut", f"budget of {name} exhausted at {clock(t_ns)}", at=4, height=22)
