import type { Props } from "../app.tsx";
import { useAreas } from "../store.ts";
import { HelpIcon, MoonIcon, SunIcon } from "./icons.tsx";

const WORDS: Record<string, string> = {
  idle: "Ready",
  connecting: "Connecting",
  connected: "Connected",
  reconnecting: "Reconnecting",
  ended: "Ended",
};

export function Header({ store, view, session }: Props) {
  useAreas(store, "status", "turns", "view");
  const { pipeline, state, rtt } = session;
  const turn = session.turns.turns.findLast((one) => one.playbackUs >= 0);
  const took = turn === undefined ? -1 : (turn.playbackUs - turn.inputEndUs) / 1000;
  const budget = pipeline?.budgets.turn_ms ?? 0;
  return (
    <header class="head">
      <div class="brand">
        <svg class="mark" viewBox="0 0 28 20" width="28" height="20" aria-hidden="true">
          <path d="M2 8v4M7 4v12M12 7v6M17 1.5v17M22 6v8M26 9v2" />
        </svg>
        <h1>{pipeline?.pipeline.replaceAll("_", " ") ?? "console"}</h1>
        {pipeline !== null && <span class="version">{pipeline.pipeline_version}</span>}
      </div>
      <div class="vitals">
        {took >= 0 && (
          <div class="vital" title="from the end of what you said to the first sound of the answer">
            <span class="label">last answer</span>
            <span class={took > budget && budget > 0 ? "figure over" : "figure"}>{Math.round(took).toLocaleString("en")}</span>
            <span class="unit">
              <span class="of">of {budget.toLocaleString("en")} </span>ms
            </span>
          </div>
        )}
        <div class="vital state" data-state={state} role="status" aria-live="polite">
          <i class="dot" />
          <span>{WORDS[state]}</span>
          {state === "connected" && rtt >= 0 && <span class="unit">{rtt} ms</span>}
        </div>
        <button
          class="tool"
          onClick={() => view.toggleTheme()}
          aria-label={view.isDark ? "Light theme" : "Dark theme"}
          title={`${view.isDark ? "Light" : "Dark"} theme (T)`}
        >
          {view.isDark ? <SunIcon /> : <MoonIcon />}
        </button>
        <button class="tool" onClick={() => view.toggleHelp(true)} aria-label="Keyboard shortcuts" title="Keyboard shortcuts (?)">
          <HelpIcon />
        </button>
      </div>
    </header>
  );
}
