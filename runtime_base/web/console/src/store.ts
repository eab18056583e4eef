// What the page knows, and who is told when it changes: at most once a frame, by area.

import { useEffect, useState } from "preact/hooks";

export type Area = "status" | "talk" | "turns" | "events" | "levels" | "view";

export class Store {
  #listeners = new Map<Area, Set<() => void>>();
  #changed = new Set<Area>();
  #frame = 0;

  changed(...areas: Area[]): void {
    for (const area of areas) this.#changed.add(area);
    this.#frame ||= requestAnimationFrame(() => this.#tell());
  }

  on(area: Area, listener: () => void): () => void {
    let all = this.#listeners.get(area);
    if (all === undefined) this.#listeners.set(area, (all = new Set()));
    const found = all;
    found.add(listener);
    return () => void found.delete(listener);
  }

  #tell(): void {
    this.#frame = 0;
    const areas = [...this.#changed];
    this.#changed.clear();
    const told = new Set<() => void>();
    for (const area of areas) for (const listener of this.#listeners.get(area) ?? []) told.add(listener);
    for (const listener of told) listener();
  }
}

/** Draws the component again when one of the areas changes. */
export function useAreas(store: Store, ...areas: Area[]): void {
  const [, again] = useState(0);
  useEffect(() => {
    const off = areas.map((area) => store.on(area, () => again((n) => n + 1)));
    return () => off.forEach((one) => one());
  }, []);
}
