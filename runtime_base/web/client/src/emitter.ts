// Typed events. A listener that throws is reported and hinders nobody else.

export type Listener<T> = (value: T) => void;

export class Emitter<Events> {
  #listeners = new Map<keyof Events, Set<Listener<never>>>();

  /** Returns what takes the listener away again. */
  on<K extends keyof Events>(name: K, listener: Listener<Events[K]>): () => void {
    let found = this.#listeners.get(name);
    if (found === undefined) this.#listeners.set(name, (found = new Set()));
    const all = found;
    all.add(listener as Listener<never>);
    return () => void all.delete(listener as Listener<never>);
  }

  emit<K extends keyof Events>(name: K, value: Events[K]): void {
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        (listener as Listener<Events[K]>)(value);
      } catch (error) {
        console.error(`rspp: a listener of ${String(name)} failed`, error);
      }
    }
  }
}
