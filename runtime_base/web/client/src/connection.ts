// A session's connection: hello, numbers, acknowledgements, pings, and coming back after a loss. No audio devices here.
//
//     connecting ──▶ connected ◀──▶ reconnecting ──▶ ended
//
// It never waits without a deadline, and nothing in it grows without a bound.

import { backoffMs, comesBack } from "./backoff.ts";
import { type Codec, CodecError, msgpack } from "./codec.ts";
import { Emitter } from "./emitter.ts";
import {
  type AudioOut,
  type ControlSignal,
  type DeliverySignal,
  type Failure,
  type Flush,
  type Format,
  type Goodbye,
  type Hello,
  type Numbered,
  PCM_16K,
  PROTOCOL,
  type ServerMessage,
  type Signal,
  type TextOut,
  type Transcript,
  type Unnumbered,
  type Welcome,
} from "./messages.ts";
import { Outbox, type Sent } from "./outbox.ts";

export type State = "idle" | "connecting" | "connected" | "reconnecting" | "ended";

export interface Events {
  state: State;
  welcome: Welcome;
  audio: AudioOut;
  text: TextOut;
  transcript: Transcript;
  signal: Signal;
  flush: Flush;
  /** The server did not take a message, or said something that could not be read. The connection goes on. */
  error: Failure;
  goodbye: Goodbye;
  /** How long a ping took there and back, in ms. */
  rtt: number;
  /** Why the session is over. */
  ended: Ended;
}

export interface Ended {
  code: number;
  reason: string;
}

/** What the browser's WebSocket and the package `ws` have in common. */
export interface Socket {
  binaryType: string;
  readonly bufferedAmount: number;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: { data: never }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  onerror: ((event: never) => void) | null;
}

export interface Options {
  /** `wss://host/v1/session`. */
  url: string;
  /** A session's token, good for one connection: a function is asked for it when it is needed. */
  token: string | (() => Promise<string>);
  codec?: Codec;
  audioIn?: Format | null;
  audioOut?: Format | null;
  playback?: "acked" | "none";
  echoCancelled?: boolean;
  attributes?: Record<string, string>;
  client?: string;
  open?: (url: string, protocols: string[]) => Socket;
  random?: () => number;
}

export const HELLO_MS = 8_000; // from the first byte to `welcome`
export const ACK_MS = 1_000;
export const ACK_MESSAGES = 10;
export const PING_MS = 5_000; // while somebody looks at the time it takes; the protocol asks for less
export const SILENT_MS = 15_000; // nothing at all came, not even a pong: the socket is taken for dead
export const BEHIND_BYTES = 64_000; // two seconds of audio wait in the socket: more is not put behind them

export class Connection extends Emitter<Events> {
  readonly #options: Options;
  readonly #codec: Codec;
  readonly #outbox = new Outbox();
  #state: State = "idle";
  #socket: Socket | null = null;
  #welcome: Welcome | null = null;
  #comeback: { token: string; untilMs: number; withinMs: number } | null = null;
  #lostMs = 0;
  #afterMs = 0; // the server asked to wait that long
  #received = 0;
  #acknowledged = 0;
  #heardMs = 0;
  #saidMs = 0;
  #attempt = 0;
  #timers = new Set<ReturnType<typeof setTimeout>>();
  #beat: ReturnType<typeof setInterval> | null = null;
  #settled: { resolve: (welcome: Welcome) => void; reject: (error: Error) => void } | null = null;
  /** Audio frames that were not sent, because nobody was there or too many waited. */
  skippedFrames = 0;

  constructor(options: Options) {
    super();
    this.#options = options;
    this.#codec = options.codec ?? msgpack();
  }

  get state(): State {
    return this.#state;
  }

  get welcome(): Welcome | null {
    return this.#welcome;
  }

  get received(): number {
    return this.#received;
  }

