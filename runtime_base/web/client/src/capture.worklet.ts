// In the audio thread: the microphone at the device's rate, as frames of 20 ms at the session's.

import { level, toPcm16 } from "./play_queue.ts";
import { Resampler } from "./resampler.ts";

class Capture extends AudioWorkletProcessor {
  #resampler: Resampler;
  #frame: Float32Array;
  #filled = 0;

  constructor(options: { processorOptions: { rate: number; frame: number } }) {
    super();
    this.#resampler = new Resampler(sampleRate, options.processorOptions.rate);
    this.#frame = new Float32Array(options.processorOptions.frame);
  }

  override process(inputs: Float32Array[][]): boolean {
    const input = inputs[0]?.[0];
    if (input === undefined) return true;
    this.#resampler.push(input);
    for (;;) {
      this.#filled += this.#resampler.pull(this.#frame, this.#filled);
      if (this.#filled < this.#frame.length) return true;
      const pcm = toPcm16(this.#frame).buffer;
      this.port.postMessage({ pcm, level: level(this.#frame) }, [pcm]);
      this.#filled = 0;
    }
  }
}

registerProcessor("rspp-capture", Capture);
