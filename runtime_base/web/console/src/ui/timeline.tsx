// The turn on a time axis: a row for the user, one for each stage, one for the loudspeaker, one for decisions.

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { ms, seconds, ticks } from "../model/clock.ts";
import { height } from "../model/levels.ts";
import type { PlanNode } from "../model/pipeline.ts";
import type { Mark, Turn, Turns } from "../model/turns.ts";
import type { Session } from "../session.ts";

const ROW = 40;
const TOP = 34;
const PAD = 14;
const CHAR = 6.1; // a character's width, about

interface Frame {
  fromUs: number;
  toUs: number;
  nowUs: number;
  x: (us: number) => number;
  left: number;
  right: number;
  turn: Turn;
  session: Session;
}

export function Timeline({ session, turn }: { session: Session; turn: Turn | null }) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = box.current!;
    const watch = new ResizeObserver(() => setWidth(element.clientWidth));
    watch.observe(element);
    setWidth(element.clientWidth);
    return () => watch.disconnect();
  }, []);
  return (
    <div class="timeline" ref={box}>
      {turn === null ? <Nothing session={session} /> : width > 0 && <Picture {...{ session, turn, width }} />}
    </div>
  );
}

function Nothing({ session }: { session: Session }) {
  const rows = ["you", ...session.turns.rows.map((row) => row.name), "loudspeaker"];
  return (
    <div class="blank">
      {rows.map((row) => (
        <div key={row}>
          <span>{row}</span>
          <i />
        </div>
      ))}
      <p>{session.pipelineFault !== "" ? `The plan cannot be read: ${session.pipelineFault}` : "The first turn is drawn here, as it happens."}</p>
    </div>
  );
}

function Picture({ session, turn, width }: { session: Session; turn: Turn; width: number }) {
  const { turns } = session;
  const left = width < 560 ? 74 : 108;
  const [fromUs, toUs, nowUs] = span(session, turn);
  const right = width - PAD;
  const scale = (right - left) / (toUs - fromUs);
  const frame: Frame = { fromUs, toUs, nowUs, left, right, turn, session, x: (us) => left + (us - fromUs) * scale };
  const rows = turns.rows;
  const y = (row: number): number => TOP + row * ROW;
  const out = y(rows.length + 1);
  const marks = y(rows.length + 2);
  const tall = marks + 40;
  return (
    <svg class="picture" width={width} height={tall} viewBox={`0 0 ${width} ${tall}`} role="img" aria-label={told(turns, turn)}>
      <defs>
        <clipPath id="plot">
          <rect x={left} y={0} width={Math.max(0, right - left + PAD)} height={tall} />
        </clipPath>
        <pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <path d="M0 0V6" class="hatch" />
        </pattern>
      </defs>
      <Axis frame={frame} bottom={marks} />
      {[...rows.map((row) => row.name), "loudspeaker"].map((name, i) => (
        <path key={name} class="rule" d={`M0 ${y(i + 1) + 0.5}H${width}`} />
      ))}
      <path class="rule strong" d={`M0 ${marks + 0.5}H${width}`} />
      <Label y={y(0)} name="you" under={turn.origin === "text" ? "typed" : "microphone"} kind="you" />
      {rows.map((row, i) => (
        <Label key={row.name} y={y(i + 1)} name={row.name} under={turn.stages.get(row.name)?.provider || row.providers[0] || row.kind} kind={row.kind} />
      ))}
      <Label y={out} name="loudspeaker" under="what is heard" kind="out" />
      <Label y={marks} name="decisions" under={counts(turn)} kind="" />
      <g clip-path="url(#plot)">
        <Budget frame={frame} bottom={marks} />
        <You frame={frame} y={y(0)} />
        {rows.map((row, i) =>
          row.scope === "turn" ? (
            <StageRow key={row.name} frame={frame} y={y(i + 1)} row={row} />
          ) : row.kind === "stt" ? (
            <Recogniser key={row.name} frame={frame} y={y(i + 1)} turns={turns} />
          ) : null,
        )}
        <Loudspeaker frame={frame} y={out} />
        <Marks frame={frame} y={marks} />
        {turn.closeUs < 0 && <path class="now" d={`M${frame.x(nowUs)} ${TOP - 6}V${marks}`} />}
      </g>
    </svg>
  );
}