  /** Opens the session. Rejects when it cannot be opened: a first connection is not tried again by itself. */
  connect(): Promise<Welcome> {
    if (this.#state !== "idle") return Promise.reject(new Error(`connect() once: this connection is ${this.#state}`));
    this.#turn("connecting");
    return new Promise((resolve, reject) => {
      this.#settled = { resolve, reject };
      void this.#dial();
    });
  }

  /** One packet of the user's audio, in the agreed format. Lost where nobody can take it: speech does not wait. */
  audio(payload: Uint8Array, sampleIndex?: number): boolean {
    const socket = this.#socket;
    if (this.#state !== "connected" || socket === null || socket.bufferedAmount > BEHIND_BYTES) {
      this.skippedFrames += 1;
      return false;
    }
    this.#number({ type: "audio", payload, ...(sampleIndex === undefined ? {} : { sample_index: sampleIndex }) });
    return true;
  }

  /** What the user typed: one utterance. Kept until it is acknowledged, and sent again after a loss. */
  text(text: string): void {
    this.#number({ type: "text", text });
  }

  control(signal: ControlSignal, key?: string): void {
    this.#number({ type: "control", signal, ...(key === undefined ? {} : { key }) });
  }

  delivery(signal: DeliverySignal, turnId: string, playedMs: number): void {
    this.#number({ type: "delivery", signal, turn_id: turnId, played_ms: Math.max(0, Math.round(playedMs)) });
  }

  /** Hangs up. The session is over and cannot be taken up again. */
  bye(reason = "hung up"): void {
    if (this.#state === "ended" || this.#state === "idle") return;
    if (this.#state === "connected") this.#put({ type: "bye", reason });
    this.#end({ code: 1000, reason });
  }

  /** Drops the socket as a lost network would, and comes back: for tests, and for a person who wants to see it. */
  drop(): void {
    this.#socket?.close(4000, "dropped");
  }

  // ---- a socket's life

  async #dial(): Promise<void> {
    const comeback = this.#comeback;
    let token: string;
    try {
      const given = this.#options.token;
      token = comeback?.token ?? (typeof given === "string" ? given : await given());
    } catch (error) {
      this.#lost(0, (error as Error).message);
      return;
    }
    if (this.#state === "ended") return;
    const open = this.#options.open ?? browserSocket;
    let socket: Socket;
    try {
      socket = open(this.#options.url, [this.#codec.subprotocol, `rspp.bearer.${token}`]);
    } catch (error) {
      this.#lost(0, (error as Error).message);
      return;
    }
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    const late = this.#later(HELLO_MS, () => socket === this.#socket && this.#gone(socket, 0, "no welcome in time"));
    socket.onopen = () => socket === this.#socket && this.#put(this.#hello());
    socket.onmessage = (event) => {
      if (socket !== this.#socket) return;
      if (this.#state !== "connected" && this.#take(event.data)) this.#forget(late);
      else if (this.#state === "connected") this.#take(event.data);
    };
    socket.onclose = (event) => this.#gone(socket, event.code, event.reason);
    socket.onerror = () => undefined; // a close follows, which says more
  }

  #hello(): Hello {
    const { audioIn = PCM_16K, audioOut = PCM_16K, playback = "none", echoCancelled = false } = this.#options;
    return {
      type: "hello",
      protocol: PROTOCOL,
      audio_in: audioIn,
      audio_out: audioOut,
      playback,
      echo_cancelled: echoCancelled,
      client: this.#options.client ?? "rspp-client/0.1.0",
      ...(this.#welcome === null ? {} : { resume: { received: this.#received } }),
      ...(this.#options.attributes === undefined ? {} : { attributes: this.#options.attributes }),
    };
  }

  #gone(socket: Socket, code: number, reason: string): void {
    if (socket !== this.#socket) return;
    this.#socket = null;
    socket.onclose = null;
    socket.close();
    this.#rest();
    this.#lost(code, reason);
  }

  /** There is no socket any more: comes back where that can be, else the session is over. */
  #lost(code: number, reason: string): void {
    if (this.#state === "ended") return;
    const comeback = this.#comeback;
    if (comeback === null || !comesBack(code)) {
      const why = reason || (this.#welcome === null ? "the server did not take the connection" : `closed, ${code}`);
      this.#end({ code, reason: why });
      return;
    }
    const now = Date.now();
    if (this.#state === "connected") {
      this.#lostMs = now;
      this.#attempt = 0;
      comeback.untilMs = now + comeback.withinMs;
      this.#turn("reconnecting");
    }
    const wait = Math.max(this.#afterMs, backoffMs(this.#attempt++, this.#options.random));
    this.#afterMs = 0;
    if (now + wait > comeback.untilMs) {
      this.#end({ code, reason: `nobody answered for ${Math.round((now - this.#lostMs) / 1000)} s` });
      return;
    }
    this.#later(wait, () => void this.#dial());
  }

  #end(ended: Ended): void {
    const socket = this.#socket;
    this.#socket = null;
    if (socket !== null) {
      socket.onclose = null;
      socket.close(1000);
    }
    this.#rest();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#comeback = null;
    this.#turn("ended");
    this.#settled?.reject(new Error(ended.reason));
    this.#settled = null;
    this.emit("ended", ended);
  }

  // ---- what comes

  /** Whether it was the `welcome`. */
  #take(data: string | ArrayBuffer): boolean {
    this.#heardMs = Date.now();
    let message: ServerMessage | null;
    try {
      message = this.#codec.decode(data);
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      this.emit("error", { type: "error", code: "unreadable", reason: error.message });
      return false;
    }
    if (message === null) return false;
    if ("seq" in message) {
      if (message.seq <= this.#received) return false; // it came before the loss
      this.#received = message.seq;
      if (this.#received - this.#acknowledged >= ACK_MESSAGES) this.#acknowledge();
    }
    switch (message.type) {
      case "welcome":
        this.#welcomed(message);
        return true;
      case "audio":
        this.emit("audio", message);
        break;
      case "text":
        this.emit("text", message);
        break;
      case "transcript":
        this.emit("transcript", message);
        break;
      case "signal":
        this.emit("signal", message);
        break;
      case "flush":
        this.emit("flush", message);
        break;
      case "ack":
        this.#outbox.acknowledge(message.received);
        break;
      case "token":
        this.#remember(message.token, message.within_ms);
        break;
      case "pong":
        if (message.t !== undefined) this.emit("rtt", Math.max(0, Math.round(performance.now()) - message.t));
        break;
      case "error":
        this.emit("error", message);
        break;
      case "goodbye":
        this.#goodbye(message);
        break;
    }
    return false;
  }

  #welcomed(welcome: Welcome): void {
    this.#welcome = welcome;
    this.#remember(welcome.resume.token, welcome.resume.within_ms);
    if (!welcome.resumed) this.#received = this.#acknowledged = 0;
    this.#turn("connected");
    this.#beat = setInterval(() => this.#tick(), ACK_MS);
    this.emit("welcome", welcome);
    for (const sent of this.#outbox.after(welcome.resumed ? welcome.received : 0)) this.#put(sent);
    this.#settled?.resolve(welcome);
    this.#settled = null;
    this.#ping();
  }

  #goodbye(goodbye: Goodbye): void {
    if (goodbye.resume === null || goodbye.resume === undefined) this.#comeback = null;
    else this.#remember(goodbye.resume.token, goodbye.resume.within_ms);
    this.#afterMs = goodbye.after_ms ?? 0;
    this.emit("goodbye", goodbye);
  }

  #remember(token: string, withinMs: number): void {
    this.#comeback = { token, withinMs, untilMs: Date.now() + withinMs };
  }

  // ---- what goes

  #number(message: Numbered): void {
    if (this.#state === "ended") throw new Error("the session is over");
    const sent = this.#outbox.number(message);
    if (this.#state === "connected") this.#put(sent);
  }

  #put(message: Sent | Unnumbered): void {
    const socket = this.#socket;
    if (socket === null) return;
    this.#saidMs = Date.now();
    socket.send(this.#codec.encode(message) as string | Uint8Array<ArrayBuffer>);
  }

  #acknowledge(): void {
    if (this.#state !== "connected" || this.#received === this.#acknowledged) return;
    this.#acknowledged = this.#received;
    this.#put({ type: "ack", received: this.#received });
  }

  #tick(): void {
    const now = Date.now();
    const socket = this.#socket;
    if (socket !== null && now - this.#heardMs > SILENT_MS) {
      this.#gone(socket, 0, "nothing came any more");
      return;
    }
    this.#acknowledge();
    if (now - this.#pingedMs >= PING_MS || now - this.#saidMs >= (this.#welcome?.ping_ms ?? PING_MS)) this.#ping();
  }

  #pingedMs = 0;

  #ping(): void {
    this.#pingedMs = Date.now();
    this.#put({ type: "ping", t: Math.round(performance.now()) });
  }

  // ---- states and timers

  #turn(state: State): void {
    if (state === this.#state) return;
    this.#state = state;
    this.emit("state", state);
  }

  #rest(): void {
    if (this.#beat !== null) clearInterval(this.#beat);
    this.#beat = null;
  }

  #later(ms: number, act: () => void): ReturnType<typeof setTimeout> {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, ms);
    this.#timers.add(timer);
    return timer;
  }

  #forget(timer: ReturnType<typeof setTimeout>): void {
    clearTimeout(timer);
    this.#timers.delete(timer);
  }
}

function browserSocket(url: string, protocols: string[]): Socket {
  return new WebSocket(url, protocols) as unknown as Socket;
}
