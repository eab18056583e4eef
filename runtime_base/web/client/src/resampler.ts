// From one sample rate to another, without a gap between blocks: a windowed sinc, computed once for a few phases.
//
// `push` takes input, `pull` gives output as far as the input reaches. Two octaves and more are kept clean for speech:
// the pass band ends at 0.45 of the lower rate.

const PHASES = 64;
const HALF = 16; // zero crossings on each side, at the lower rate

export class Resampler {
  readonly from: number;
  readonly to: number;
  readonly #step: number; // input samples for one output sample
  readonly #reach: number; // input samples on each side that an output sample looks at
  readonly #table: Float32Array;
  #input: Float32Array;
  #length: number;
  #at: number; // of the next output sample, in #input

  constructor(from: number, to: number) {
    if (!(from > 0 && to > 0)) throw new RangeError(`rates are above 0, not ${from} and ${to}`);
    this.from = from;
    this.to = to;
    this.#step = from / to;
    const cutoff = 0.45 * Math.min(1, to / from); // of the input's rate
    this.#reach = from === to ? 0 : Math.ceil(HALF * Math.max(1, this.#step));
    this.#table = kernel(this.#reach, cutoff);
    this.#input = new Float32Array(4096 + 2 * this.#reach);
    this.#length = this.#reach; // silence before the first sample
    this.#at = this.#reach;
  }

  /** Output samples that can be pulled now. */
  get ready(): number {
    return Math.max(0, Math.floor((this.#length - 1 - this.#reach - this.#at) / this.#step) + 1);
  }

  /** Input samples that are still needed before `count` output samples can be pulled. */
  needs(count: number): number {
    return Math.max(0, Math.ceil(this.#at + (count - 1) * this.#step) + this.#reach + 1 - this.#length);
  }

  push(samples: Float32Array): void {
    this.#room(samples.length);
    this.#input.set(samples, this.#length);
    this.#length += samples.length;
  }

  /** Forgets what was pushed: silence comes before what is pushed next. */
  reset(): void {
    this.#input.fill(0);
    this.#length = this.#reach;
    this.#at = this.#reach;
  }

  /** Fills `out` from `start` on, as far as the input reaches; returns how many samples it gave. */
  pull(out: Float32Array, start = 0): number {
    const count = Math.min(out.length - start, this.ready);
    for (let i = 0; i < count; i++) {
      out[start + i] = this.#reach === 0 ? this.#input[this.#at]! : this.#sample();
      this.#at += this.#step;
    }
    return count;
  }

  #sample(): number {
    const first = Math.floor(this.#at);
    const phase = (this.#at - first) * PHASES;
    const low = Math.floor(phase);
    const share = phase - low;
    const width = 2 * this.#reach;
    const row = low * width;
    let sum = 0;
    for (let k = 0, j = first - this.#reach + 1; k < width; k++, j++) {
      const weight = this.#table[row + k]! * (1 - share) + this.#table[row + width + k]! * share;
      sum += weight * this.#input[j]!;
    }
    return sum;
  }

  /** Moves what is still looked at to the front. */
  #room(count: number): void {
    const first = Math.max(0, Math.floor(this.#at) - this.#reach);
    if (first > 0) {
      this.#input.copyWithin(0, first, this.#length);
      this.#length -= first;
      this.#at -= first;
    }
    if (this.#length + count > this.#input.length) {
      const wider = new Float32Array(2 * (this.#length + count));
      wider.set(this.#input.subarray(0, this.#length));
      this.#input = wider;
    }
  }
}

/** One row of weights a phase, and one more for the interpolation; each row sums to 1. */
function kernel(reach: number, cutoff: number): Float32Array {
  const width = 2 * reach;
  const table = new Float32Array((PHASES + 1) * width);
  for (let phase = 0; phase <= PHASES; phase++) {
    let sum = 0;
    for (let k = 0; k < width; k++) {
      const x = k - reach + 1 - phase / PHASES;
      const weight = 2 * cutoff * sinc(2 * cutoff * x) * window(x / reach);
      table[phase * width + k] = weight;
      sum += weight;
    }
    for (let k = 0; k < width; k++) table[phase * width + k]! /= sum;
  }
  return table;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** Blackman's, from -1 to 1. */
function window(x: number): number {
  if (Math.abs(x) >= 1) return 0;
  return 0.42 + 0.5 * Math.cos(Math.PI * x) + 0.08 * Math.cos(2 * Math.PI * x);
}
