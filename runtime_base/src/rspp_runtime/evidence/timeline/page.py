"""A timeline as a page or as a picture: one self-contained file, to be looked at and passed on.

Everything that comes from a conversation is escaped; nothing is loaded from anywhere.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

from rspp_runtime.evidence.entries import Header
from rspp_runtime.evidence.facts import Conversation, Turn
from rspp_runtime.evidence.summary import broken_assumptions, rows
from rspp_runtime.evidence.timeline.canvas import LONGEST_S, PAD, ROWS, SECOND_NS, Window
from rspp_runtime.evidence.timeline.chart import chart
from rspp_runtime.evidence.timeline.style import CSS, CSS_SVG, LEGEND

_GUTTER_PX = 118  # for the names of the rows


def window_of(conversation: Conversation, start_ns: int = 0, end_ns: int | None = None) -> Window:
    """The part to draw: `start_ns` to `end_ns`, or all, up to ten minutes. Raises ValueError if it is empty."""
    whole_ns = max(SECOND_NS, conversation.end_ns)
    last_ns = min(whole_ns, start_ns + LONGEST_S * SECOND_NS, whole_ns if end_ns is None else end_ns)
    if last_ns <= start_ns:
        raise ValueError(f"nothing between {start_ns / SECOND_NS:g} s and {last_ns / SECOND_NS:g} s")
    return Window(start_ns, last_ns, zoomed=start_ns > 0 or end_ns is not None)


def draw_for(path: Path, conversation: Conversation, header: Header, window: Window | None = None) -> str:
    """What a file of that name is to hold: an `.svg` the chart alone, any other the whole page."""
    if path.suffix == ".svg":
        return draw_svg(conversation, window)
    return draw(conversation, header, window)


def draw(conversation: Conversation, header: Header, window: Window | None = None) -> str:
    """The whole page, HTML."""
    window = window or window_of(conversation)
    canvas = chart(conversation, window)
    names = "".join(
        f'<div style="top:{canvas.tops[key] + 7}px">{title}<small>{what}</small></div>' for key, title, what, _ in ROWS
    )
    legend = "".join(f'<span class="{css}" style="--c:var(--{color})">{text}</span>' for color, css, text in LEGEND)
    broken = "".join(f'<p class="broken">{escape(line)}</p>' for line in broken_assumptions(conversation))
    is_cut = not window.zoomed and conversation.end_ns > window.end_ns
    cut = f"<span>only the first {LONGEST_S} s are drawn</span>" if is_cut else ""
    turns = [turn for turn in conversation.turns if canvas.shows(turn.opened_ns, turn.end_ns(conversation.end_ns))]
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(header.pipeline)}: timeline</title><style>{CSS}</style></head><body>"
        f"<header><h1>{escape(header.pipeline)} <small>{escape(header.pipeline_version)}</small></h1>"
        f'<span class="meta">session <code>{escape(header.session_id)}</code> · template '
        f"<code>{escape(header.template_hash[:16])}</code> · {escape(header.kernel)} kernel · recorded at "
        f"{escape(header.level)}</span></header>"
        f'<div class="card chart"><div class="names" style="height:{canvas.height}px">{names}</div>'
        f'<div class="scroll">{canvas.svg()}</div></div><div class="legend">{legend}{cut}</div>{broken}'
        f'<div class="turns">{"".join(_table(conversation, turn) for turn in turns)}</div>'
        f"</body></html>\n"
    )


def draw_svg(conversation: Conversation, window: Window | None = None) -> str:
    """The chart alone, as an SVG file that a document can show."""
    canvas = chart(conversation, window or window_of(conversation))
    names = "".join(
        f'<text x="{PAD}" y="{canvas.tops[key] + 20}" class="b">{title}</text>'
        f'<text x="{PAD}" y="{canvas.tops[key] + 33}" class="soft small">{what}</text>'
        for key, title, what, _ in ROWS
    )
    width = _GUTTER_PX + canvas.width
    inner = canvas.svg().replace("<svg ", f'<svg x="{_GUTTER_PX}" ', 1)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{canvas.height}" '
        f'viewBox="0 0 {width} {canvas.height}"><style>{CSS_SVG}</style>'
        f'<rect width="{width}" height="{canvas.height}" style="fill:var(--card)"/>{names}{inner}</svg>\n'
    )


def _table(conversation: Conversation, turn: Turn) -> str:
    pill = f'<span class="pill {escape(turn.outcome)}">{escape(turn.outcome or "open")}</span>'
    asked = f'<p class="asked">“{escape(turn.asked)}”</p>' if turn.asked else ""
    said = ""
    if turn.heard_text or turn.cut_text:
        said = f'<p class="words">{escape(turn.heard_text)} <span class="cut">{escape(turn.cut_text)}</span></p>'
    told = [(what, value) for what, value in rows(conversation, turn) if what not in ("the user", "the answer")]
    lines = "".join(f"<tr><td>{escape(what)}</td><td>{escape(value)}</td></tr>" for what, value in told)
    return f'<section class="card"><h2>Turn {turn.serial}{pill}</h2>{asked}{said}<table>{lines}</table></section>'