/** From before the speech that it answers to its end, or so far; the budget is always in sight. */
function span(session: Session, turn: Turn): [number, number, number] {
  const { turns, clock, pipeline } = session;
  const nowUs = clock.known ? clock.us() : turn.openUs;
  const before = turns.turns[turns.turns.indexOf(turn) - 1];
  const asked = turns.speech.filter((one) => one.startUs < turn.openUs && one.startUs > (before?.openUs ?? -1)).pop();
  const first = turn.origin === "speech" && asked !== undefined ? asked.startUs : turn.inputEndUs;
  const budgetUs = (pipeline?.budgets.turn_ms ?? 0) * 1000;
  const played = turn.runs[turn.runs.length - 1]?.toUs ?? 0;
  const end = turn.closeUs >= 0 ? Math.max(turn.closeUs, turn.outcome === "abort" ? Math.min(played, turn.closeUs + 900_000) : 0) : nowUs;
  const last = Math.max(end, turn.inputEndUs + budgetUs * 1.04, first + 2_000_000);
  const margin = (last - first) * 0.02;
  return [first - Math.max(150_000, margin), last + margin, nowUs];
}

function counts(turn: Turn): string {
  if (turn.refused > 0) return `${turn.refused} refused`;
  return turn.dropped > 0 ? `${turn.dropped} dropped` : "";
}

function told(turns: Turns, turn: Turn): string {
  const took = turn.playbackUs >= 0 ? `first sound after ${ms(turn.playbackUs - turn.inputEndUs)} ms` : "no sound yet";
  const end = turns.toSilence(turn) >= 0 ? `, interrupted, silent ${ms(turns.toSilence(turn))} ms later` : "";
  return `Turn ${turn.serial}: ${took}${end}.`;
}

function Label({ y, name, under, kind }: { y: number; name: string; under: string; kind: string }) {
  return (
    <g>
      <rect class="swatch" data-row={kind} x={0} y={y + 11} width={3} height={ROW - 21} rx={1.5} />
      <text class="name" x={12} y={y + (under === "" ? 24 : 19)}>
        {name}
      </text>
      <text class="under" x={12} y={y + 32}>
        {under.slice(0, 15)}
      </text>
    </g>
  );
}

function Axis({ frame, bottom }: { frame: Frame; bottom: number }) {
  const { fromUs, toUs, left, right, turn, x, session } = frame;
  const zero = turn.inputEndUs;
  const budgetUs = (session.pipeline?.budgets.turn_ms ?? 0) * 1000;
  const nearBudget = (t: number): boolean => budgetUs > 0 && Math.abs(x(zero + t) - x(zero + budgetUs)) < 72;
  return (
    <g>
      {ticks(fromUs - zero, toUs - zero, right - left, 86).map((t) => (
        <g key={t}>
          <path class={t === 0 ? "grid zero" : "grid"} d={`M${Math.round(x(zero + t)) + 0.5} ${TOP - 8}V${bottom}`} />
          {(t === 0 || !nearBudget(t)) && (
            <text class="tick" x={x(zero + t)} y={14} text-anchor="middle">
              {t === 0 ? "end of input" : `${t > 0 ? "+" : "−"}${tickWords(Math.abs(t))}`}
            </text>
          )}
        </g>
      ))}
    </g>
  );
}

function tickWords(us: number): string {
  return us < 1_000_000 ? `${Math.round(us / 1000)} ms` : `${Number((us / 1e6).toFixed(2))} s`;
}

function Budget({ frame, bottom }: { frame: Frame; bottom: number }) {
  const { turn, session, x } = frame;
  const budgetUs = (session.pipeline?.budgets.turn_ms ?? 0) * 1000;
  if (budgetUs === 0) return null;
  const from = x(turn.inputEndUs);
  const to = x(turn.inputEndUs + budgetUs);
  const isOver = turn.playbackUs - turn.inputEndUs > budgetUs;
  return (
    <g class={isOver ? "budget over" : "budget"}>
      <rect x={from} y={TOP - 10} width={Math.max(0, to - from)} height={4} rx={2} />
      {turn.playbackUs >= 0 && (
        <rect class="used" x={from} y={TOP - 10} width={Math.max(0, x(turn.playbackUs) - from)} height={4} rx={2} />
      )}
      <path d={`M${to} ${TOP - 10}V${bottom}`} />
      <text x={Math.min(to, frame.right - 34)} y={14} text-anchor="middle">
        budget {tickWords(budgetUs)}
      </text>
    </g>
  );
}

