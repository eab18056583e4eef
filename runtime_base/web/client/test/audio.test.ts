// The audio that leaves and enters, without a browser: resampling, the play queue, what is reported of it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Delivery } from "../src/delivery.ts";
import { fromPcm16, level, PlayQueue, toPcm16 } from "../src/play_queue.ts";
import type { Playback } from "../src/player.ts";
import { Resampler } from "../src/resampler.ts";

const sine = (hz: number, rate: number, count: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hz * i) / rate));

function resampled(from: number, to: number, input: Float32Array, block: number): Float32Array {
  const resampler = new Resampler(from, to);
  const out = new Float32Array(Math.ceil((input.length * to) / from) + 8);
  let filled = 0;
  for (let at = 0; at < input.length; at += block) {
    resampler.push(input.subarray(at, at + block));
    filled += resampler.pull(out, filled);
  }
  return out.subarray(0, filled);
}

for (const [from, to] of [[48_000, 16_000], [44_100, 16_000], [16_000, 48_000], [16_000, 44_100], [16_000, 16_000]] as const) {
  test(`a tone keeps its pitch and its level from ${from} to ${to}`, () => {
    const out = resampled(from, to, sine(440, from, from), 128).subarray(to / 100);
    assert.ok(out.length > 0.97 * to, `${out.length}`);
    assert.ok(Math.abs(level(out) - 0.5 / Math.SQRT2) < 0.005, `${level(out)}`);
    let crossings = 0;
    for (let i = 1; i < out.length; i++) if (out[i - 1]! < 0 && out[i]! >= 0) crossings += 1;
    assert.ok(Math.abs((crossings * to) / out.length - 440) < 3);
  });
}

test("what the lower rate cannot carry is gone, not folded back", () => {
  const out = resampled(48_000, 16_000, sine(11_000, 48_000, 48_000), 128).subarray(400);
  assert.ok(level(out) < 0.002, `${level(out)}`);
});

test("the size of a block changes nothing", () => {
  const input = sine(700, 48_000, 9_600);
  const small = resampled(48_000, 16_000, input, 128);
  const large = resampled(48_000, 16_000, input, 4_800);
  assert.deepEqual(small.subarray(0, 3000), large.subarray(0, 3000));
});

test("samples come back from s16le as they went, and are clipped", () => {
  const back = fromPcm16(toPcm16(Float32Array.of(0, 0.5, -0.5, 1, -1, 3, -3)));
  assert.deepEqual([...back].map((one) => Math.round(one * 100) / 100), [0, 0.5, -0.5, 1, -1, 1, -1]);
});

const BLOCK = 128;

function play(queue: PlayQueue, blocks: number): Float32Array {
  const out = new Float32Array(blocks * BLOCK);
  for (let i = 0; i < blocks; i++) queue.read(out.subarray(i * BLOCK, (i + 1) * BLOCK));
  return out;
}

test("the queue plays what it gets and counts what has left, by turn", () => {
  const queue = new PlayQueue(16_000, 48_000);
  queue.push("s/1", sine(300, 16_000, 1_600));
  const out = play(queue, 40); // 5120 samples at 48 kHz: 107 ms, and 100 ms were given
  assert.ok(level(out.subarray(0, 4_500)) > 0.3);
  assert.deepEqual(queue.played, { turn: "s/1", samples: 1_600 });
  assert.equal(queue.playing, false);
  queue.push("s/2", sine(300, 16_000, 1_600));
  play(queue, 20);
  assert.equal(queue.played.turn, "s/2");
  assert.ok(queue.played.samples > 800 && queue.played.samples < 1_000, `${queue.played.samples}`);
});

