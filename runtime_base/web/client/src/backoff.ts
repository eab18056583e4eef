// How long to wait before the next attempt to come back, and when to give up.

export const FIRST_MS = 100;
export const LONGEST_MS = 5_000;

/** Before attempt `n` (from 0): the first is nearly at once, the others twice as long each, with full jitter. */
export function backoffMs(n: number, random: () => number = Math.random): number {
  if (n === 0) return Math.round(FIRST_MS * random());
  const most = Math.min(LONGEST_MS, FIRST_MS * 2 ** (n + 1));
  return Math.round(most / 2 + (most / 2) * random());
}

/** Close codes after which the session can be taken up again (docs/protocol.md). */
export function comesBack(code: number): boolean {
  return ![1000, 1007, 1009, 4401, 4415].includes(code);
}
