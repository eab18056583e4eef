"""Draws a conversation: one self-contained HTML file with an inline SVG, to be looked at and passed on.

Everything that comes from a conversation is escaped; nothing is loaded from anywhere.
"""

from __future__ import annotations

from html import escape

from rspp_runtime.evidence.entries import Header
from rspp_runtime.evidence.facts import Conversation, Turn
from rspp_runtime.evidence.summary import broken_assumptions, rows
from rspp_runtime.evidence.timeline_style import CSS, LEGEND

PX_PER_S = 150
SECOND_NS = 1_000_000_000
WIDTH_MIN = 900
PAD = 18
LONGEST_S = 600  # beyond it the picture is cut, and says so

# The rows, from top to bottom: key, title, what it shows, height.
ROWS = (
    ("user", "user", "speech", 46),
    ("stt", "recogniser", "partial, final", 46),
    ("turn", "turn", "one response", 40),
    ("llm", "model", "words", 44),
    ("voice", "voice", "synthesis", 40),
    ("play", "playback", "heard, cut off", 90),
    ("fence", "fence", "what it refused", 44),
    ("budget", "budget", "to first output", 46),
)
TOP = 46  # the axis, and the labels of what runs through all rows
WORD_PX = 6  # of a letter, about


class _Canvas:
    """SVG in the making; x in nanoseconds."""

    def __init__(self, end_ns: int) -> None:
        self.end_ns = end_ns
        self.width = max(WIDTH_MIN, self.x(end_ns) + 3 * PAD)
        self.tops: dict[str, int] = {}
        y = TOP
        for key, _, _, height in ROWS:
            self.tops[key] = y
            y += height
        self.height = y + 8
        self.parts: list[str] = []

    def x(self, ns: int) -> int:
        return round(PAD + ns / SECOND_NS * PX_PER_S)

    def bar(self, row: str, start_ns: int, end_ns: int, color: str, title: str, *, at: int = 8, height: int = 16,
            extra: str = "") -> None:  # fmt: skip
        x, width = self.x(start_ns), max(3, self.x(end_ns) - self.x(start_ns))
        self.parts.append(
            f'<rect x="{x}" y="{self.tops[row] + at}" width="{width}" height="{height}" rx="4" '
            f'style="fill:var(--{color})" {extra}><title>{escape(title)}</title></rect>'
        )

    def tick(self, row: str, ns: int, color: str, title: str, *, at: int = 8, height: int = 16) -> None:
        self.parts.append(
            f'<rect x="{self.x(ns) - 1}" y="{self.tops[row] + at}" width="2" height="{height}" '
            f'style="fill:var(--{color})"><title>{escape(title)}</title></rect>'
        )

    def text(self, row: str, ns: int, text: str, *, at: int, css: str = "", dx: int = 0, style: str = "") -> None:
        self.parts.append(
            f'<text x="{self.x(ns) + dx}" y="{self.tops[row] + at}" class="{css}" style="{style}">{escape(text)}</text>'
        )

    def rule(self, ns: int, color: str, title: str, label: str, *, dash: str = "5 4") -> None:
        x = self.x(ns)
        self.parts.append(
            f'<line x1="{x}" x2="{x}" y1="{TOP - 22}" y2="{self.height - 8}" stroke-dasharray="{dash}" '
            f'style="stroke:var(--{color});stroke-width:1.5"><title>{escape(title)}</title></line>'
            f'<text x="{x + 6}" y="{TOP - 12}" class="b small" style="fill:var(--{color})">{escape(label)}</text>'
        )


