// The conversation as it is shown: who said what, and what was heard of it.

import type { Signal } from "rspp-client";

export interface Line {
  id: number;
  who: "user" | "assistant" | "note";
  turn: number; // 0: of none
  text: string;
  state: "live" | "done" | "cut" | "failed";
  heard: number; // characters of `text` that have been heard; of the assistant
  reason: string;
  typed: boolean;
}

const LINES_MAX = 400;

export class Talk {
  lines: Line[] = [];
  #next = 1;
  #partial: Line | null = null;
  #texts = new Map<number, string>();

  user(text: string, typed: boolean): void {
    const partial = this.#partial;
    this.#partial = null;
    if (partial !== null && !typed) Object.assign(partial, { text, state: "done" });
    else this.#push({ who: "user", turn: 0, text, state: "done", typed });
  }

  transcript(text: string, final: boolean): void {
    if (final) {
      if (text !== "") this.user(text, false);
      else if (this.#partial !== null) this.#drop(this.#partial);
      this.#partial = final ? null : this.#partial;
      return;
    }
    if (this.#partial === null) this.#partial = this.#push({ who: "user", turn: 0, text, state: "live" });
    this.#partial.text = text;
  }

  /** Words of the assistant, as they come. */
  assistant(turn: number, text: string): void {
    const all = (this.#texts.get(turn) ?? "") + text;
    this.#texts.set(turn, all);
    this.#line(turn).text = all;
    if (this.#texts.size > 32) this.#texts.delete(this.#texts.keys().next().value as number);
  }

  /** What was given to the voice, where the server tells: it may be more than what was sent as text. */
  said(turn: number, said: string): void {
    const sent = this.#texts.get(turn) ?? "";
    if (said.trim() !== "" && !sent.startsWith(said.trimEnd())) this.#line(turn).text = said;
  }

  /** So many words of it have been heard by now. */
  words(turn: number, words: number): void {
    const line = this.#find(turn);
    if (line !== null && line.state === "live") line.heard = Math.max(line.heard, afterWords(line.text, words));
  }

  signal(turn: number, signal: Signal): void {
    const line = this.#find(turn);
    if (signal.signal === "reject") this.note(`not taken: ${(signal.reason ?? "refused").replaceAll("_", " ")}`);
    if (line === null) return;
    switch (signal.signal) {
      case "playback_completed":
        line.heard = line.text.length;
        break;
      case "playback_cancelled":
        if (signal.detail?.bytes !== undefined) line.heard = afterBytes(line.text, signal.detail.bytes);
        line.state = "cut";
        break;
      case "abort":
        line.reason = signal.reason ?? "";
        line.state = line.reason === "cancelled" ? "cut" : "failed";
        break;
      case "commit":
        line.state = "done";
        line.heard = line.text.length;
        break;
    }
  }

  note(text: string): void {
    this.#push({ who: "note", turn: 0, text, state: "done" });
  }

  #find(turn: number): Line | null {
    for (let i = this.lines.length - 1; i >= 0; i--) {
      const line = this.lines[i]!;
      if (line.who === "assistant" && line.turn === turn) return line;
    }
    return null;
  }

  #line(turn: number): Line {
    return this.#find(turn) ?? this.#push({ who: "assistant", turn, text: "", state: "live" });
  }

  #push(line: Pick<Line, "who" | "turn" | "text" | "state"> & Partial<Line>): Line {
    const made: Line = { heard: 0, reason: "", typed: false, ...line, id: this.#next++ };
    this.lines.push(made);
    if (this.lines.length > LINES_MAX) this.lines.shift();
    return made;
  }

  #drop(line: Line): void {
    this.lines = this.lines.filter((one) => one !== line);
  }
}

/** Where the first `bytes` bytes of a text's UTF-8 end, in its characters. */
export function afterBytes(text: string, bytes: number): number {
  let size = 0;
  let at = 0;
  for (const char of text) {
    const code = char.codePointAt(0)!;
    size += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (size > bytes) return at;
    at += char.length;
  }
  return at;
}

/** Where the first `words` words of a text end, in its characters. */
export function afterWords(text: string, words: number): number {
  if (words <= 0) return 0;
  const pattern = /\S+/gu;
  for (let n = 0; n < words; n++) if (pattern.exec(text) === null) return text.length;
  return pattern.lastIndex;
}

/** `s-1/7` is turn 7. */
export function serialOf(turnId: string): number {
  return Number(turnId.slice(turnId.lastIndexOf("/") + 1)) || 0;
}
