// What the page makes of what it is told, without a page.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SessionClock, ticks } from "../src/model/clock.ts";
import type { FeedEvent } from "../src/model/feed.ts";
import { height, Levels } from "../src/model/levels.ts";
import { draw, type Pipeline } from "../src/model/pipeline.ts";
import { afterBytes, afterWords, serialOf, Talk } from "../src/model/talk.ts";
import { Turns, waits } from "../src/model/turns.ts";

const node = (id: number, name: string, kind: string, execution = "effect", scope = "turn") => ({
  id, name, kind, execution, scope, line: id, budget_ms: 300, chunk_ms: 0, providers: [],
});
const edge = (id: number, source: number, target: number, type = "text") => ({
  id, name: `${source} -> ${target}`, source, source_port: "", target, target_port: "", type, scope: "turn", items_max: 8,
  bytes_max: 1, age_ms: 0, overflow: [], handoff: false, commit_point: false, line: id,
});

const PIPELINE: Pipeline = {
  pipeline: "p", pipeline_version: "1", profile: "simple/v1", template_hash: "00", kernel: "compiled", development: true, recording_level: "L0",
  budgets: { turn_ms: 2000, warning_ms: 1600, total_ms: 120_000, lead_ms: 200, grace_ms: 75 },
  nodes: [
    node(0, "ingress", "ingress", "boundary", "session"), node(1, "ears", "vad", "effect", "session"), node(2, "stt", "stt", "effect", "session"),
    node(3, "llm", "llm"), node(4, "captions", "tap", "kernel", "session"), node(5, "sorry", "say", "kernel"), node(6, "voice", "tts"),
    node(7, "egress", "egress", "boundary", "session"), node(8, "unused", "tap", "kernel"),
  ],
  edges: [edge(0, 6, 7, "audio"), edge(1, 3, 7), edge(2, 5, 6), edge(3, 3, 6), edge(4, 2, 4), edge(5, 2, 3), edge(6, 1, 2, "audio"), edge(7, 0, 1, "audio")],
  reactions: [], modes: ["full"], memory_bytes: 1,
};

function told(...events: Partial<FeedEvent>[]): Turns {
  const turns = new Turns();
  turns.know(PIPELINE);
  events.forEach((event, i) => turns.add({ n: i + 1, t: 0, kind: "decision", lane: "control", ...event }));
  return turns;
}

const A_TURN: Partial<FeedEvent>[] = [
  { kind: "event", node: "ears", port: "speech_start", t: 300_000, media_us: 200_000 },
  { kind: "out", node: "stt", port: "partial", text: "what", t: 700_000 },
  { kind: "event", node: "ears", port: "speech_end", t: 1_500_000, media_us: 1_200_000 },
  { signal: "turn_open_proposed", t: 1_500_000, record: { origin: "speech" } },
  { signal: "turn_open", t: 1_500_000, turn: 1, record: { plan_hash: "abc" } },
  { kind: "out", node: "stt", port: "final", text: "what time", t: 1_520_000 },
  { kind: "invoke", node: "llm", turn: 1, provider: "scripted", t: 1_530_000 },
  { kind: "feed", node: "llm", port: "prompt", turn: 1, text: "what time", t: 1_530_000 },
  { kind: "out", node: "llm", port: "delta", text: "We open at nine.", t: 1_600_000 },
  { kind: "feed", node: "voice", port: "text", turn: 1, text: "We open at nine.", t: 1_600_000 },
  { kind: "out", node: "voice", port: "audio", items: 4, bytes: 2560, t: 1_700_000, last: 1_760_000 },
  { kind: "send", node: "egress", port: "audio", turn: 1, play_us: 1_700_000, until_us: 1_780_000, words: 1, t: 1_700_000 },
  { kind: "send", node: "egress", port: "audio", turn: 1, play_us: 1_780_000, until_us: 2_600_000, words: 4, t: 1_780_000 },
  { signal: "playback_started", turn: 1, t: 1_700_000 },
];

