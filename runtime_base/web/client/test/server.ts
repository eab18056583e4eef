// A small server that says what it is told to say, over a real socket; for tests of the connection.

import type { AddressInfo } from "node:net";
import { decode, encode } from "@msgpack/msgpack";
import { WebSocket, WebSocketServer } from "ws";
import type { ClientMessage, Welcome } from "../src/messages.ts";
import type { Socket } from "../src/connection.ts";

export const WAIT_MS = 4_000;

export class Peer {
  readonly protocols: string[];
  readonly #socket: WebSocket;
  readonly #binary: boolean;
  #inbox: ClientMessage[] = [];
  #wake: (() => void) | null = null;

  constructor(socket: WebSocket, protocols: string[]) {
    this.#socket = socket;
    this.#binary = socket.protocol === "rspp.1.msgpack";
    this.protocols = protocols;
    socket.on("message", (data: Buffer, isBinary: boolean) => {
      this.#inbox.push((isBinary ? decode(data) : JSON.parse(data.toString())) as ClientMessage);
      this.#wake?.();
    });
  }

  /** The next message that is no ping, or of the type that is asked for. */
  async next<T extends ClientMessage["type"]>(type: T): Promise<Extract<ClientMessage, { type: T }>> {
    const until = Date.now() + WAIT_MS;
    for (;;) {
      const at = this.#inbox.findIndex((one) => one.type === type);
      if (at >= 0) return this.#inbox.splice(at, 1)[0] as Extract<ClientMessage, { type: T }>;
      if (Date.now() > until) throw new Error(`no ${type} came: ${JSON.stringify(this.#inbox)}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, 50);
      });
    }
  }

  has(type: string): boolean {
    return this.#inbox.some((one) => one.type === type);
  }

  say(message: object): void {
    this.#socket.send(this.#binary ? encode(message) : JSON.stringify(message));
  }

  raw(data: string | Uint8Array): void {
    this.#socket.send(data);
  }

  close(code = 1000, reason = ""): void {
    this.#socket.close(code, reason);
  }

  cut(): void {
    this.#socket.terminate();
  }
}

export class Server {
  readonly url: string;
  readonly #server: WebSocketServer;
  #peers: Peer[] = [];
  #wake: (() => void) | null = null;

  private constructor(server: WebSocketServer) {
    this.#server = server;
    this.url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/v1/session`;
    server.on("connection", (socket, request) => {
      const offered = String(request.headers["sec-websocket-protocol"]).split(",").map((one) => one.trim());
      this.#peers.push(new Peer(socket, offered));
      this.#wake?.();
    });
  }

  static async open(): Promise<Server> {
    const handleProtocols = (offered: Set<string>): string | false => [...offered].find((one) => one.startsWith("rspp.1.")) ?? false;
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols });
    await new Promise((resolve) => server.once("listening", resolve));
    return new Server(server);
  }

  async peer(): Promise<Peer> {
    const until = Date.now() + WAIT_MS;
    while (this.#peers.length === 0) {
      if (Date.now() > until) throw new Error("nobody connected");
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, 50);
      });
    }
    return this.#peers.shift()!;
  }

  async close(): Promise<void> {
    for (const client of this.#server.clients) client.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export const open = (url: string, protocols: string[]): Socket => new WebSocket(url, protocols) as unknown as Socket;

export const welcome = (more: Partial<Welcome> = {}): Welcome => ({
  type: "welcome",
  session_id: "s-1",
  pipeline: "p",
  pipeline_version: "1",
  template_hash: "00",
  authority_epoch: 1,
  tenant: "t",
  audio_in: null,
  audio_out: null,
  resumed: false,
  received: 0,
  lead_ms: 200,
  ping_ms: 20_000,
  message_bytes_max: 65_536,
  resume: { token: "back-1", within_ms: 3_000 },
  ...more,
});

export async function until(what: () => boolean): Promise<void> {
  const end = Date.now() + WAIT_MS;
  while (!what()) {
    if (Date.now() > end) throw new Error(`did not happen: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
