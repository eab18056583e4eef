// Bytes to messages and back. Both codecs carry the same fields; JSON has bytes as base64.

import { decode, Encoder } from "@msgpack/msgpack";
import { type ClientMessage, faultOf, isKnown, type ServerMessage } from "./messages.ts";

export class CodecError extends Error {
  override name = "CodecError";
}

export interface Codec {
  readonly subprotocol: string;
  encode(message: ClientMessage): string | Uint8Array;
  /** A message, or null for one whose type is not known here. Raises `CodecError`. */
  decode(data: string | ArrayBuffer): ServerMessage | null;
}

class MsgPack implements Codec {
  readonly subprotocol = "rspp.1.msgpack";
  #encoder = new Encoder({ ignoreUndefined: true });

  encode(message: ClientMessage): Uint8Array {
    return this.#encoder.encode(message);
  }

  decode(data: string | ArrayBuffer): ServerMessage | null {
    if (typeof data === "string") throw new CodecError("a text message on a MessagePack connection");
    return checked(unpacked(data));
  }
}

class Json implements Codec {
  readonly subprotocol = "rspp.1.json";

  encode(message: ClientMessage): string {
    return JSON.stringify(message, (_, value: unknown) => (value instanceof Uint8Array ? toBase64(value) : value));
  }

  decode(data: string | ArrayBuffer): ServerMessage | null {
    if (typeof data !== "string") throw new CodecError("a binary message on a JSON connection");
    const message = parsed(data);
    if (typeof message["payload"] === "string") message["payload"] = fromBase64(message["payload"]);
    return checked(message);
  }
}

export const msgpack = (): Codec => new MsgPack();
export const json = (): Codec => new Json();

function unpacked(data: ArrayBuffer): unknown {
  try {
    return decode(data);
  } catch (error) {
    throw new CodecError(`not MessagePack: ${(error as Error).message}`);
  }
}

function parsed(data: string): Record<string, unknown> {
  try {
    return JSON.parse(data) as Record<string, unknown>;
  } catch (error) {
    throw new CodecError(`not JSON: ${(error as Error).message}`);
  }
}

function checked(message: unknown): ServerMessage | null {
  const fault = faultOf(message);
  if (fault !== null) throw new CodecError(fault);
  const known = message as { type: string };
  return isKnown(known) ? known : null;
}

export function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

export function fromBase64(text: string): Uint8Array {
  let raw: string;
  try {
    raw = atob(text);
  } catch {
    throw new CodecError("payload is not base64");
  }
  return Uint8Array.from(raw, (char) => char.charCodeAt(0));
}