test("a turn is put together from what is told", () => {
  const turn = told(...A_TURN).last!;
  assert.deepEqual([turn.serial, turn.origin, turn.planHash, turn.outcome], [1, "speech", "abc", ""]);
  assert.deepEqual([turn.inputEndUs, turn.playbackUs], [1_500_000, 1_700_000]);
  assert.deepEqual(turn.runs, [{ fromUs: 1_700_000, toUs: 2_600_000 }], "what plays without a gap is one run");
  assert.deepEqual(turn.spoken, [{ untilMs: 80, words: 1 }, { untilMs: 900, words: 4 }]);
  const voice = turn.stages.get("voice")!;
  assert.deepEqual([voice.fedUs, voice.firstUs, voice.lastUs, voice.items], [1_600_000, 1_700_000, 1_760_000, 4]);
  assert.equal(turn.said, "We open at nine.");
});

test("the wait for the first sound is told part by part, and the parts are the whole", () => {
  const turns = told(...A_TURN);
  const parts = waits(turns, turns.last!);
  assert.deepEqual(parts, [
    { what: "stt", us: 20_000 }, { what: "llm", us: 80_000 }, { what: "voice", us: 100_000 }, { what: "out", us: 0 },
  ]);
  assert.equal(parts.reduce((sum, part) => sum + part.us, 0), turns.last!.playbackUs - turns.last!.inputEndUs);
});

test("an interruption has its cause, its fence and what was heard", () => {
  const turn = told(
    ...A_TURN,
    { kind: "event", node: "ears", port: "speech_start", t: 2_000_000, media_us: 1_900_000 },
    { signal: "barge_in", turn: 1, t: 2_000_000 },
    { signal: "cancel", turn: 1, t: 2_000_100, reason: "barge_in" },
    { kind: "flush", turn: 1, t: 2_000_200 },
    { signal: "late_after_cancel", turn: 1, t: 2_000_300 },
    { signal: "playback_cancelled", turn: 1, t: 2_000_300, words: 2, bytes: 7 },
    { signal: "abort", turn: 1, t: 2_000_300, reason: "cancelled" },
    { signal: "close", turn: 1, t: 2_000_300 },
    { signal: "commit", turn: 1, t: 2_000_400 },
  ).last!;
  assert.deepEqual([turn.onsetUs, turn.spokenOver, turn.cancelUs, turn.silentUs], [1_900_000, true, 2_000_000, 2_000_200]);
  assert.deepEqual([turn.heardBytes, turn.heardWords, turn.refused], [7, 2, 1]);
  assert.deepEqual([turn.outcome, turn.reason, turn.closeUs], ["abort", "cancelled", 2_000_300], "nothing counts after the close");
});

test("a feed that begins within a turn, or tells of nodes that nobody knows, hurts nothing", () => {
  const turns = told({ signal: "commit", turn: 4 }, { kind: "out", node: "ghost", port: "x", text: "boo" }, { kind: "flush", turn: 4 }, { kind: "nonsense" });
  assert.deepEqual(turns.turns, []);
});

test("what was heard is ink, what was not is struck, to the byte", () => {
  const talk = new Talk();
  talk.transcript("what ti", false);
  talk.transcript("what time", true);
  talk.assistant(1, "Wir öffnen um neun.");
  talk.signal(1, { signal: "playback_cancelled", detail: { words: 2, bytes: 12 } } as never);
  const [user, answer] = talk.lines;
  assert.deepEqual([user!.text, user!.state], ["what time", "done"]);
  assert.equal(answer!.text.slice(0, answer!.heard), "Wir öffnen ");
  assert.equal(answer!.state, "cut");
});

test("words come to be heard as they are played, and never go back", () => {
  const talk = new Talk();
  talk.assistant(2, "We open at nine.");
  talk.words(2, 2);
  assert.equal(talk.lines[0]!.heard, "We open".length);
  talk.words(2, 1);
  assert.equal(talk.lines[0]!.heard, "We open".length);
  talk.words(2, 99);
  assert.equal(talk.lines[0]!.heard, "We open at nine.".length);
});

