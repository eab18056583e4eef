// From what the server tells to what the timeline draws: hearing, and turn by turn its stages, marks and playback.

import type { FeedEvent } from "./feed.ts";
import type { Pipeline, PlanNode } from "./pipeline.ts";

export interface Speech {
  startUs: number;
  endUs: number; // -1: goes on
  noticedUs: number;
  endNoticedUs: number;
}

export interface Heard {
  t: number;
  text: string;
  final: boolean;
}

export interface Stage {
  node: string;
  fedUs: number; // its first input in this turn, or the call that began
  firstUs: number; // -1: nothing yet
  lastUs: number;
  items: number;
  outcome: string;
  provider: string;
}

export interface Run {
  fromUs: number;
  toUs: number;
}

export interface Mark {
  t: number;
  what: string;
  tone: "plain" | "good" | "bad" | "warn";
  detail: string;
}

export interface Turn {
  serial: number;
  origin: string;
  inputEndUs: number;
  openUs: number;
  closeUs: number;
  outcome: "" | "commit" | "abort";
  reason: string;
  planHash: string;
  stages: Map<string, Stage>;
  marks: Mark[];
  runs: Run[];
  spoken: { untilMs: number; words: number }[]; // of the turn's audio, how far which words reach
  audioMs: number;
  said: string;
  playbackUs: number;
  silentUs: number;
  cancelUs: number; // the cancel was decided
  onsetUs: number; // what caused it: when the user began to speak, as far as the detector can tell
  spokenOver: boolean; // it was the user's voice
  pageOnsetUs: number; // the same by this page's microphone; -1: it has none
  stoppedUs: number; // this page's loudspeaker had fallen silent
  refused: number;
  dropped: number;
  heardBytes: number; // -1: not known yet
  heardWords: number;
  edges: Map<string, { high: number; shed: number }>;
}

const TURNS_MAX = 100;
const HEARD_MAX = 2000;
const MARKED: Record<string, Mark["tone"]> = {
  turn_open: "plain",
  commit: "good",
  abort: "bad",
  barge_in: "bad",
  cancel: "bad",
  playback_started: "good",
  playback_completed: "good",
  playback_cancelled: "bad",
  budget_warning: "warn",
  budget_exhausted: "bad",
  degrade: "warn",
  fallback: "warn",
  provider_switch: "warn",
  provider_error: "bad",
  drop_notice: "warn",
  defer: "warn",
  reject: "bad",
  playback_paused: "warn",
  playback_resumed: "good",
  circuit_event: "warn",
  stale_epoch_reject: "bad",
};

/** Everything that is known of a session's turns. `add` is told of events in order. */
export class Turns {
  turns: Turn[] = [];
  speech: Speech[] = [];
  heard: Heard[] = [];
  #pipeline: Pipeline | null = null;
  #nodes = new Map<string, PlanNode>();
  #voices = new Set<string>();
  #open: Turn | null = null;
  #proposed = { t: -1, origin: "" };

  know(pipeline: Pipeline): void {
    this.#pipeline = pipeline;
    this.#nodes = new Map(pipeline.nodes.map((node) => [node.name, node]));
    this.#voices = new Set(pipeline.nodes.filter((node) => node.kind === "tts").map((node) => node.name));
  }

  get last(): Turn | null {
    return this.turns[this.turns.length - 1] ?? null;
  }

  /** Whether the user was heard to begin to speak, and not to end. */
  get isSpeaking(): boolean {
    const last = this.speech[this.speech.length - 1];
    return last !== undefined && last.endUs < 0;
  }

  get(serial: number): Turn | null {
    return this.turns.find((turn) => turn.serial === serial) ?? null;
  }

