// The connection against a scripted server on a real socket: numbers, acknowledgements, coming back, and what is refused.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { backoffMs, comesBack } from "../src/backoff.ts";
import { json, msgpack } from "../src/codec.ts";
import { Connection, type Options } from "../src/connection.ts";
import type { Failure, Signal, TextOut } from "../src/messages.ts";
import { KEPT_MAX, Outbox } from "../src/outbox.ts";
import { open, type Peer, Server, until, welcome } from "./server.ts";

let server: Server;
const connections: Connection[] = [];

beforeEach(async () => {
  server = await Server.open();
});

afterEach(async () => {
  for (const one of connections.splice(0)) one.bye();
  await server.close();
});

function client(more: Partial<Options> = {}): Connection {
  const connection = new Connection({ url: server.url, token: "first", open, random: () => 0, audioIn: null, audioOut: null, ...more });
  connections.push(connection);
  return connection;
}

async function connected(more: Partial<Options> = {}, said = welcome()): Promise<[Connection, Peer]> {
  const connection = client(more);
  const opened = connection.connect();
  const peer = await server.peer();
  await peer.next("hello");
  peer.say(said);
  await opened;
  return [connection, peer];
}

for (const codec of [msgpack, json]) {
  test(`hello and welcome, in ${codec().subprotocol}`, async () => {
    const connection = client({ codec: codec(), playback: "acked", echoCancelled: true, attributes: { language: "en" } });
    const opened = connection.connect();
    const peer = await server.peer();
    assert.deepEqual(peer.protocols, [codec().subprotocol, "rspp.bearer.first"]);
    const hello = await peer.next("hello");
    assert.equal(hello.protocol, "rspp/1");
    assert.deepEqual([hello.audio_in, hello.playback, hello.echo_cancelled, hello.attributes], [null, "acked", true, { language: "en" }]);
    assert.equal("resume" in hello, false);
    peer.say(welcome());
    assert.equal((await opened).session_id, "s-1");
    assert.equal(connection.state, "connected");
  });

  test(`audio both ways is the same bytes, in ${codec().subprotocol}`, async () => {
    const [connection, peer] = await connected({ codec: codec() });
    const bytes = Uint8Array.from({ length: 640 }, (_, i) => i % 256);
    assert.equal(connection.audio(bytes, 320), true);
    const sent = await peer.next("audio");
    const payload = typeof sent.payload === "string" ? Buffer.from(sent.payload, "base64") : Buffer.from(sent.payload);
    assert.deepEqual([sent.seq, sent.sample_index, payload.equals(bytes)], [1, 320, true]);
    const got: Uint8Array[] = [];
    connection.on("audio", (message) => got.push(message.payload));
    const answer = codec().subprotocol.endsWith("json") ? Buffer.from(bytes).toString("base64") : bytes;
    peer.say({ type: "audio", seq: 1, turn_id: "s-1/1", pts_ms: 0, payload: answer });
    await until(() => got.length === 1);
    assert.ok(Buffer.from(got[0]!).equals(bytes));
  });
}

test("numbers are gapless over texts, controls, audio and deliveries", async () => {
  const [connection, peer] = await connected();
  connection.text("hello");
  connection.control("dtmf", "5");
  connection.audio(new Uint8Array(2));
  connection.delivery("playback_started", "s-1/1", 3.7);
  assert.equal((await peer.next("text")).seq, 1);
  const key = await peer.next("control");
  assert.deepEqual([key.seq, key.signal, key.key], [2, "dtmf", "5"]);
  assert.equal((await peer.next("audio")).seq, 3);
  const delivery = await peer.next("delivery");
  assert.deepEqual([delivery.seq, delivery.played_ms], [4, 4]);
});

test("every tenth message is acknowledged at once, the others within a second", async () => {
  const [connection, peer] = await connected();
  const texts: TextOut[] = [];
  connection.on("text", (text) => texts.push(text));
  for (let seq = 1; seq <= 10; seq++) peer.say({ type: "text", seq, turn_id: "s-1/1", text: String(seq) });
  assert.equal((await peer.next("ack")).received, 10);
  peer.say({ type: "text", seq: 11, turn_id: "s-1/1", text: "11" });
  assert.equal((await peer.next("ack")).received, 11);
  assert.equal(texts.map((text) => text.text).join(" "), "1 2 3 4 5 6 7 8 9 10 11");
});

test("a lost socket is taken up again: what was not taken is sent again, what came before is not told twice", async () => {
  const [connection, peer] = await connected();
  const states: string[] = [];
  const signals: Signal[] = [];
  connection.on("state", (state) => states.push(state));
  connection.on("signal", (signal) => signals.push(signal));
  const signal = { type: "signal", signal: "turn_open", emitted_by: "RK-03", authority_epoch: 1, runtime_sequence: 1, runtime_timestamp_ms: 1 };
  connection.text("one");
  connection.text("two");
  peer.say({ ...signal, seq: 1 });
  await until(() => signals.length === 1);
  peer.cut();
  await until(() => connection.state === "reconnecting");
  assert.equal(connection.audio(new Uint8Array(2)), false, "speech does not wait");
  connection.text("three");
  const again = await server.peer();
  assert.ok(again.protocols.includes("rspp.bearer.back-1"));
  assert.deepEqual((await again.next("hello")).resume, { received: 1 });
  again.say(welcome({ resumed: true, received: 1, resume: { token: "back-2", within_ms: 3_000 } }));
  const two = await again.next("text");
  const three = await again.next("text");
  assert.deepEqual([two.seq, two.text, three.seq, three.text], [2, "two", 3, "three"]);
  again.say({ ...signal, seq: 1 });
  again.say({ ...signal, seq: 2, signal: "close" });
  await until(() => signals.length === 2);
  assert.deepEqual(signals.map((one) => one.signal), ["turn_open", "close"]);
  assert.deepEqual(states, ["reconnecting", "connected"]);
});

