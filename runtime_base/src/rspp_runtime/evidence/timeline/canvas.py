"""What a timeline is drawn on: a window of time, and the rows."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

SECOND_NS = 1_000_000_000
PX_PER_S = 150  # of a whole conversation
WINDOW_PX = 1100  # of a window that somebody asked for
WIDTH_MIN = 900
PAD = 18
LONGEST_S = 600  # beyond it the picture is cut, and says so
GRID_PX_MIN = 60  # two lines of the grid are no nearer
_MS = 1_000_000
GRID_NS = (_MS, 2 * _MS, 5 * _MS, 10 * _MS, 20 * _MS, 50 * _MS, 100 * _MS, 200 * _MS, 500 * _MS, SECOND_NS,
           10 * SECOND_NS, 60 * SECOND_NS, 3600 * SECOND_NS)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a conversation that is drawn, ns since its beginning; `zoomed` if somebody asked for it."""

    start_ns: int
    end_ns: int
    zoomed: bool = False


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


class Canvas:
    """SVG in the making; x in nanoseconds since the beginning of the conversation."""

    def __init__(self, window: Window) -> None:
        self.window = window
        length_ns = max(1, window.end_ns - window.start_ns)
        self.px_per_s = WINDOW_PX * SECOND_NS / length_ns if window.zoomed else PX_PER_S
        self.width = max(WIDTH_MIN, self.x(window.end_ns) + (PAD if window.zoomed else 3 * PAD))
        self.tops: dict[str, int] = {}
        y = TOP
        for key, _, _, height in ROWS:
            self.tops[key] = y
            y += height
        self.height = y + 8
        self.parts: list[str] = []

    def x(self, ns: int) -> int:
        return round(PAD + (ns - self.window.start_ns) / SECOND_NS * self.px_per_s)

    def shows(self, start_ns: int, end_ns: int) -> bool:
        """Whether any of this time is in the window."""
        return start_ns <= self.window.end_ns and end_ns >= self.window.start_ns

    def svg(self) -> str:
        return (
            f'<svg width="{self.width}" height="{self.height}" viewBox="0 0 {self.width} {self.height}" role="img" '
            f'aria-label="timeline of the conversation">{"".join(self.parts)}</svg>'
        )

    def background(self) -> None:
        """Bands, the time axis, the lines of its grid: of a whole conversation one a second."""
        for index, (key, _, _, height) in enumerate(ROWS):
            if index % 2 == 0:
                at = f'x="0" y="{self.tops[key]}" width="{self.width}" height="{height}"'
                self.parts.append(f'<rect {at} style="fill:var(--band)"/>')
        step_ns = next(step for step in GRID_NS if step / SECOND_NS * self.px_per_s >= GRID_PX_MIN)
        first_ns = -(-self.window.start_ns // step_ns) * step_ns
        for ns in range(first_ns, self.window.end_ns + 1, step_ns):
            x = self.x(ns)
            self.parts.append(
                f'<line class="grid" x1="{x}" x2="{x}" y1="{TOP - 26}" y2="{self.height - 8}"/>'
                f'<text x="{x}" y="12" text-anchor="middle" class="soft small">{axis(ns, step_ns)}</text>'
            )

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


def clock(ns: int) -> str:
    """`5.540 s`."""
    return f"{ns / SECOND_NS:.3f} s"


def short(text: str, length: int) -> str:
    """At most `length` characters of it."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def axis(ns: int, step_ns: int) -> str:
    """A place on the axis, as exact as the grid is."""
    digits = 0 if step_ns >= SECOND_NS else 1 if step_ns >= SECOND_NS // 10 else 2 if step_ns >= SECOND_NS // 100 else 3
    return f"{ns / SECOND_NS:.{digits}f} s"