  /** Stages that a timeline has a row for, in the order in which the pipeline has them. */
  get rows(): PlanNode[] {
    return (this.#pipeline?.nodes ?? []).filter((node) => node.execution === "effect" && node.kind !== "vad");
  }

  add(event: FeedEvent): void {
    switch (event.kind) {
      case "event":
        this.#noticed(event);
        break;
      case "out":
        this.#gave(event);
        break;
      case "feed":
        this.#fed(event);
        break;
      case "invoke":
        this.#stage(event.node!, event.t).provider = event.provider ?? "";
        break;
      case "ended":
        this.#ended(event);
        break;
      case "send":
        this.#sent(event);
        break;
      case "flush":
        if (this.#open !== null) {
          this.#open.silentUs = event.t;
          this.#open.marks.push({ t: event.t, what: "fence", tone: "bad", detail: "what waited was thrown away" });
        }
        break;
      case "metric": {
        const turn = this.get(event.turn ?? 0);
        turn?.edges.set(event.edge ?? "", { high: event.high ?? 0, shed: event.shed ?? 0 });
        break;
      }
      case "decision":
        this.#decided(event);
        break;
    }
  }

  /** Nothing of that turn is heard any more, since `t`; the user's voice began at `onset`, as the page's own microphone
   * has it, which knows better than the detector's media time. */
  fellSilent(serial: number, t: number, onset: number | null): void {
    const turn = this.get(serial);
    if (turn === null || turn.stoppedUs >= 0) return;
    turn.stoppedUs = t;
    turn.pageOnsetUs = onset ?? -1;
  }

  /** From the user's voice, or key, to silence; -1 where there was none. */
  toSilence(turn: Turn): number {
    if (turn.stoppedUs < 0 || turn.cancelUs < 0) return -1;
    const from = turn.spokenOver && turn.pageOnsetUs >= 0 ? turn.pageOnsetUs : turn.onsetUs;
    return Math.max(0, turn.stoppedUs - from);
  }

  // ---- hearing

  #noticed(event: FeedEvent): void {
    if (this.#nodes.get(event.node ?? "")?.kind !== "vad") return;
    const last = this.speech[this.speech.length - 1];
    if (event.port === "speech_start") {
      this.speech.push({ startUs: event.media_us ?? event.t, endUs: -1, noticedUs: event.t, endNoticedUs: -1 });
      if (this.speech.length > HEARD_MAX) this.speech.shift();
    } else if (event.port === "speech_end" && last !== undefined && last.endUs < 0) {
      last.endUs = event.media_us ?? event.t;
      last.endNoticedUs = event.t;
    }
  }

  #gave(event: FeedEvent): void {
    const node = this.#nodes.get(event.node ?? "");
    if (node === undefined) return;
    if (node.kind === "stt" && event.text !== undefined && event.port !== "utterance") {
      this.heard.push({ t: event.t, text: event.text, final: event.port === "final" });
      if (this.heard.length > HEARD_MAX) this.heard.shift();
    } else if (node.kind === "ingress" && event.port === "text") {
      this.heard.push({ t: event.t, text: event.text ?? "", final: true });
    }
    if (node.scope === "turn" && node.execution === "effect" && this.#open !== null) {
      const stage = this.#stage(node.name, event.t);
      if (stage.firstUs < 0) stage.firstUs = event.t;
      stage.lastUs = Math.max(stage.lastUs, event.last ?? event.t);
      stage.items += event.items ?? 1;
    }
  }

  // ---- a turn

  #stage(node: string, t: number): Stage {
    const turn = this.#open;
    const fresh = { node, fedUs: t, firstUs: -1, lastUs: t, items: 0, outcome: "", provider: "" };
    if (turn === null || this.#nodes.get(node)?.scope !== "turn") return fresh;
    const found = turn.stages.get(node);
    if (found !== undefined) return found;
    turn.stages.set(node, fresh);
    return fresh;
  }

  #fed(event: FeedEvent): void {
    const turn = this.#open;
    if (turn === null || event.turn !== turn.serial) return;
    const stage = this.#stage(event.node!, event.t);
    if (stage.items === 0 && stage.firstUs < 0) stage.fedUs = Math.min(stage.fedUs, event.t);
    if (this.#voices.has(event.node!) && event.text !== undefined) turn.said += event.text;
  }

