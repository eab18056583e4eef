// The loudspeaker: hands audio to the worklet, and says what was heard of it.

import { Emitter } from "./emitter.ts";

export type ToPlayer = { type: "push"; turn: string; pcm: ArrayBuffer } | { type: "flush"; turn: string };

/** What the worklet says: how much of `turn` has left, in samples at the session's rate. */
export interface FromPlayer {
  turn: string;
  samples: number;
  playing: boolean;
  waiting: number;
  level: number; // of the block before, 0 … 1
  gaps: number;
  dropped: number;
  at: number; // the context's time, s
}

export interface Playback extends FromPlayer {
  /** What has left the loudspeaker, in ms: `samples`, less what the device still holds. */
  heardMs: number;
  playedMs: number;
  heldMs: number; // by the device: what the worklet gave away is heard so much later
}

export class Player extends Emitter<{ playback: Playback }> {
  readonly context: AudioContext;
  readonly #node: AudioWorkletNode;
  readonly #rate: number;

  private constructor(context: AudioContext, node: AudioWorkletNode, rate: number) {
    super();
    this.context = context;
    this.#node = node;
    this.#rate = rate;
    node.port.onmessage = (event: MessageEvent<FromPlayer>) => this.#told(event.data);
    node.connect(context.destination);
  }

  /** `worklet`: where `player.js` is served from. `rate`: of the session's audio. Raises what the browser raises. */
  static async open(context: AudioContext, worklet: string, rate: number): Promise<Player> {
    await context.audioWorklet.addModule(worklet);
    const options = { numberOfInputs: 0, outputChannelCount: [1], processorOptions: { rate } };
    return new Player(context, new AudioWorkletNode(context, "rspp-player", options), rate);
  }

  push(turn: string, pcm16: Uint8Array): void {
    const pcm = new Uint8Array(pcm16).buffer; // a copy: what came may be a part of something larger
    this.#node.port.postMessage({ type: "push", turn, pcm } satisfies ToPlayer, [pcm]);
  }

  flush(turn: string): void {
    this.#node.port.postMessage({ type: "flush", turn } satisfies ToPlayer);
  }

  async close(): Promise<void> {
    this.#node.disconnect();
    this.#node.port.close();
    await this.context.close();
  }

  #told(report: FromPlayer): void {
    const playedMs = (1000 * report.samples) / this.#rate;
    const heldMs = 1000 * ((this.context.outputLatency || 0) + (this.context.baseLatency || 0));
    this.emit("playback", { ...report, heldMs, playedMs, heardMs: Math.max(0, playedMs - (report.playing ? heldMs : 0)) });
  }
}
