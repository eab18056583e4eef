// The messages of rspp/1, as docs/protocol.md has them. Numbers are integers; `payload` is bytes here, whatever the codec.

export const PROTOCOL = "rspp/1";

export interface Format {
  encoding: "pcm16" | "ulaw" | "opus";
  rate_hz: number;
  channels: number;
  frame_ms: number;
}

export const PCM_16K: Format = { encoding: "pcm16", rate_hz: 16_000, channels: 1, frame_ms: 20 };

export interface Comeback {
  token: string;
  within_ms: number;
}

// ---- from the client

export interface Hello {
  type: "hello";
  protocol: typeof PROTOCOL;
  audio_in: Format | null;
  audio_out: Format | null;
  playback: "acked" | "none";
  echo_cancelled: boolean;
  resume?: { received: number };
  attributes?: Record<string, string>;
  client?: string;
}

export type ControlSignal = "end_utterance" | "cancel" | "button_down" | "button_up" | "dtmf";

export type DeliverySignal = "playback_started" | "playback_progress" | "playback_completed" | "playback_cancelled";

export type Numbered =
  | { type: "audio"; payload: Uint8Array; sample_index?: number }
  | { type: "text"; text: string }
  | { type: "control"; signal: ControlSignal; key?: string }
  | { type: "delivery"; signal: DeliverySignal; turn_id: string; played_ms: number };

export type Unnumbered =
  | Hello
  | { type: "ack"; received: number }
  | { type: "ping"; t?: number }
  | { type: "bye"; reason?: string };

export type ClientMessage = (Numbered & { seq: number }) | Unnumbered;

// ---- from the server

export interface Welcome {
  type: "welcome";
  session_id: string;
  pipeline: string;
  pipeline_version: string;
  template_hash: string;
  authority_epoch: number;
  tenant: string;
  audio_in: Format | null;
  audio_out: Format | null;
  resumed: boolean;
  received: number;
  lead_ms: number;
  ping_ms: number;
  message_bytes_max: number;
  resume: Comeback;
}

export interface AudioOut {
  type: "audio";
  seq: number;
  turn_id: string;
  pts_ms: number;
  payload: Uint8Array;
}

export interface TextOut {
  type: "text";
  seq: number;
  turn_id: string;
  text: string;
}

export interface Transcript {
  type: "transcript";
  seq: number;
  text: string;
  final: boolean;
}

export interface Signal {
  type: "signal";
  seq: number;
  signal: string;
  turn_id?: string;
  reason?: string;
  emitted_by: string;
  authority_epoch: number;
  runtime_sequence: number;
  runtime_timestamp_ms: number;
  detail?: { words?: number; bytes?: number; basis?: string; error_ms?: number };
}

export interface Flush {
  type: "flush";
  seq: number;
  turn_id: string;
}

export interface Failure {
  type: "error";
  code: string;
  reason: string;
  field?: string;
}

export interface Goodbye {
  type: "goodbye";
  code: number | string;
  reason: string;
  resume: Comeback | null;
  after_ms?: number;
}

export type ServerMessage =
  | Welcome
  | AudioOut
  | TextOut
  | Transcript
  | Signal
  | Flush
  | { type: "ack"; received: number }
  | { type: "token"; seq: number; token: string; within_ms: number }
  | { type: "pong"; t?: number }
  | Failure
  | Goodbye;

type Kind = "text" | "count" | "flag" | "bytes" | "comeback" | "comeback?" | "any";

const FIELDS: Record<ServerMessage["type"], Record<string, Kind>> = {
  welcome: { session_id: "text", resumed: "flag", received: "count", ping_ms: "count", resume: "comeback" },
  audio: { seq: "count", turn_id: "text", payload: "bytes" },
  text: { seq: "count", turn_id: "text", text: "text" },
  transcript: { seq: "count", text: "text", final: "flag" },
  signal: { seq: "count", signal: "text", runtime_timestamp_ms: "count" },
  flush: { seq: "count", turn_id: "text" },
  ack: { received: "count" },
  token: { seq: "count", token: "text", within_ms: "count" },
  pong: {},
  error: { code: "any", reason: "text" },
  goodbye: { code: "any", reason: "text", resume: "comeback?" },
};

/** What is wrong with a message of the server, or null. One of an unknown type is not wrong: it is ignored. */
export function faultOf(message: unknown): string | null {
  if (!isMap(message)) return "a message is not a map";
  const type = message["type"];
  if (typeof type !== "string") return "a message has no type";
  for (const [name, kind] of Object.entries(FIELDS[type as ServerMessage["type"]] ?? {})) {
    if (!holds(message[name], kind)) return `${type}.${name} is not ${WORDS[kind]}`;
  }
  return null;
}

export function isKnown(message: { type: string }): message is ServerMessage {
  return message.type in FIELDS;
}

const WORDS: Record<Kind, string> = {
  text: "a text",
  count: "a number from 0 on",
  flag: "true or false",
  bytes: "bytes",
  comeback: "a token with a time",
  "comeback?": "a token with a time, or null",
  any: "there",
};

function holds(value: unknown, kind: Kind): boolean {
  switch (kind) {
    case "text":
      return typeof value === "string";
    case "count":
      return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
    case "flag":
      return typeof value === "boolean";
    case "bytes":
      return value instanceof Uint8Array;
    case "comeback":
      return isMap(value) && typeof value["token"] === "string" && typeof value["within_ms"] === "number";
    case "comeback?":
      return value === null || value === undefined || holds(value, "comeback");
    case "any":
      return value !== undefined;
  }
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}
