// A whole call in a browser: the connection, the loudspeaker and, when the user allows it, the microphone.

import { Connection, type Events, type Options } from "./connection.ts";
import { Delivery } from "./delivery.ts";
import { Emitter } from "./emitter.ts";
import type { Welcome } from "./messages.ts";
import { type Frame, Microphone } from "./microphone.ts";
import { type Playback, Player } from "./player.ts";

export interface CallEvents extends Events {
  playback: Playback;
  frame: Frame;
  microphone: "off" | "closed" | "open" | "lost";
}

export interface CallOptions extends Omit<Options, "playback" | "echoCancelled"> {
  /** Where the worklets `player.js` and `capture.js` are served from, with a slash at the end. */
  worklets: string;
}

const SETTLE_MS = 100; // the player answers a flush within a block, unless the browser has put it to sleep

export class Call extends Emitter<CallEvents> {
  readonly connection: Connection;
  readonly #options: CallOptions;
  readonly #delivery: Delivery;
  #context: AudioContext | null = null;
  #player: Promise<Player> | null = null;
  #loud: Player | null = null;
  #microphone: Microphone | null = null;

  constructor(options: CallOptions) {
    super();
    this.#options = options;
    // The microphone is opened with the browser's echo cancellation, and there is no other way in.
    this.connection = new Connection({ ...options, playback: "acked", echoCancelled: true });
    this.#delivery = new Delivery((signal, turn, ms) => {
      if (this.connection.state !== "ended") this.connection.delivery(signal, turn, ms);
    });
    const connection = this.connection;
    for (const name of ["state", "welcome", "text", "transcript", "error", "goodbye", "rtt"] as const) {
      connection.on(name, (value) => this.emit(name, value as never));
    }
    connection.on("audio", (message) => {
      this.#loud?.push(message.turn_id, message.payload);
      this.emit("audio", message);
    });
    connection.on("flush", (message) => {
      this.#loud?.flush(message.turn_id);
      this.#delivery.flushed(message.turn_id);
      setTimeout(() => this.#delivery.settle(), SETTLE_MS);
      this.emit("flush", message);
    });
    connection.on("signal", (message) => {
      if (message.turn_id !== undefined) this.#delivery.signalled(message.signal, message.turn_id);
      this.emit("signal", message);
    });
    connection.on("ended", (ended) => {
      void this.#silence();
      this.emit("ended", ended);
    });
  }

  /** Opens the session, and the loudspeaker: call it from a click or a key, which browsers ask for. */
  async start(): Promise<Welcome> {
    await this.#speaker();
    return this.connection.connect();
  }

  /** Asks for the microphone, once. Afterwards `talk` opens and closes it. */
  async listen(): Promise<void> {
    if (this.#microphone !== null) return;
    await this.#speaker();
    const format = this.connection.welcome?.audio_in ?? { rate_hz: 16_000, frame_ms: 20 };
    const worklet = new URL("capture.js", new URL(this.#options.worklets, location.href)).href;
    const microphone = await Microphone.open(this.#context!, worklet, format.rate_hz, format.frame_ms);
    this.#microphone = microphone;
    microphone.on("frame", (frame) => {
      this.connection.audio(frame.pcm, frame.index);
      this.emit("frame", frame);
    });
    microphone.on("lost", () => {
      this.#microphone = null;
      this.emit("microphone", "lost");
    });
    this.emit("microphone", "closed");
  }

  get isOpen(): boolean {
    return this.#microphone?.isOpen ?? false;
  }

  get hasMicrophone(): boolean {
    return this.#microphone !== null;
  }

  /** Opens or closes the microphone that `listen` has got. */
  talk(open: boolean): void {
    const microphone = this.#microphone;
    if (microphone === null || microphone.isOpen === open) return;
    microphone.isOpen = open;
    this.emit("microphone", open ? "open" : "closed");
  }

  hangUp(): void {
    this.connection.bye();
  }

  async #speaker(): Promise<void> {
    this.#context ??= new AudioContext({ latencyHint: "interactive" });
    void this.#context.resume();
    const worklet = new URL("player.js", new URL(this.#options.worklets, location.href)).href;
    this.#player ??= Player.open(this.#context, worklet, this.#options.audioOut?.rate_hz ?? 16_000);
    if (this.#loud !== null) return;
    this.#loud = await this.#player;
    this.#loud.on("playback", (report) => {
      this.#delivery.played(report);
      this.emit("playback", report);
    });
  }

  async #silence(): Promise<void> {
    this.#microphone?.close();
    this.#microphone = null;
    const loud = this.#loud;
    this.#loud = null;
    await loud?.close().catch(() => undefined);
  }
}