def draw(conversation: Conversation, header: Header) -> str:
    """The whole page."""
    end_ns = max(SECOND_NS, min(conversation.end_ns, LONGEST_S * SECOND_NS))
    canvas = _Canvas(end_ns)
    _background(canvas)
    _hearing(canvas, conversation)
    for index, turn in enumerate(conversation.turns):
        following = conversation.turns[index + 1].opened_ns if index + 1 < len(conversation.turns) else end_ns
        if turn.opened_ns <= end_ns:
            _turn(canvas, conversation, turn, following)
    svg = (
        f'<svg width="{canvas.width}" height="{canvas.height}" viewBox="0 0 {canvas.width} {canvas.height}" role="img" '
        f'aria-label="timeline of the conversation">{"".join(canvas.parts)}</svg>'
    )
    names = "".join(
        f'<div style="top:{canvas.tops[key] + 7}px">{title}<small>{what}</small></div>' for key, title, what, _ in ROWS
    )
    legend = "".join(f'<span class="{css}" style="--c:var(--{color})">{text}</span>' for color, css, text in LEGEND)
    broken = "".join(f'<p class="broken">{escape(line)}</p>' for line in broken_assumptions(conversation))
    cut = f"<span>only the first {LONGEST_S} s are drawn</span>" if conversation.end_ns > end_ns else ""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(header.pipeline)}: timeline</title><style>{CSS}</style></head><body>"
        f"<header><h1>{escape(header.pipeline)} <small>{escape(header.pipeline_version)}</small></h1>"
        f'<span class="meta">session <code>{escape(header.session_id)}</code> · template '
        f"<code>{escape(header.template_hash[:16])}</code> · {escape(header.kernel)} kernel · recorded at "
        f"{escape(header.level)}</span></header>"
        f'<div class="card chart"><div class="names" style="height:{canvas.height}px">{names}</div>'
        f'<div class="scroll">{svg}</div></div><div class="legend">{legend}{cut}</div>{broken}'
        f'<div class="turns">{"".join(_table(conversation, turn) for turn in conversation.turns)}</div>'
        f"</body></html>\n"
    )


