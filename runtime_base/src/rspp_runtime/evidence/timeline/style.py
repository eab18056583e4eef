"""How a timeline looks: one palette, light and dark, and the type. No external resource."""

from __future__ import annotations

CSS_SVG = """
:root { color-scheme: light dark;
  --paper: #fbfaf7; --card: #ffffff; --ink: #22252b; --soft: #6d727c; --line: #e4e1da; --band: #f4f2ec;
  --user: #3366b8; --user-soft: #d9e4f6; --stt: #2b8a8a; --llm: #b7791f; --voice: #7a5bb5; --play: #2f8f55;
  --play-soft: #d6eedd; --cut: #c8452f; --cut-soft: #f8ded8; --turn: #8b8f98; }
@media (prefers-color-scheme: dark) { :root {
  --paper: #16181c; --card: #1d2025; --ink: #e7e6e2; --soft: #9a9fa9; --line: #31353c; --band: #22252b;
  --user: #7ea6ea; --user-soft: #26344d; --stt: #5fc1bd; --llm: #e0ab55; --voice: #b39be6; --play: #63c78b;
  --play-soft: #1f3d2b; --cut: #f0806b; --cut-soft: #47241e; --turn: #7d828c; } }
svg { display: block; font: 11.5px ui-sans-serif, system-ui, "Segoe UI", sans-serif; }
svg text { fill: var(--ink); } svg .soft { fill: var(--soft); } svg .grid { stroke: var(--line); }
svg .small { font-size: 10.5px; } svg .b { font-weight: 600; }
"""  # what the picture needs

CSS = (
    CSS_SVG
    + """
* { box-sizing: border-box; }
body { margin: 0; padding: 2.2rem 2.4rem 3rem; background: var(--paper); color: var(--ink);
  font: 14px/1.5 ui-sans-serif, system-ui, "Segoe UI", "Helvetica Neue", sans-serif; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: .4rem 1.2rem; margin-bottom: 1.4rem; }
h1 { font-size: 1.45rem; font-weight: 650; letter-spacing: -.01em; margin: 0; }
h2 { font-size: 1.02rem; font-weight: 650; margin: 0 0 .5rem; }
.meta { color: var(--soft); font-size: .86rem; }
.meta code, td code { font: 12px ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
.chart { display: grid; grid-template-columns: 118px 1fr; overflow: hidden; }
.names { border-right: 1px solid var(--line); position: relative; }
.names div { position: absolute; left: 0; right: 0; padding: 0 .9rem; font-size: .84rem; font-weight: 600; }
.names small { display: block; white-space: nowrap; font-weight: 400; color: var(--soft); font-size: .74rem;
  line-height: 1.2; }
.scroll { overflow-x: auto; }
.legend { display: flex; flex-wrap: wrap; gap: .35rem 1.15rem; margin: .9rem .2rem 1.8rem; color: var(--soft);
  font-size: .83rem; }
.legend span::before { content: ""; display: inline-block; width: .8rem; height: .62rem; border-radius: 3px;
  margin-right: .42rem; background: var(--c); }
.legend .tick::before { width: 2px; height: .8rem; vertical-align: -2px; border-radius: 0; }
.legend .dash::before { height: 0; background: none; border-top: 2px dashed var(--c); vertical-align: 3px; }
.broken { margin: 0 .2rem .5rem; color: var(--cut); font-size: .86rem; }
.turns { display: grid; grid-template-columns: repeat(auto-fit, minmax(370px, 1fr)); gap: 1.1rem; }
.turns .card { padding: 1.1rem 1.3rem 1.2rem; }
.pill { display: inline-block; padding: .05rem .55rem; border-radius: 99px; font-size: .76rem; font-weight: 600;
  margin-left: .5rem; vertical-align: 1px; background: var(--band); color: var(--soft); }
.pill.commit { background: var(--play-soft); color: var(--play); }
.pill.abort { background: var(--cut-soft); color: var(--cut); }
.asked { color: var(--user); margin: .15rem 0 .35rem; } .words { margin: 0 0 .9rem; }
.words .cut { color: var(--cut); text-decoration: line-through; text-decoration-thickness: 1px; opacity: .8; }
table { border-collapse: collapse; width: 100%; } td { padding: .2rem 0; border-top: 1px solid var(--line);
  vertical-align: top; font-size: .86rem; } td:first-child { color: var(--soft); padding-right: 1rem;
  white-space: nowrap; } td:last-child { font-variant-numeric: tabular-nums; }
"""
)

LEGEND = (
    ("user", "", "the user speaks"),
    ("stt", "tick", "partial transcript"),
    ("llm", "", "model writes"),
    ("voice", "", "voice synthesises"),
    ("play", "", "heard"),
    ("cut", "", "said, never heard"),
    ("cut", "dash", "cancelled here"),
    ("turn", "dash", "budget"),
)
