// What the public client writes, as JSON on the standard output: the fixtures of runtime_base/tests/serving/rtvi.
// With FILE, reads frames of ours instead (a JSON list of base64) and says what the client makes of them.
import { readFileSync } from "node:fs";

globalThis.window ??= globalThis; // the module looks for a browser when it is loaded; the serializer needs none
const { RTVIMessage } = await import("@pipecat-ai/client-js");
const { ProtobufFrameSerializer } = await import("@pipecat-ai/websocket-transport");

const serializer = new ProtobufFrameSerializer();
const base64 = (bytes) => Buffer.from(bytes).toString("base64");

async function read(bytes) {
  const { type, audio, message } = await serializer.deserialize(new Blob([Buffer.from(bytes, "base64")]));
  return type === "audio" ? { type, audio: Array.from(audio) } : { type, message };
}

async function readAll(frames) {
  const found = [];
  for (const frame of frames) found.push(await read(frame).catch((error) => ({ error: error.message })));
  return found;
}

function audioFrame(samples, rateHz, channels) {
  const frame = serializer.serializeAudio(samples.buffer, rateHz, channels);
  return { what: "audio", rate_hz: rateHz, channels, pcm: base64(samples.buffer), frame: base64(frame) };
}

function writeAll() {
  const messages = {
    "client-ready": { version: "2.1.0", about: { library: "@pipecat-ai/client-js", library_version: "1.13.1" } },
    "send-text": { content: "What’s the time in Zürich? 🕰", options: { run_immediately: true } },
    "client-message": { t: "weather", d: { city: "Oslo", days: [1, 2] } },
    dtmf: { buttons: ["1", "#"] },
    "append-to-context": { role: "user", content: "hello", run_immediately: true },
    "disconnect-bot": {},
  };
  return [
    audioFrame(Int16Array.from({ length: 320 }, (_, i) => ((i * 997) % 65536) - 32768), 16000, 1),
    audioFrame(Int16Array.of(1, -1), 48000, 2),
    audioFrame(new Int16Array(), 16000, 1),
    ...Object.entries(messages).map(([type, data]) => {
      const message = new RTVIMessage(type, data, "0a1b2c3d");
      return { what: "message", message, frame: base64(serializer.serializeMessage(message)) };
    }),
  ];
}

const [file] = process.argv.slice(2);
console.log(JSON.stringify(file ? await readAll(JSON.parse(readFileSync(file, "utf8"))) : writeAll(), null, 1));
