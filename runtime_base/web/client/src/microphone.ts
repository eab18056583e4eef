// The microphone: echo-cancelled, resampled, in frames of 20 ms. A closed microphone gives silence, so that the
// session's clock goes on and an utterance can end.

import { Emitter } from "./emitter.ts";

export interface Frame {
  pcm: Uint8Array;
  level: number; // 0 … 1; of what was heard, open or not
  index: number; // of its first sample, since the microphone was opened
  open: boolean;
}

export class Microphone extends Emitter<{ frame: Frame; lost: string }> {
  readonly #stream: MediaStream;
  readonly #node: AudioWorkletNode;
  readonly #source: MediaStreamAudioSourceNode;
  readonly #silence: Uint8Array;
  readonly #frame: number;
  #index = 0;
  /** Whether the user's voice goes out. */
  isOpen = false;
  /** Whether the browser cancels the echo of what is played. */
  readonly echoCancelled: boolean;

  private constructor(context: AudioContext, stream: MediaStream, rate: number, frame: number) {
    super();
    this.#stream = stream;
    this.#frame = frame;
    this.#silence = new Uint8Array(2 * frame);
    this.#source = context.createMediaStreamSource(stream);
    this.#node = new AudioWorkletNode(context, "rspp-capture", {
      numberOfOutputs: 0,
      channelCount: 1,
      channelCountMode: "explicit",
      processorOptions: { rate, frame },
    });
    this.#node.port.onmessage = (event: MessageEvent<{ pcm: ArrayBuffer; level: number }>) => this.#heard(event.data);
    this.#source.connect(this.#node);
    const track = stream.getAudioTracks()[0];
    this.echoCancelled = track?.getSettings().echoCancellation === true;
    if (track !== undefined) track.onended = () => this.emit("lost", "the microphone was taken away");
  }

  /** Asks the user. `worklet`: where `capture.js` is served from. Raises `NotAllowedError` and what else browsers do. */
  static async open(context: AudioContext, worklet: string, rate: number, frameMs: number): Promise<Microphone> {
    if (navigator.mediaDevices === undefined) {
      throw new Error("this page may not use a microphone: open it at localhost or over https");
    }
    const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };
    const stream = await navigator.mediaDevices.getUserMedia({ audio });
    await context.audioWorklet.addModule(worklet);
    return new Microphone(context, stream, rate, (rate * frameMs) / 1000);
  }

  close(): void {
    this.#source.disconnect();
    this.#node.port.close();
    for (const track of this.#stream.getTracks()) track.stop();
  }

  #heard(heard: { pcm: ArrayBuffer; level: number }): void {
    const pcm = this.isOpen ? new Uint8Array(heard.pcm) : this.#silence;
    this.emit("frame", { pcm, level: heard.level, index: this.#index, open: this.isOpen });
    this.#index += this.#frame;
  }
}
