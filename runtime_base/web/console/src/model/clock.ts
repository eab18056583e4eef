// The session's time on this page's clock: the least that was ever seen between them, which is the fastest message.

const KEPT = 60;

export class SessionClock {
  #seen: number[] = [];
  #offset = Number.NaN;

  /** A message said that it was `us` when it was sent, and came just now. */
  saw(us: number, nowMs: number = performance.now()): void {
    this.#seen.push(nowMs * 1000 - us);
    if (this.#seen.length > KEPT) this.#seen.shift();
    this.#offset = Math.min(...this.#seen);
  }

  get known(): boolean {
    return !Number.isNaN(this.#offset);
  }

  /** Session time, us, of a moment of this page. */
  us(nowMs: number = performance.now()): number {
    return this.known ? nowMs * 1000 - this.#offset : 0;
  }

  reset(): void {
    this.#seen = [];
    this.#offset = Number.NaN;
  }
}

/** 12.345 s of session time. */
export function seconds(us: number, digits = 3): string {
  return `${(us / 1e6).toFixed(digits)}`;
}

export function ms(us: number): string {
  const value = us / 1000;
  return value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString("en");
}

/** Steps of an axis: as many as fit `width` at about `apart` pixels. */
export function ticks(fromUs: number, toUs: number, width: number, apart = 90): number[] {
  const wanted = ((toUs - fromUs) / Math.max(1, width)) * apart;
  const step = STEPS_US.find((one) => one >= wanted) ?? STEPS_US[STEPS_US.length - 1]!;
  const found: number[] = [];
  for (let t = Math.ceil(fromUs / step) * step; t <= toUs; t += step) found.push(t);
  return found;
}

const STEPS_US = [5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 2e6, 5e6, 1e7, 2e7, 6e7];