  #ended(event: FeedEvent): void {
    const turn = this.#open ?? this.last;
    const stage = turn?.stages.get(event.node ?? "");
    if (stage !== undefined) stage.outcome = event.outcome ?? "";
  }

  #sent(event: FeedEvent): void {
    const turn = this.get(event.turn ?? 0);
    if (turn === null || event.play_us === undefined || event.until_us === undefined) return;
    const last = turn.runs[turn.runs.length - 1];
    if (last !== undefined && event.play_us - last.toUs < 2000) last.toUs = Math.max(last.toUs, event.until_us);
    else turn.runs.push({ fromUs: event.play_us, toUs: event.until_us });
    turn.audioMs += (event.until_us - event.play_us) / 1000;
    turn.spoken.push({ untilMs: turn.audioMs, words: event.words ?? 0 });
  }

  #decided(event: FeedEvent): void {
    const { signal = "", t } = event;
    const turn = this.#open;
    if (signal === "turn_open_proposed") {
      this.#proposed = { t, origin: String(event.record?.["origin"] ?? "") };
    } else if (signal === "turn_open") {
      this.#begin(event);
    }
    const about = this.#open;
    if (about === null) return;
    const tone = MARKED[signal];
    const isLoss = signal !== "drop_notice" || event.reason !== "cancel_flush"; // a cancel empties edges: that is its work
    if (tone !== undefined && isLoss) about.marks.push({ t, what: signal, tone, detail: event.reason ?? event.edge_id ?? "" });
    if (turn === null) return;
    switch (signal) {
      case "playback_started":
        turn.playbackUs = t;
        break;
      case "playback_completed":
      case "playback_cancelled":
        turn.heardBytes = event.bytes ?? 0;
        turn.heardWords = event.words ?? 0;
        break;
      case "barge_in":
      case "cancel":
        if (turn.cancelUs < 0) {
          turn.cancelUs = t;
          const onset = this.speech[this.speech.length - 1];
          turn.spokenOver = onset !== undefined && onset.noticedUs > turn.openUs && signal === "barge_in";
          turn.onsetUs = turn.spokenOver ? onset!.startUs : t;
        }
        break;
      case "late_after_cancel":
        turn.refused += 1;
        break;
      case "drop_notice":
        if (isLoss) turn.dropped += 1;
        break;
      case "commit":
      case "abort":
        turn.outcome = signal;
        turn.reason = event.reason ?? "";
        break;
      case "close":
        turn.closeUs = t;
        this.#open = null;
        break;
    }
  }

  #begin(event: FeedEvent): void {
    const turn: Turn = {
      serial: event.turn ?? 0,
      origin: this.#proposed.origin,
      inputEndUs: this.#proposed.t >= 0 ? this.#proposed.t : event.t,
      openUs: event.t,
      closeUs: -1,
      outcome: "",
      reason: "",
      planHash: String(event.record?.["plan_hash"] ?? ""),
      stages: new Map(),
      marks: [],
      runs: [],
      spoken: [],
      audioMs: 0,
      said: "",
      playbackUs: -1,
      silentUs: -1,
      cancelUs: -1,
      onsetUs: -1,
      spokenOver: false,
      pageOnsetUs: -1,
      stoppedUs: -1,
      refused: 0,
      dropped: 0,
      heardBytes: -1,
      heardWords: 0,
      edges: new Map(),
    };
    this.turns.push(turn);
    if (this.turns.length > TURNS_MAX) this.turns.shift();
    this.#open = turn;
  }
}

/** From the end of input to the first sound, part by part: what the user waited for. Us; only parts that are known. */
export function waits(turns: Turns, turn: Turn): { what: string; us: number }[] {
  const end = turn.playbackUs;
  const steps: { what: string; t: number }[] = [];
  const final = turns.heard.filter((one) => one.final && one.t <= turn.openUs + 1_000_000 && one.t >= turn.inputEndUs).pop();
  if (final !== undefined && turn.origin === "speech") steps.push({ what: "stt", t: final.t });
  for (const row of turns.rows) {
    const stage = turn.stages.get(row.name);
    if (stage !== undefined && stage.firstUs >= 0) steps.push({ what: row.name, t: stage.firstUs });
  }
  if (end >= 0) steps.push({ what: "out", t: end });
  steps.sort((a, b) => a.t - b.t);
  let before = turn.inputEndUs;
  const found: { what: string; us: number }[] = [];
  for (const step of steps) {
    if (end >= 0 && step.t > end) break;
    found.push({ what: step.what, us: Math.max(0, step.t - before) });
    before = Math.max(before, step.t);
  }
  return found;
}
