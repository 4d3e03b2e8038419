// The audio thread's door: takes quanta from the microphone, hands them to the recorder. The page sends
// two ports and then only pauses and stops; it never touches sound.

import type { FromCapture, ToCapture } from '../../src/wire/capture-messages.ts';
import { Recorder } from './recorder.ts';

class CaptureProcessor extends AudioWorkletProcessor {
  #recorder: Recorder | undefined;
  #stopped = false;

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<ToCapture>) => this.#receive(data);
  }

  process(inputs: Float32Array[][]): boolean {
    const channels = inputs[0];
    if (channels !== undefined) this.#recorder?.hear(channels);
    return !this.#stopped;
  }

  #receive(message: ToCapture): void {
    switch (message.type) {
      case 'begin': {
        const { sound, journal, gain, melBins } = message;
        const tell = (said: FromCapture): void => this.port.postMessage(said);
        this.#recorder = new Recorder({ sound, journal, tell }, { sampleRate, gain, melBins });
        return;
      }
      case 'pause':
        return this.#recorder?.pause();
      case 'resume':
        return this.#recorder?.resume();
      case 'stop':
        this.#recorder?.stop();
        this.#stopped = true;
        return;
    }
  }
}

registerProcessor('capture', CaptureProcessor);
