// A page with the public client, unmodified. `start` connects it; `happened` is what it has said since, with its times
// in ms; `levels` how loud its loudspeaker was, every few ms. Bundled by esbuild; driven by test_rtvi_browser.py.
import { LogLevel, PipecatClient, RTVIEvent } from "@pipecat-ai/client-js";
import { WavMediaManager, WebSocketTransport } from "@pipecat-ai/websocket-transport";

const happened = [];
const levels = [];
const now = () => Math.round(performance.now());

// The framing in JSON, as a client may bring its own serializer (docs/rtvi.md).
const bytesOf = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
const base64Of = (bytes) => btoa(String.fromCharCode(...bytes));
const json = {
  serialize: (data) => JSON.stringify(data),
  serializeMessage: (message) => JSON.stringify(message),
  serializeAudio: (data, sampleRate, numChannels) =>
    JSON.stringify({
      label: "rtvi-ai", type: "raw-audio", id: "audio",
      data: { base64Audio: base64Of(new Uint8Array(data)), sampleRate, numChannels },
    }),
  deserialize: async (data) => {
    const message = JSON.parse(data);
    if (message.type !== "bot-tts-audio") return { type: "message", message };
    return { type: "audio", audio: new Int16Array(bytesOf(message.data.audio).buffer) };
  },
};

// Whatever goes to a loudspeaker is looked at too.
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (target, ...rest) {
  if (target instanceof AudioDestinationNode) {
    const meter = new AnalyserNode(this.context, { fftSize: 256 });
    connect.call(this, meter);
    const samples = new Float32Array(meter.fftSize);
    setInterval(() => {
      meter.getFloatTimeDomainData(samples);
      levels.push([now(), Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / samples.length)]);
    }, 10);
  }
  return connect.call(this, target, ...rest);
};

// What it sends, for record.py: [ms since the first message, base64].
const wire = [];
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (message) {
  if (message instanceof Uint8Array) wire.push([now(), base64Of(message)]);
  return send.call(this, message);
};

let client;

async function start({ endpoint, requestData, framing, chunk, rateHz = 16000, claimsHz = rateHz }) {
  const mediaManager = new WavMediaManager(chunk, rateHz);
  const serializer = framing === "json" ? json : undefined;
  client = new PipecatClient({
    transport: new WebSocketTransport({ mediaManager, serializer, recorderSampleRate: claimsHz }),
    enableMic: true,
    callbacks: {},
  });
  client.setLogLevel(LogLevel.WARN);
  for (const event of Object.values(RTVIEvent)) {
    if (event !== RTVIEvent.LocalAudioLevel && event !== RTVIEvent.RemoteAudioLevel) {
      client.on(event, (data) => happened.push({ at: now(), event, data: plain(data) }));
    }
  }
  const late = new Promise((_, refuse) => setTimeout(() => refuse(new Error("no bot-ready within 15 s")), 15_000));
  return plain(await Promise.race([client.startBotAndConnect({ endpoint, requestData }), late]));
}

function plain(data) {
  return data === undefined ? null : JSON.parse(JSON.stringify(data, (key, value) => (value instanceof MediaStreamTrack ? "track" : value)));
}

const request = (type, data) => client.sendClientRequest(type, data, 3000).then(plain, (error) => ({ refused: plain(error) ?? String(error) }));

Object.assign(window, {
  start, happened, levels, wire, request,
  state: () => client.state,
  sendText: (text, options) => client.sendText(text, options),
  enableMic: (on) => client.enableMic(on),
  disconnect: () => client.disconnect(),
});
