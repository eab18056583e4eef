// In the audio thread: plays what it is sent, forgets what it is told to, and says what really left.

import type { FromPlayer, ToPlayer } from "./player.ts";
import { fromPcm16, level, PlayQueue } from "./play_queue.ts";

const REPORT_S = 0.05;

class Player extends AudioWorkletProcessor {
  #queue: PlayQueue;
  #saidAt = 0;
  #said = "";
  #power = 0;
  #blocks = 0;

  constructor(options: { processorOptions: { rate: number } }) {
    super();
    this.#queue = new PlayQueue(options.processorOptions.rate, sampleRate);
    this.port.onmessage = (event: MessageEvent<ToPlayer>) => this.#told(event.data);
  }

  #told(message: ToPlayer): void {
    if (message.type === "push") {
      this.#queue.push(message.turn, fromPcm16(new Uint8Array(message.pcm)));
    } else {
      this.#queue.flush(message.turn);
      this.#say();
    }
  }

  override process(_: Float32Array[][], outputs: Float32Array[][]): boolean {
    const out = outputs[0]?.[0];
    if (out === undefined) return true;
    const before = this.#queue.playing ? this.#queue.played.turn : "";
    const voiced = this.#queue.read(out);
    for (const channel of outputs[0]!.slice(1)) channel.set(out);
    if (voiced) {
      this.#power += level(out) ** 2;
      this.#blocks += 1;
    }
    const now = this.#queue.playing ? this.#queue.played.turn : "";
    const turned = now !== before || now !== this.#said;
    if (turned || (voiced && currentTime - this.#saidAt >= REPORT_S)) this.#say();
    return true;
  }

  #say(): void {
    const queue = this.#queue;
    const report: FromPlayer = {
      turn: queue.played.turn,
      samples: queue.played.samples,
      playing: queue.playing,
      waiting: queue.waiting,
      level: this.#blocks === 0 ? 0 : Math.sqrt(this.#power / this.#blocks),
      gaps: queue.gaps,
      dropped: queue.dropped,
      at: currentTime,
    };
    this.port.postMessage(report);
    this.#saidAt = currentTime;
    this.#said = queue.playing ? queue.played.turn : "";
    this.#power = this.#blocks = 0;
  }
}

registerProcessor("rspp-player", Player);
