// One turn: what it took, where the time went, and its picture.

import { useEffect, useState } from "preact/hooks";
import type { Props } from "../app.tsx";
import { step } from "../keys.ts";
import { ms } from "../model/clock.ts";
import { type Turn, type Turns, waits } from "../model/turns.ts";
import { useAreas } from "../store.ts";
import { Timeline } from "./timeline.tsx";

export function TurnPane({ store, view, session }: Props) {
  useAreas(store, "turns", "status", "view");
  const { turns } = session;
  const newest = turns.last;
  const turn = view.turn === 0 ? newest : (turns.get(view.turn) ?? newest);
  useFrames(session.isLive && (turn === null || turn.closeUs < 0 || session.speaking));
  return (
    <>
      <div class="turnhead">
        <div class="which">
          <h2>{turn === null ? "Turn" : `Turn ${turn.serial}`}</h2>
          {turn !== null && <Pill turn={turn} />}
          <div class="pager">
            <button onClick={() => step(view, session, -1)} disabled={turn === null || turn === turns.turns[0]} aria-label="The turn before" title="The turn before ([)">
              ‹
            </button>
            <button onClick={() => step(view, session, 1)} disabled={turn === null || turn === newest} aria-label="The turn after" title="The turn after (])">
              ›
            </button>
          </div>
        </div>
        {turn !== null && <Figures turn={turn} turns={turns} budgetMs={session.pipeline?.budgets.turn_ms ?? 0} />}
      </div>
      <Timeline session={session} turn={turn} />
      {turn !== null && <Decisions turn={turn} />}
    </>
  );
}

/** In words, where the picture has no room for them. */
function Decisions({ turn }: { turn: Turn }) {
  return (
    <ol class="decisions">
      {turn.marks.map((mark, i) => (
        <li key={i} data-tone={mark.tone}>
          <span class="t">{`${mark.t >= turn.inputEndUs ? "+" : "−"}${Math.round(Math.abs(mark.t - turn.inputEndUs) / 1000)}`}</span>
          <b>{mark.what.replaceAll("_", " ")}</b>
          <span>{mark.detail.replaceAll("_", " ")}</span>
        </li>
      ))}
    </ol>
  );
}

function Pill({ turn }: { turn: Turn }) {
  const state = turn.outcome === "" ? "open" : turn.outcome;
  const words = { open: "in progress", commit: "complete", abort: turn.reason.replaceAll("_", " ") || "aborted" }[state];
  return (
    <span class="pill" data-state={state}>
      {words}
    </span>
  );
}

function Figures({ turn, turns, budgetMs }: { turn: Turn; turns: Turns; budgetMs: number }) {
  const took = turn.playbackUs >= 0 ? turn.playbackUs - turn.inputEndUs : -1;
  const silent = turns.toSilence(turn);
  const parts = waits(turns, turn).filter((part) => part.us >= 500);
  const whole = Math.max(budgetMs * 1000, parts.reduce((sum, part) => sum + part.us, 0), 1);
  return (
    <div class="figures">
      <div class="big">
        <span class={took < 0 ? "number none" : took / 1000 > budgetMs && budgetMs > 0 ? "number over" : "number"}>{took >= 0 ? ms(took) : "–"}</span>
        <span class="unit">ms to the first sound</span>
      </div>
      <div class="where" role="img" aria-label={parts.map((part) => `${part.what} ${ms(part.us)} ms`).join(", ")}>
        <div class="gauge">
          {parts.map((part) => (
            <i key={part.what} data-row={kindOf(turns, part.what)} style={{ flexBasis: `${(100 * part.us) / whole}%` }} />
          ))}
        </div>
        <div class="parts">
          {parts.map((part) => (
            <span key={part.what}>
              <i data-row={kindOf(turns, part.what)} />
              {part.what === "out" ? "speaker" : part.what} <b>{Math.round(part.us / 1000).toLocaleString("en")}</b>
            </span>
          ))}
          <span class="limit">of {budgetMs.toLocaleString("en")} ms</span>
        </div>
      </div>
      {silent >= 0 && (
        <div class="big cut">
          <span class="number">{ms(silent)}</span>
          <span class="unit">{turn.spokenOver ? "ms from your voice to silence" : "ms from stop to silence"}</span>
        </div>
      )}
    </div>
  );
}

/** Which colour a stage has: that of its kind. */
export function kindOf(turns: Turns, name: string): string {
  if (name === "stt" || name === "out") return name;
  return turns.rows.find((row) => row.name === name)?.kind ?? "other";
}

/** Draws again with every frame while time goes on in the picture: ten times a second is enough for the eye. */
function useFrames(on: boolean): void {
  const [, again] = useState(0);
  useEffect(() => {
    if (!on) return undefined;
    const timer = setInterval(() => again((n) => n + 1), 100);
    return () => clearInterval(timer);
  }, [on]);
}