test("what the voice was given replaces a text only where it is another", () => {
  const talk = new Talk();
  talk.assistant(1, "One. Two.");
  talk.said(1, "One.");
  assert.equal(talk.lines[0]!.text, "One. Two.");
  talk.said(1, "Sorry, could you say that again?");
  assert.equal(talk.lines[0]!.text, "Sorry, could you say that again?");
});

test("an empty final takes its partial away", () => {
  const talk = new Talk();
  talk.transcript("uh", false);
  talk.transcript("", true);
  assert.deepEqual(talk.lines, []);
});

test("places in texts are found by bytes, by words, beyond the end too", () => {
  assert.equal(afterBytes("aé€😀b", 3), 2);
  assert.equal(afterBytes("aé€😀b", 9), 3);
  assert.equal(afterBytes("aé€😀b", 10), 5);
  assert.equal(afterBytes("ab", 99), 2);
  assert.equal(afterWords("  one two ", 1), 5);
  assert.equal(afterWords("one", 7), 3);
  assert.deepEqual([serialOf("s-1/7"), serialOf("s-1/x"), serialOf("")], [7, 0, 0]);
});

test("the main way is drawn as a line, and everything has a place of its own", () => {
  const { nodes, wires, width, height: tall } = draw(PIPELINE);
  const at = new Map(nodes.map((one) => [one.node.name, one]));
  assert.equal(at.has("unused"), false);
  assert.equal(new Set(["ingress", "ears", "stt", "llm", "voice", "egress"].map((name) => at.get(name)!.y)).size, 1);
  assert.equal(new Set(nodes.map((one) => `${one.x} ${one.y}`)).size, nodes.length);
  for (const one of wires) assert.ok(!one.path.includes("NaN"), one.path);
  assert.ok(nodes.every((one) => one.x + one.width <= width && one.y + one.height <= tall));
});

test("a graph with a circle is drawn too", () => {
  const drawing = draw({ ...PIPELINE, edges: [...PIPELINE.edges, edge(8, 6, 3)] });
  assert.ok(drawing.nodes.every((one) => Number.isFinite(one.x)));
});

test("the session's clock is the fastest message's", () => {
  const clock = new SessionClock();
  assert.equal(clock.us(5), 0);
  clock.saw(1_000, 50);
  clock.saw(11_000, 41);
  clock.saw(12_000, 99);
  assert.equal(clock.us(41), 11_000);
});

test("levels are held between reports, and not over a silence", () => {
  const levels = new Levels(8);
  levels.add(0.5, 100);
  levels.add(0.5, 150);
  levels.add(0.5, 900);
  const bins = levels.bins(0, 1000, 100);
  assert.equal(bins[12], 0.5);
  assert.equal(bins[60], 0);
  assert.ok(height(0) === 0 && height(1) === 1 && height(0.05) > 0.2);
});

test("a voice begins where nothing was heard for longer than a pause", () => {
  const levels = new Levels(100);
  for (let at = 20; at <= 2000; at += 20) levels.add(at > 1000 && at !== 1100 ? 0.1 : at <= 500 ? 0.1 : 0, at);
  assert.equal(levels.onset(1500), 1000);
  assert.equal(levels.onset(800), null);
  assert.equal(new Levels(4).onset(10), null);
});

test("an interruption is over when the loudspeaker is silent, counted from the page's own microphone", () => {
  const turns = told(...A_TURN, { kind: "event", node: "ears", port: "speech_start", t: 2_000_000, media_us: 1_900_000 }, { signal: "barge_in", turn: 1, t: 2_000_000 });
  assert.equal(turns.toSilence(turns.last!), -1);
  turns.fellSilent(1, 2_030_000, 1_850_000);
  turns.fellSilent(1, 9_000_000, null);
  assert.equal(turns.toSilence(turns.last!), 180_000);
});

test("an axis has as many marks as it has room for", () => {
  assert.deepEqual(ticks(0, 1_000_000, 500), [0, 200_000, 400_000, 600_000, 800_000, 1_000_000]);
  assert.ok(ticks(0, 3_600_000_000, 500).length < 100);
});