test("a flush is heard within one block, and nothing of the turn comes after it", () => {
  const queue = new PlayQueue(16_000, 48_000);
  queue.push("s/1", sine(300, 16_000, 16_000));
  play(queue, 30);
  const before = queue.played.samples;
  queue.flush("s/1");
  const first = play(queue, 1);
  assert.ok(Math.abs(first[0]!) <= 0.51 && level(first.subarray(64)) === 0, "it fades out in the first half of the block");
  const rest = play(queue, 100);
  assert.equal(level(rest), 0);
  assert.ok(queue.played.samples - before <= BLOCK, `${queue.played.samples - before} samples left after the flush`);
  queue.push("s/2", sine(300, 16_000, 1_600));
  assert.ok(level(play(queue, 20)) > 0.2, "the next turn plays");
  assert.equal(queue.played.turn, "s/2");
});

test("a flush of one turn leaves another", () => {
  const queue = new PlayQueue(16_000, 16_000);
  queue.push("s/1", new Float32Array(160).fill(0.2));
  queue.push("s/2", new Float32Array(800).fill(0.4));
  queue.flush("s/1");
  const out = play(queue, 8);
  assert.equal(queue.played.turn, "s/2");
  assert.ok(Math.abs(out[700]! - 0.4) < 1e-6);
});

test("the queue is bounded, and says what it did not take", () => {
  const queue = new PlayQueue(16_000, 48_000);
  for (let i = 0; i < 600; i++) queue.push("s/1", new Float32Array(320));
  assert.equal(queue.waiting, 80_000);
  assert.equal(queue.dropped, 600 * 320 - 80_000);
});

test("running dry within a turn is a gap; the end of a turn is none", () => {
  const queue = new PlayQueue(16_000, 48_000);
  queue.push("s/1", sine(300, 16_000, 800));
  play(queue, 40);
  queue.push("s/1", sine(300, 16_000, 800));
  play(queue, 40);
  assert.equal(queue.gaps, 1);
  queue.push("s/2", sine(300, 16_000, 800));
  play(queue, 40);
  assert.equal(queue.gaps, 1);
});

const report = (turn: string, playedMs: number, playing: boolean, held = 20): Playback => ({
  turn,
  samples: playedMs * 16,
  playing,
  waiting: 0,
  level: 0,
  gaps: 0,
  dropped: 0,
  at: 0,
  playedMs,
  heldMs: held,
  heardMs: Math.max(0, playedMs - (playing ? held : 0)),
});

function delivered(act: (delivery: Delivery) => void): string[] {
  const told: string[] = [];
  act(new Delivery((signal, turn, ms) => told.push(`${signal.replace("playback_", "")} ${turn} ${ms}`)));
  return told;
}

test("a turn that plays to its end is started, progresses and completes", () => {
  const told = delivered((delivery) => {
    for (let ms = 10; ms <= 300; ms += 50) delivery.played(report("s/1", ms, true));
    delivery.played(report("s/1", 320, false));
    delivery.signalled("playback_completed", "s/1");
    delivery.signalled("commit", "s/1");
  });
  assert.deepEqual(told, ["started s/1 0", "progress s/1 140", "progress s/1 240", "progress s/1 320", "completed s/1 320"]);
});

test("what was said to be all before it has been played completes when it has been", () => {
  const told = delivered((delivery) => {
    delivery.played(report("s/1", 30, true));
    delivery.signalled("commit", "s/1");
    delivery.played(report("s/1", 90, false));
  });
  assert.deepEqual(told.at(-1), "completed s/1 90");
});

test("a flush is told with what really left, device and all", () => {
  const told = delivered((delivery) => {
    delivery.played(report("s/1", 500, true));
    delivery.flushed("s/1");
    delivery.played(report("s/1", 503, true));
    delivery.played(report("s/1", 503, false));
    delivery.settle();
  });
  assert.deepEqual(told, ["started s/1 480", "cancelled s/1 503"]);
});

test("a player that sleeps does not hold the end of a turn back", () => {
  const told = delivered((delivery) => {
    delivery.played(report("s/1", 500, true));
    delivery.flushed("s/1");
    delivery.settle();
  });
  assert.deepEqual(told.at(-1), "cancelled s/1 480");
});
