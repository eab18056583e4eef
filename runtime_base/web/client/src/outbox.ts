// What was sent and may have to be sent again: texts, controls and ends of playback, by their numbers; bounded.

import type { Numbered } from "./messages.ts";

export const KEPT_MAX = 256;

export type Sent = Numbered & { seq: number };

export class Outbox {
  #kept: Sent[] = [];
  #seq = 0;

  /** The last number that was given. */
  get seq(): number {
    return this.#seq;
  }

  get waiting(): number {
    return this.#kept.length;
  }

  /** Gives the next number. Raises if too much waits for an acknowledgement. */
  number(message: Numbered): Sent {
    const isKept = keeps(message);
    if (isKept && this.#kept.length >= KEPT_MAX) {
      throw new Error(`${KEPT_MAX} messages were sent and none of them was acknowledged: is the server still there?`);
    }
    const sent: Sent = { ...message, seq: ++this.#seq };
    if (isKept) this.#kept.push(sent);
    return sent;
  }

  /** The server took everything up to `received`. */
  acknowledge(received: number): void {
    while (this.#kept[0] !== undefined && this.#kept[0].seq <= received) this.#kept.shift();
  }

  /** What the server has not taken, in order. `received` may be ahead of this client: another process knows more. */
  after(received: number): readonly Sent[] {
    this.acknowledge(received);
    this.#seq = Math.max(this.#seq, received);
    return this.#kept;
  }
}

/** Audio is not sent again, and where playback stands now matters more than where it stood. */
function keeps(message: Numbered): boolean {
  return message.type !== "audio" && !(message.type === "delivery" && message.signal === "playback_progress");
}
