// rspp-client: a voice session in a browser or in Node. `Call` has it all; its parts can be used on their own.

export { backoffMs, comesBack } from "./backoff.ts";
export { Call, type CallEvents, type CallOptions } from "./call.ts";
export { type Codec, CodecError, json, msgpack } from "./codec.ts";
export { Connection, type Ended, type Events, type Options, type Socket, type State } from "./connection.ts";
export { Delivery } from "./delivery.ts";
export { Emitter } from "./emitter.ts";
export * from "./messages.ts";
export { type Frame, Microphone } from "./microphone.ts";
export { type Playback, Player } from "./player.ts";
export { fromPcm16, level, PlayQueue, toPcm16 } from "./play_queue.ts";
export { Resampler } from "./resampler.ts";
export { askForSession, type Grant, Refused, socketUrl } from "./sessions.ts";
