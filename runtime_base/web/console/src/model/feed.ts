// What the server tells of a session (docs/console.md), and the socket that brings it.

import { backoffMs, Emitter, socketUrl } from "rspp-client";

export type Lane = "control" | "data" | "telemetry";

export interface FeedEvent {
  n: number;
  t: number; // us since the session began
  kind: string;
  lane: Lane;
  node?: string;
  port?: string;
  edge?: string;
  turn?: number;
  text?: string;
  bytes?: number;
  items?: number;
  last?: number; // us: of items that were put together
  signal?: string;
  reason?: string;
  emitted_by?: string;
  edge_id?: string;
  node_id?: string;
  record?: Record<string, unknown>;
  words?: number;
  play_us?: number;
  until_us?: number;
  media_us?: number;
  provider?: string;
  outcome?: string;
  invocation?: number;
  attempt?: number;
  start_us?: number;
  first_us?: number | null;
  high?: number;
  shed?: number;
  what?: string;
  at?: string;
}

export interface Introduction {
  type: "feed";
  session_id: string;
  kernel: string;
  level: string;
  texts: "shown" | "masked";
  now_us: number;
}

export interface Batch {
  type: "events";
  now_us: number;
  dropped: number;
  depths: number[];
  events: FeedEvent[];
}

interface FeedEvents {
  introduction: Introduction;
  batch: Batch;
  state: "connecting" | "open" | "lost" | "over";
}

const TRIES_MAX = 12;

/** The socket; comes back after a loss, and gives up after a while: the conversation does not need it. */
export class Feed extends Emitter<FeedEvents> {
  readonly #base: string;
  readonly #id: string;
  readonly #token: string;
  #socket: WebSocket | null = null;
  #tries = 0;
  #timer = 0;
  #closed = false;

  constructor(base: string, id: string, token: string) {
    super();
    this.#base = base;
    this.#id = id;
    this.#token = token;
  }

  open(): void {
    this.emit("state", "connecting");
    const url = socketUrl(this.#base, `/v1/sessions/${encodeURIComponent(this.#id)}/events`);
    const protocols = this.#token === "" ? ["rspp.1.json"] : ["rspp.1.json", `rspp.bearer.${this.#token}`];
    const socket = new WebSocket(url, protocols);
    this.#socket = socket;
    socket.onmessage = (event: MessageEvent<string>) => this.#take(event.data);
    socket.onclose = () => {
      if (this.#closed || socket !== this.#socket) return;
      this.emit("state", "lost");
      if (this.#tries < TRIES_MAX) this.#timer = window.setTimeout(() => this.open(), backoffMs(this.#tries++));
    };
  }

  close(): void {
    this.#closed = true;
    window.clearTimeout(this.#timer);
    this.#socket?.close(1000);
  }

  #take(data: string): void {
    let message: Introduction | Batch | { type: "over" };
    try {
      message = JSON.parse(data) as typeof message;
    } catch {
      return; // nothing that this page can use; the next one may be
    }
    if (message.type === "feed") {
      this.#tries = 0;
      this.emit("state", "open");
      this.emit("introduction", message);
    } else if (message.type === "events" && Array.isArray(message.events)) {
      this.emit("batch", message);
    } else if (message.type === "over") {
      this.#closed = true;
      this.emit("state", "over");
    }
  }
}