def _background(canvas: _Canvas) -> None:
    """Bands, the time axis, a line for each second."""
    for index, (key, _, _, height) in enumerate(ROWS):
        if index % 2 == 0:
            canvas.parts.append(
                f'<rect x="0" y="{canvas.tops[key]}" width="{canvas.width}" height="{height}" '
                f'style="fill:var(--band)"/>'
            )
    for second in range(canvas.end_ns // SECOND_NS + 1):
        x = canvas.x(second * SECOND_NS)
        canvas.parts.append(
            f'<line class="grid" x1="{x}" x2="{x}" y1="{TOP - 26}" y2="{canvas.height - 8}"/>'
            f'<text x="{x}" y="12" text-anchor="middle" class="soft small">{second} s</text>'
        )


def _hearing(canvas: _Canvas, conversation: Conversation) -> None:
    for speech in conversation.speech:
        end_ns = speech.end_ns if speech.end_ns >= 0 else conversation.end_ns
        title = f"the user speaks, {_s(speech.start_ns)} to {_s(end_ns)}"
        canvas.bar("user", speech.start_ns, end_ns, "user", title, height=18)
        if speech.noticed_end_ns > speech.end_ns >= 0:
            waited = (speech.noticed_end_ns - speech.end_ns) / 1e6
            canvas.bar(
                "user", speech.end_ns, speech.noticed_end_ns, "user-soft", f"silence, {waited:.0f} ms", height=18
            )
        if speech.noticed_start_ns >= 0:
            told = f"start of speech noticed at {_s(speech.noticed_start_ns)}"
            canvas.tick("user", speech.noticed_start_ns, "ink", told, at=5, height=24)
        if speech.noticed_end_ns >= 0:
            told = f"end of speech noticed at {_s(speech.noticed_end_ns)}: the utterance ends here"
            canvas.tick("user", speech.noticed_end_ns, "ink", told, at=5, height=24)
    for partial in conversation.partials:
        canvas.tick("stt", partial.t_ns, "stt", f"partial at {_s(partial.t_ns)}: {partial.text}", height=12)
    for final in conversation.finals:
        x, y = canvas.x(final.t_ns), canvas.tops["stt"] + 14
        canvas.parts.append(
            f'<path d="M{x} {y - 8}l8 8l-8 8l-8 -8z" style="fill:var(--stt)">'
            f"<title>{escape(f'final at {_s(final.t_ns)}: {final.text}')}</title></path>"
        )
        if final.text:
            canvas.text("stt", final.t_ns, _short(f"“{final.text}”", 70), at=39, css="b small", dx=-6)


def _turn(canvas: _Canvas, conversation: Conversation, turn: Turn, following_ns: int) -> None:
    """One turn; texts end before `following_ns`, where the next one begins."""
    plan = conversation.plan
    end_ns = turn.closed_ns if turn.closed_ns >= 0 else conversation.end_ns
    color = "cut" if turn.outcome == "abort" else "turn"
    label = f"turn {turn.serial} · {turn.outcome or 'open'}" + (f" ({turn.cause})" if turn.cause else "")
    canvas.bar("turn", turn.opened_ns, end_ns, color, f"{label}, {_s(turn.opened_ns)} to {_s(end_ns)}", at=7, height=5)
    canvas.text("turn", turn.opened_ns, label, at=28, css="small b", style=f"fill:var(--{color})")
    for node in plan.nodes:
        if node.name in turn.first_ns and node.kind in ("llm", "tts"):
            row = "llm" if node.kind == "llm" else "voice"
            fed_ns = turn.first_fed_ns.get(node.name, turn.first_ns[node.name])
            last_ns = turn.last_ns[node.name]
            waited = (turn.first_ns[node.name] - fed_ns) / 1e6
            title = f"{node.name}: first output {waited:.0f} ms after its input; until {_s(last_ns)}"
            canvas.bar(row, fed_ns, last_ns, row, title, height=12, extra='opacity="0.35"')
            canvas.tick(row, turn.first_ns[node.name], row, f"{node.name}: first output", at=5, height=18)
    for delta in turn.deltas:
        canvas.tick("llm", delta.t_ns, "llm", f"{delta.text.strip() or 'a word'} at {_s(delta.t_ns)}", height=12)
    if turn.deltas and turn.deltas[0].text:
        written = "".join(delta.text for delta in turn.deltas).strip()
        room = (canvas.x(max(following_ns, turn.closed_ns)) - canvas.x(turn.deltas[0].t_ns)) // WORD_PX
        canvas.text("llm", turn.deltas[0].t_ns, _short(f"“{written}”", max(24, room)), at=37, css="small soft")
    _playback(canvas, turn, following_ns)
    _fence(canvas, turn)
    _budget(canvas, conversation, turn)


def _playback(canvas: _Canvas, turn: Turn, following_ns: int) -> None:
    """What was heard, and what was synthesised and sent but never heard; each word where it was, or would have been."""
    stop_ns = turn.silent_ns if turn.silent_ns >= 0 else None
    for start_ns, end_ns in _runs(turn):
        heard_to = end_ns if stop_ns is None else min(end_ns, stop_ns)
        if heard_to > start_ns:
            canvas.bar("play", start_ns, heard_to, "play", f"played {_s(start_ns)} to {_s(heard_to)}", height=20)
        if heard_to < end_ns:
            cut_from = max(start_ns, heard_to)
            canvas.bar("play", cut_from, end_ns, "cut", "sent, and taken back before it was played", height=20,
                       extra='opacity="0.45"')  # fmt: skip
    words, known = turn.words, 0
    free_x = [0, 0]  # of the two lines of words: from where each is free
    for item in turn.played:
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
        told = _short(" ".join(words[known:]), max(12, room))
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


def _fence(canvas: _Canvas, turn: Turn) -> None:
    if turn.cancel_ns >= 0:
        lag = f" · silent {(turn.silent_ns - turn.cancel_ns) / 1e6:.1f} ms later" if turn.silent_ns >= 0 else ""
        canvas.rule(turn.cancel_ns, "cut", f"interrupted at {_s(turn.cancel_ns)}{lag}", f"interrupted{lag}")
    for refusal in turn.refusals:
        x, y = canvas.x(refusal.t_ns), canvas.tops["fence"] + 15
        where = "at the fence" if refusal.fence else "at the door"
        title = f"{refusal.node}: {refusal.size} bytes refused {where}, {_s(refusal.t_ns)}"
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


def _budget(canvas: _Canvas, conversation: Conversation, turn: Turn) -> None:
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
        canvas.tick("budget", t_ns, "cut", f"budget of {name} exhausted at {_s(t_ns)}", at=4, height=22)


def _table(conversation: Conversation, turn: Turn) -> str:
    pill = f'<span class="pill {escape(turn.outcome)}">{escape(turn.outcome or "open")}</span>'
    asked = f'<p class="asked">“{escape(turn.asked)}”</p>' if turn.asked else ""
    said = ""
    if turn.heard_text or turn.cut_text:
        said = f'<p class="words">{escape(turn.heard_text)} <span class="cut">{escape(turn.cut_text)}</span></p>'
    told = [(what, value) for what, value in rows(conversation, turn) if what not in ("the user", "the answer")]
    lines = "".join(f"<tr><td>{escape(what)}</td><td>{escape(value)}</td></tr>" for what, value in told)
    return f'<section class="card"><h2>Turn {turn.serial}{pill}</h2>{asked}{said}<table>{lines}</table></section>'


def _s(ns: int) -> str:
    return f"{ns / SECOND_NS:.3f} s"


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