/** Bars of how loud it was, mirrored, as one path. */
function wave(frame: Frame, levels: Session["mine"], y: number, from: number, to: number): string {
  const { session, x, left, right, fromUs, toUs } = frame;
  if (!session.clock.known) return "";
  const count = Math.floor((right - left) / 3);
  const offsetMs = performance.now() - session.clock.us() / 1000;
  const found = levels.bins(fromUs / 1000 + offsetMs, toUs / 1000 + offsetMs, count);
  let path = "";
  for (let i = 0; i < count; i++) {
    const at = fromUs + ((i + 0.5) / count) * (toUs - fromUs);
    if (found[i]! < 0.0008 || at < from || at > to) continue;
    const high = Math.max(1, height(found[i]!) * (ROW / 2 - 7));
    path += `M${x(at).toFixed(1)} ${(y - high).toFixed(1)}v${(2 * high).toFixed(1)}`;
  }
  return path;
}

function You({ frame, y }: { frame: Frame; y: number }) {
  const { turn, session, x, nowUs, fromUs, toUs } = frame;
  const middle = y + ROW / 2;
  const spoken = session.turns.speech.filter((one) => one.startUs < toUs && (one.endUs < 0 || one.endUs > fromUs));
  return (
    <g>
      {turn.origin === "text" && <path class="diamond" data-row="you" d={diamond(x(turn.inputEndUs), middle)} />}
      {spoken.map((one) => {
        const end = one.endUs >= 0 ? one.endUs : nowUs;
        return (
          <g key={one.startUs}>
            <rect class="band" data-row="you" x={x(one.startUs)} y={y + 6} width={Math.max(2, x(end) - x(one.startUs))} height={ROW - 12} rx={4} />
            {one.endNoticedUs > one.endUs && one.endUs >= 0 && (
              <rect class="band faint" data-row="you" x={x(one.endUs)} y={y + 6} width={Math.max(0, x(one.endNoticedUs) - x(one.endUs))} height={ROW - 12} rx={4}>
                <title>{`silence, ${ms(one.endNoticedUs - one.endUs)} ms: the utterance ends`}</title>
              </rect>
            )}
          </g>
        );
      })}
      <path class="wavepath" data-row="you" d={wave(frame, session.mine, middle, fromUs, toUs)} />
    </g>
  );
}

function Recogniser({ frame, y, turns }: { frame: Frame; y: number; turns: Turns }) {
  const { fromUs, toUs, x, turn, right } = frame;
  const here = turns.heard.filter((one) => one.t >= fromUs && one.t <= toUs);
  const final = here.filter((one) => one.final && one.text !== "" && one.t <= turn.openUs + 1_000_000).pop();
  const middle = y + ROW / 2;
  const at = final === undefined ? 0 : x(final.t) + 11;
  return (
    <g>
      {here.map((one) =>
        one.final ? (
          <path key={`f${one.t}`} class="diamond" data-row="stt" d={diamond(x(one.t), middle)}>
            <title>{one.text}</title>
          </path>
        ) : (
          <path key={`p${one.t}`} class="tickmark" data-row="stt" d={`M${x(one.t).toFixed(1)} ${y + 12}v${ROW - 24}`}>
            <title>{one.text}</title>
          </path>
        ),
      )}
      {final !== undefined && (
        <text class="value quote" x={at} y={middle + 4}>
          {clip(final.text, right - at)}
        </text>
      )}
    </g>
  );
}

function StageRow({ frame, y, row }: { frame: Frame; y: number; row: PlanNode }) {
  const { turn, x, nowUs, right } = frame;
  const stage = turn.stages.get(row.name);
  if (stage === undefined) return null;
  const end = turn.closeUs >= 0 ? turn.closeUs : nowUs;
  const waited = stage.firstUs >= 0 ? stage.firstUs : end;
  const until = Math.max(stage.lastUs, waited);
  const limit = stage.fedUs + row.budget_ms * 1000;
  const isLate = row.budget_ms > 0 && waited > limit;
  const label = stage.firstUs >= 0 ? `${ms(stage.firstUs - stage.fedUs)} ms` : `waiting ${ms(end - stage.fedUs)} ms`;
  const at = x(until) + 8;
  const labelRight = at + label.length * CHAR < right;
  return (
    <g class={isLate ? "late" : ""}>
      <rect class="wait" data-row={row.kind} x={x(stage.fedUs)} y={y + 14} width={Math.max(1.5, x(waited) - x(stage.fedUs))} height={ROW - 28} rx={2} />
      {stage.firstUs >= 0 && (
        <rect class="work" data-row={row.kind} x={x(stage.firstUs)} y={y + 10} width={Math.max(3, x(until) - x(stage.firstUs))} height={ROW - 20} rx={2.5}>
          <title>{`${row.name}: first output after ${ms(stage.firstUs - stage.fedUs)} ms, ${stage.items} items until ${seconds(stage.lastUs)} s`}</title>
        </rect>
      )}
      {row.budget_ms > 0 && limit < frame.toUs && (
        <g class="limitmark">
          <path d={`M${x(limit)} ${y + 9}v${ROW - 18}`}>
            <title>{`budget of ${row.name}: ${row.budget_ms} ms`}</title>
          </path>
        </g>
      )}
      <text class="value" x={labelRight ? at : x(stage.fedUs) - 8} y={y + ROW / 2 + 4} text-anchor={labelRight ? "start" : "end"}>
        {label}
      </text>
    </g>
  );
}

