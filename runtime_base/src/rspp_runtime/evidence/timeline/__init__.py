"""Draws a conversation: canvas, chart (the rows), page (HTML, or SVG alone)."""

from rspp_runtime.evidence.timeline.page import draw, draw_for, draw_svg, window_of

__all__ = ["draw", "draw_for", "draw_svg", "window_of"]
