// How loud it was, and when: a ring of pairs, for the waves that the page draws.

const HOLD_MS = 120;
const PAUSE_MS = 250;
const SPEECH = 0.008;
const FRAME_MS = 20; // a level is of the time before it came

export class Levels {
  readonly #at: Float64Array; // ms of this page
  readonly #level: Float32Array;
  #count = 0;

  constructor(most = 3000) {
    this.#at = new Float64Array(most);
    this.#level = new Float32Array(most);
  }

  add(level: number, atMs: number = performance.now()): void {
    const i = this.#count++ % this.#at.length;
    this.#at[i] = atMs;
    this.#level[i] = level;
  }

  get last(): number {
    return this.#count === 0 ? 0 : this.#level[(this.#count - 1) % this.#at.length]!;
  }

  /** When the voice that was heard before `atMs` began, with no pause longer than a word's in it; null if none was. */
  onset(atMs: number): number | null {
    let began: number | null = null;
    for (let n = this.#count - 1; n >= Math.max(0, this.#count - this.#at.length); n--) {
      const i = n % this.#at.length;
      const at = this.#at[i]!;
      if (at > atMs) continue;
      if (at < (began ?? atMs) - PAUSE_MS) break;
      if (this.#level[i]! > SPEECH) began = at - FRAME_MS;
    }
    return began;
  }

  /** The loudest in each of `bins` equal parts of the time from `fromMs` to `toMs`; 0 where nothing was measured. */
  bins(fromMs: number, toMs: number, bins: number): Float32Array {
    const found = new Float32Array(bins);
    const scale = bins / (toMs - fromMs);
    const first = Math.max(0, this.#count - this.#at.length);
    for (let n = first; n < this.#count; n++) {
      const i = n % this.#at.length;
      const before = n > first ? this.#at[(n - 1) % this.#at.length]! : -Infinity;
      const to = Math.floor((this.#at[i]! - fromMs) * scale);
      // It was measured over the time since the one before it, if that was not long ago.
      const from = this.#at[i]! - before < HOLD_MS ? Math.floor((before - fromMs) * scale) + 1 : to;
      for (let bin = Math.max(0, Math.min(from, to)); bin <= to && bin < bins; bin++) {
        found[bin] = Math.max(found[bin]!, this.#level[i]!);
      }
    }
    return found;
  }
}

/** From how loud it is to how high it is drawn: quiet speech is seen too. 0 … 1. */
export function height(level: number): number {
  return Math.min(1, Math.max(0, 1 + Math.log10(Math.max(level, 1e-4)) / 2.2) ** 1.6);
}
