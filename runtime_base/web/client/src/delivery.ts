// What the server is told of playback, from what really left the loudspeaker.
//
// A turn's playback is over when nothing of it waits and the server has said that nothing more comes; or at a flush.

import type { DeliverySignal } from "./messages.ts";
import type { Playback } from "./player.ts";

export const PROGRESS_MS = 100; // of audio, between two reports; the protocol asks for 200 at most

/** Signals of the server after which a turn says nothing more. */
const LAST = new Set(["playback_completed", "playback_cancelled", "commit", "abort", "close"]);

export type Tell = (signal: DeliverySignal, turn: string, playedMs: number) => void;

export class Delivery {
  readonly #tell: Tell;
  #turn = "";
  #playedMs = 0;
  #toldMs = 0;
  #playing = false;
  #flushed = false;
  #over = true; // the end of #turn has been told
  #spoken = new Set<string>(); // turns of which nothing more comes; the last few

  constructor(tell: Tell) {
    this.#tell = tell;
  }

  /** The player has said how far it is. */
  played(report: Playback): void {
    if (report.turn === "") return;
    if (report.turn !== this.#turn) {
      if (report.samples === 0) return;
      if (!this.#over) this.#end("playback_completed"); // another turn plays: nothing of this one does
      this.#turn = report.turn;
      this.#toldMs = report.heardMs;
      this.#over = false;
      this.#playedMs = report.heardMs;
      this.#tell("playback_started", this.#turn, Math.floor(report.heardMs));
    }
    if (this.#over) return;
    this.#playing = report.playing;
    // What the device holds at a flush will be heard: it is too late to take it back.
    this.#playedMs = Math.max(this.#playedMs, this.#flushed ? report.playedMs : report.heardMs);
    if (this.#flushed) {
      this.#end("playback_cancelled");
      return;
    }
    if (!this.#playing && this.#spoken.has(this.#turn)) this.#end("playback_completed");
    else if (this.#playedMs - this.#toldMs >= PROGRESS_MS || (!this.#playing && this.#playedMs > this.#toldMs)) {
      this.#toldMs = this.#playedMs;
      this.#tell("playback_progress", this.#turn, Math.floor(this.#playedMs));
    }
  }

  /** The server took it back: told as soon as the player has said how far it was. */
  flushed(turn: string): void {
    if (turn === this.#turn && !this.#over) this.#flushed = true;
  }

  /** The player should have said so by now. */
  settle(): void {
    if (this.#flushed && !this.#over) this.#end("playback_cancelled");
  }

  /** A signal of the server about `turn`. */
  signalled(signal: string, turn: string): void {
    if (!LAST.has(signal)) return;
    this.#spoken.add(turn);
    if (this.#spoken.size > 8) this.#spoken.delete(this.#spoken.values().next().value as string);
    if (turn === this.#turn && !this.#over && !this.#playing) this.#end("playback_completed");
  }

  #end(signal: DeliverySignal): void {
    this.#over = true;
    this.#flushed = false;
    this.#tell(signal, this.#turn, Math.floor(this.#playedMs));
  }
}
