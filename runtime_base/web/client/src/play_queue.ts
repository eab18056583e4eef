// What waits to be played, and how much of each turn has been: the player's heart, without a browser.
//
// `read` is called once for each render quantum, in the audio thread. A flush takes effect in the next one: what had
// begun fades out in it, so that nothing clicks, and the rest is gone.

import { Resampler } from "./resampler.ts";

export const HOLDS_MS = 5_000; // more is not taken: the server sends at most its lead ahead of playback
export const START_MS = 30; // waits for so much before it begins, or for as long
export const FADE_SAMPLES = 64; // of the output

interface Piece {
  turn: string;
  samples: Float32Array;
  at: number;
}

export interface Played {
  turn: string;
  samples: number; // that have left, at the rate of what came in
}

export class PlayQueue {
  readonly rate: number;
  readonly #resampler: Resampler;
  readonly #most: number;
  readonly #start: number;
  #pieces: Piece[] = [];
  #waiting = 0;
  #startsIn = -1; // samples until playback begins whatever waits; -1: nothing does
  #playing = false;
  #fading: Piece | null = null; // what fades out in the next block
  #played: Played = { turn: "", samples: 0 };
  /** Samples that came while too much waited. */
  dropped = 0;
  /** Times that there was nothing to play, and more came of the same turn. */
  gaps = 0;
  #ranDry = false;

  constructor(rate: number, outputRate: number) {
    this.rate = rate;
    this.#resampler = new Resampler(rate, outputRate);
    this.#most = (rate * HOLDS_MS) / 1000;
    this.#start = (rate * START_MS) / 1000;
  }

  get waiting(): number {
    return this.#waiting;
  }

  get playing(): boolean {
    return this.#playing;
  }

  /** How much of the turn that played last has been played. */
  get played(): Played {
    return this.#played;
  }

  push(turn: string, samples: Float32Array): void {
    if (this.#waiting + samples.length > this.#most) {
      this.dropped += samples.length;
      return;
    }
    if (this.#ranDry && turn === this.#played.turn) this.gaps += 1;
    this.#ranDry = false;
    if (!this.#playing && this.#startsIn < 0) this.#startsIn = this.#start;
    this.#pieces.push({ turn, samples, at: 0 });
    this.#waiting += samples.length;
  }

  /** Forgets what waits of that turn; what plays of it fades out at once. */
  flush(turn: string): void {
    const head = this.#pieces[0];
    this.#pieces = this.#pieces.filter((piece) => piece.turn !== turn);
    if (this.#playing && this.#played.turn === turn) {
      const rest = head?.turn === turn ? head.samples.subarray(head.at, head.at + FADE_SAMPLES) : new Float32Array(1);
      this.#fading = { turn, samples: rest, at: 0 };
      this.#pieces.unshift(this.#fading);
    } else if (this.#pieces.length === 0) {
      this.#startsIn = -1;
    }
    this.#count();
    this.#ranDry = false;
  }

  /** Fills one block. Returns whether anything of it was a voice. */
  read(out: Float32Array): boolean {
    out.fill(0);
    if (!this.#playing) {
      if (this.#startsIn < 0) return false;
      this.#startsIn -= out.length * (this.rate / this.#resampler.to);
      if (this.#waiting < this.#start && this.#startsIn > 0) return false;
      this.#playing = true;
      this.#startsIn = -1;
    }
    const had = this.#waiting > 0;
    let needed = this.#resampler.needs(out.length);
    while (needed > 0 && this.#pieces.length > 0) needed -= this.#take(needed);
    if (needed > 0) this.#resampler.push(new Float32Array(needed)); // the end of it, then silence
    this.#resampler.pull(out);
    if (this.#fading !== null) this.#fadeOut(out, this.#fading);
    if (this.#waiting === 0) {
      this.#playing = false;
      this.#ranDry = true;
    }
    return had;
  }

  /** Gives up to `most` samples of the first piece to the resampler. */
  #take(most: number): number {
    const piece = this.#pieces[0]!;
    const count = Math.min(most, piece.samples.length - piece.at);
    this.#resampler.push(piece.samples.subarray(piece.at, piece.at + count));
    piece.at += count;
    this.#waiting -= count;
    if (piece.turn !== this.#played.turn) this.#played = { turn: piece.turn, samples: 0 };
    this.#played.samples += count;
    if (piece.at === piece.samples.length) this.#pieces.shift();
    return count;
  }

  #fadeOut(out: Float32Array, fading: Piece): void {
    for (let i = 0; i < out.length; i++) out[i]! *= Math.max(0, FADE_SAMPLES - i) / FADE_SAMPLES;
    this.#fading = null;
    this.#pieces = this.#pieces.filter((piece) => piece !== fading);
    this.#count();
    this.#resampler.reset(); // else what it looked ahead at would be heard before the next turn
  }

  #count(): void {
    this.#waiting = this.#pieces.reduce((sum, piece) => sum + piece.samples.length - piece.at, 0);
  }
}

/** s16le to -1 … 1. */
export function fromPcm16(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const samples = new Float32Array(bytes.byteLength >> 1);
  for (let i = 0; i < samples.length; i++) samples[i] = view.getInt16(2 * i, true) / 32768;
  return samples;
}

/** -1 … 1 to s16le. */
export function toPcm16(samples: Float32Array): Uint8Array {
  const bytes = new Uint8Array(2 * samples.length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < samples.length; i++) {
    const clipped = Math.max(-1, Math.min(1, samples[i]!));
    view.setInt16(2 * i, Math.round(clipped * (clipped < 0 ? 32768 : 32767)), true);
  }
  return bytes;
}

/** Root mean square, 0 … 1. */
export function level(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return samples.length === 0 ? 0 : Math.sqrt(sum / samples.length);
}
