// The global scope of an AudioWorklet, as far as it is used here.

declare class AudioWorkletProcessor {
  readonly port: MessagePort;
  process(inputs: Float32Array[][], outputs: Float32Array[][], parameters: Record<string, Float32Array>): boolean;
}
declare function registerProcessor(name: string, processor: new (options: never) => AudioWorkletProcessor): void;
declare const sampleRate: number;
declare const currentTime: number;