function Loudspeaker({ frame, y }: { frame: Frame; y: number }) {
  const { turn, session, x, nowUs } = frame;
  const middle = y + ROW / 2;
  const cut = turn.silentUs >= 0 ? turn.silentUs : Infinity;
  const heardTo = Math.min(cut, turn.closeUs >= 0 ? Infinity : nowUs);
  return (
    <g>
      {turn.runs.map((run) => {
        const heard = Math.min(run.toUs, Math.max(run.fromUs, heardTo));
        return (
          <g key={run.fromUs}>
            {heard > run.fromUs && (
              <rect class="band" data-row="out" x={x(run.fromUs)} y={y + 6} width={x(heard) - x(run.fromUs)} height={ROW - 12} rx={4} />
            )}
            {run.toUs > heard && (
              <rect class={turn.silentUs >= 0 ? "band taken" : "band faint"} data-row="out" x={x(heard)} y={y + 6} width={x(run.toUs) - x(heard)} height={ROW - 12} rx={4}>
                <title>{turn.silentUs >= 0 ? "sent, and taken back before it was played" : "sent ahead of playback"}</title>
              </rect>
            )}
          </g>
        );
      })}
      <path class="wavepath" data-row="out" d={wave(frame, session.theirs, middle, turn.openUs, Math.min(cut + 60_000, frame.toUs))} />
      {turn.playbackUs >= 0 && <circle class="pin" cx={x(turn.playbackUs)} cy={middle} r={3.5} />}
    </g>
  );
}

function Marks({ frame, y }: { frame: Frame; y: number }) {
  const { turn, x, right } = frame;
  const cutLine = turn.cancelUs >= 0 ? x(turn.cancelUs) : -1;
  const free = [-Infinity, -Infinity];
  return (
    <g>
      {cutLine >= 0 && <path class="cutline" d={`M${cutLine} ${TOP - 2}V${y + 8}`} />}
      {together(turn.marks, x).map((marks, i) => {
        const mark = marks.find((one) => one.tone === "bad") ?? marks[0]!;
        const at = x(marks[0]!.t);
        const words = marks.map((one) => one.what.replaceAll("_", " ")).join(" · ");
        const wide = words.length * CHAR + 12;
        const goesLeft = at + wide > right + PAD;
        const from = goesLeft ? at - wide : at;
        const line = from > free[0]! ? 0 : from > free[1]! ? 1 : -1;
        if (line >= 0) free[line] = from + wide;
        return (
          <g key={i} class="decision" data-tone={mark.tone}>
            <path d={`M${at} ${y + 4}v${line === 1 ? 26 : 11}`} />
            <title>{marks.map((one) => `${one.what}${one.detail && `: ${one.detail}`}, at ${seconds(one.t)} s`.replaceAll("_", " ")).join("\n")}</title>
            {line >= 0 && (
              <text x={goesLeft ? at - 5 : at + 5} y={y + (line === 0 ? 15 : 31)} text-anchor={goesLeft ? "end" : "start"}>
                {words}
              </text>
            )}
          </g>
        );
      })}
    </g>
  );
}

/** What happened at the same place of the picture has one line and one label, in order. */
function together(marks: readonly Mark[], x: (us: number) => number): Mark[][] {
  const groups: Mark[][] = [];
  for (const mark of marks) {
    const last = groups[groups.length - 1];
    if (last !== undefined && x(mark.t) - x(last[0]!.t) < 3) last.push(mark);
    else groups.push([mark]);
  }
  return groups;
}

function diamond(x: number, y: number, r = 5.5): string {
  return `M${x} ${y - r}l${r} ${r}l${-r} ${r}l${-r} ${-r}z`;
}

function clip(text: string, width: number): string {
  const most = Math.max(4, Math.floor(width / CHAR));
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
