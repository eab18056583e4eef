// The keyboard: everything that the page can do has a key; while somebody types, only those that type nothing.

import type { Session } from "./session.ts";
import type { View } from "./view.ts";

export const KEYS: [string, string][] = [
  ["Space", "hold to talk"],
  ["M", "open or close the microphone"],
  ["/", "type instead"],
  ["Esc", "stop the answer"],
  ["[  ]", "the turn before, the turn after"],
  ["1  2  3", "pipeline, events, recording"],
  ["F", "filter events"],
  ["T", "light or dark"],
  ["?", "this list"],
];

/** Returns what takes the listeners away. */
export function listen(view: View, session: Session): () => void {
  let held = false;
  const down = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      if (view.help) view.toggleHelp(false);
      else if (isField(event.target)) (event.target as HTMLElement).blur();
      else session.cancel();
      return;
    }
    if (isField(event.target) || view.help) {
      if (view.help && event.key === "?") view.toggleHelp(false);
      return;
    }
    if (event.code === "Space") {
      if (isButton(event.target)) return; // a button is pressed with it
      event.preventDefault();
      if (event.repeat || held) return;
      held = true;
      void session.speak(true);
      return;
    }
    if (act(event.key, view, session)) event.preventDefault();
  };
  const up = (event: KeyboardEvent): void => {
    if (event.code === "Space" && held) {
      held = false;
      void session.speak(false);
    }
  };
  const away = (): void => {
    if (held) void session.speak((held = false));
  };
  addEventListener("keydown", down);
  addEventListener("keyup", up);
  addEventListener("blur", away);
  return () => {
    removeEventListener("keydown", down);
    removeEventListener("keyup", up);
    removeEventListener("blur", away);
  };
}

function act(key: string, view: View, session: Session): boolean {
  switch (key.toLowerCase()) {
    case "m":
      void session.speak(session.mic !== "open");
      return true;
    case "/":
      view.show("talk");
      focus("say");
      return true;
    case "[":
      step(view, session, -1);
      return true;
    case "]":
      step(view, session, 1);
      return true;
    case "1":
      view.show("pipeline");
      return true;
    case "2":
      view.show("events");
      return true;
    case "3":
      view.show("recording");
      return true;
    case "f":
      view.show("events");
      focus("filter");
      return true;
    case "t":
      view.toggleTheme();
      return true;
    case "?":
      view.toggleHelp(true);
      return true;
  }
  return false;
}

/** At once where it is shown already, so that who types on loses nothing; else when it is. */
function focus(id: string): void {
  document.getElementById(id)?.focus();
  requestAnimationFrame(() => requestAnimationFrame(() => document.getElementById(id)?.focus()));
}

/** The turn before or after the one that is looked at; past the last, the newest is followed again. */
export function step(view: View, session: Session, by: number): void {
  const all = session.turns.turns;
  if (all.length === 0) return;
  const at = view.turn === 0 ? all.length - 1 : all.findIndex((turn) => turn.serial === view.turn);
  const next = Math.max(0, at + by);
  view.look(next >= all.length - 1 ? 0 : all[next]!.serial);
}

function isField(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
}

function isButton(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("button, a[href], summary, select") !== null;
}
