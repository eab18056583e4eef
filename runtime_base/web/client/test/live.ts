// The connection against the real server (RSPP_URL): run by tests/browser/test_client.py, which has one.

import assert from "node:assert/strict";
import { test } from "node:test";
import { json, msgpack } from "../src/codec.ts";
import { Connection } from "../src/connection.ts";
import type { AudioOut, Signal, TextOut } from "../src/messages.ts";
import { askForSession, socketUrl } from "../src/sessions.ts";
import { open, until } from "./server.ts";

const BASE = process.env["RSPP_URL"]!;

async function session(codec = msgpack()) {
  const connection = new Connection({ url: socketUrl(BASE), token: async () => (await askForSession(BASE)).token, codec, open, playback: "acked" });
  const signals: Signal[] = [];
  const texts: TextOut[] = [];
  const audio: AudioOut[] = [];
  const errors: string[] = [];
  connection.on("signal", (one) => signals.push(one));
  connection.on("text", (one) => texts.push(one));
  connection.on("audio", (one) => audio.push(one));
  connection.on("error", (one) => errors.push(`${one.code}: ${one.reason}`));
  const welcome = await connection.connect();
  const saw = (name: string, turn: number) => signals.some((one) => one.signal === name && one.turn_id === `${welcome.session_id}/${turn}`);
  const ended = (turn: number) => until(() => saw("close", turn));
  return { connection, welcome, signals, texts, audio, errors, saw, ended };
}

for (const codec of [msgpack, json]) {
  test(`a typed turn is answered in words and sound, over ${codec().subprotocol}`, async () => {
    const { connection, texts, audio, errors, signals, saw, ended } = await session(codec());
    connection.text("what are your opening hours");
    let playedMs = 0;
    connection.on("audio", (one) => {
      playedMs += one.payload.byteLength / 32;
      connection.delivery(playedMs < 25 ? "playback_started" : "playback_progress", one.turn_id, Math.max(0, playedMs - 200));
    });
    await until(() => saw("playback_started", 1));
    await ended(1).catch(() => ended(1));
    assert.equal(texts.map((one) => one.text).join(""), "We open at nine in the morning, every day except Monday.");
    const seconds = audio.reduce((sum, one) => sum + one.payload.byteLength, 0) / 32_000;
    assert.ok(seconds > 2 && seconds < 8, `${seconds} s`);
    assert.ok(saw("commit", 1), signals.map((one) => `${one.signal} ${one.reason ?? ""}`).join(", "));
    assert.deepEqual(errors, []);
    connection.bye();
  });
}

test("a cancel stops the answer, and the server says what was heard", async () => {
  const { connection, signals, saw, ended } = await session();
  let flushed = false;
  connection.on("flush", () => (flushed = true));
  connection.text("tell me about the oldest clock");
  await until(() => saw("output_accepted", 1));
  connection.control("cancel");
  await ended(1);
  assert.ok(flushed);
  assert.ok(saw("abort", 1));
  assert.ok(signals.some((one) => one.signal === "playback_cancelled") || !saw("playback_started", 1));
  connection.bye();
});

test("a dropped socket comes back to the same session, with the text that was typed meanwhile", async () => {
  const { connection, welcome, texts, ended } = await session();
  connection.text("hello");
  await ended(1).catch(() => ended(1));
  const states: string[] = [];
  connection.on("state", (state) => states.push(state));
  connection.drop();
  await until(() => connection.state === "reconnecting");
  connection.text("what is the weather in Paris");
  await until(() => connection.state === "connected");
  assert.equal(connection.welcome!.session_id, welcome.session_id);
  assert.equal(connection.welcome!.resumed, true);
  await until(() => texts.some((one) => one.text.includes("Paris")));
  assert.equal(texts.filter((one) => one.text.includes("Paris")).length, 1);
  assert.deepEqual(states, ["reconnecting", "connected"]);
  connection.bye();
});