test("goodbye says where to go on: the next connection has its token", async () => {
  const [connection, peer] = await connected();
  peer.say({ type: "goodbye", code: "draining", reason: "draining", resume: { token: "elsewhere", within_ms: 3_000 } });
  peer.close(1001);
  const again = await server.peer();
  assert.ok(again.protocols.includes("rspp.bearer.elsewhere"));
  assert.equal(connection.state, "reconnecting");
});

test("a token that replaces the first one is used", async () => {
  const [, peer] = await connected();
  peer.say({ type: "token", seq: 1, token: "newer", within_ms: 3_000 });
  await peer.next("ack");
  peer.cut();
  assert.ok((await server.peer()).protocols.includes("rspp.bearer.newer"));
});

for (const code of [1000, 1007, 4401, 4415]) {
  test(`after ${code} the session is over`, async () => {
    const [connection, peer] = await connected();
    let why = "";
    connection.on("ended", (ended) => (why = `${ended.code} ${ended.reason}`));
    peer.close(code, "that was it");
    await until(() => connection.state === "ended");
    assert.equal(why, `${code} that was it`);
    assert.throws(() => connection.text("late"), /over/);
  });
}

test("nobody answers within the time to come back: the session is over, and says so", async () => {
  const [connection, peer] = await connected({}, welcome({ resume: { token: "back", within_ms: 600 } }));
  let why = "";
  connection.on("ended", (ended) => (why = ended.reason));
  await server.close();
  peer.cut();
  await until(() => connection.state === "ended");
  assert.match(why, /nobody answered/);
});

test("a server that takes no connection is an error that says so", async () => {
  await server.close();
  await assert.rejects(client().connect(), /did not take the connection|ECONNREFUSED|closed/);
});

test("a token that cannot be had is the error", async () => {
  await assert.rejects(client({ token: () => Promise.reject(new Error("no capacity")) }).connect(), /no capacity/);
});

test("garbage, unknown types and wrong fields hurt nobody", async () => {
  const [connection, peer] = await connected();
  const errors: Failure[] = [];
  const texts: string[] = [];
  connection.on("error", (failure) => errors.push(failure));
  connection.on("text", (text) => texts.push(text.text));
  peer.raw(Uint8Array.of(0xc1, 0xff));
  peer.raw("text on a binary connection");
  peer.say({ type: "of another time", seq: 1 });
  peer.say({ type: "text", seq: -4, turn_id: "s-1/1", text: "no" });
  peer.say({ type: "text", seq: 2, turn_id: "s-1/1", text: ["no"] });
  peer.say({ type: "text", seq: 3, turn_id: "s-1/1", text: "yes" });
  await until(() => texts.length === 1);
  assert.deepEqual(texts, ["yes"]);
  assert.deepEqual(errors.map((one) => one.reason.slice(0, 24)), ["not MessagePack: Unrecog", "a text message on a Mess", "text.seq is not a number", "text.text is not a text"]);
  assert.equal(connection.state, "connected");
});

test("bye hangs up and ends it", async () => {
  const [connection, peer] = await connected();
  connection.bye("done");
  assert.equal((await peer.next("bye")).reason, "done");
  assert.equal(connection.state, "ended");
});

test("pings measure how long it takes", async () => {
  const [connection, peer] = await connected();
  const ping = await peer.next("ping");
  let rtt = -1;
  connection.on("rtt", (one) => (rtt = one));
  peer.say({ type: "pong", t: ping.t });
  await until(() => rtt >= 0);
  assert.ok(rtt < 1_000);
});

test("waits grow, with jitter, up to a limit", () => {
  assert.deepEqual([0, 1, 2, 3].map((n) => backoffMs(n, () => 1)), [100, 400, 800, 1600]);
  assert.equal(backoffMs(40, () => 1), 5_000);
  assert.equal(backoffMs(40, () => 0), 2_500);
});

test("which closes come back is as the protocol has it", () => {
  assert.deepEqual([1001, 1006, 4408, 4429, 4500].map(comesBack), [true, true, true, true, true]);
  assert.deepEqual([1000, 1007, 1009, 4401, 4415].map(comesBack), [false, false, false, false, false]);
});

test("the outbox is bounded; audio and progress are not kept", () => {
  const outbox = new Outbox();
  for (let i = 0; i < 2 * KEPT_MAX; i++) outbox.number({ type: "audio", payload: new Uint8Array(2) });
  outbox.number({ type: "delivery", signal: "playback_progress", turn_id: "s/1", played_ms: 1 });
  assert.equal(outbox.waiting, 0);
  for (let i = 0; i < KEPT_MAX; i++) outbox.number({ type: "text", text: "x" });
  assert.throws(() => outbox.number({ type: "text", text: "one more" }), /acknowledged/);
  outbox.acknowledge(outbox.seq);
  assert.equal(outbox.waiting, 0);
});
