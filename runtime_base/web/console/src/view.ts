// How the page is looked at: theme, tab, the turn that is shown. Kept for the next visit where that makes sense.

import type { Store } from "./store.ts";

export type Theme = "auto" | "light" | "dark";
export type Tab = "pipeline" | "events" | "recording";
export type Pane = "talk" | "turn" | Tab;

export class View {
  readonly #store: Store;
  theme: Theme = "auto";
  tab: Tab = "pipeline";
  /** On narrow screens one pane is shown at a time. */
  pane: Pane = "talk";
  /** The turn that is looked at; 0: the newest. */
  turn = 0;
  help = false;
  filter = "";

  constructor(store: Store) {
    this.#store = store;
    const kept = read("rspp.theme");
    if (kept === "light" || kept === "dark") this.theme = kept;
    this.#paint();
  }

  get isDark(): boolean {
    return this.theme === "dark" || (this.theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  }

  toggleTheme(): void {
    this.theme = this.isDark ? "light" : "dark";
    write("rspp.theme", this.theme);
    this.#paint();
    this.#store.changed("view");
  }

  show(pane: Pane): void {
    this.pane = pane;
    if (pane !== "talk" && pane !== "turn") this.tab = pane;
    this.#store.changed("view");
  }

  look(turn: number): void {
    this.turn = turn;
    this.#store.changed("view", "turns");
  }

  toggleHelp(open = !this.help): void {
    this.help = open;
    this.#store.changed("view");
  }

  search(text: string): void {
    this.filter = text;
    this.#store.changed("events");
  }

  #paint(): void {
    const root = document.documentElement;
    if (this.theme === "auto") root.removeAttribute("data-theme");
    else root.setAttribute("data-theme", this.theme);
  }
}

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // a browser that keeps nothing
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // as above
  }
}
