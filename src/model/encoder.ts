// Log-mel windows → rows of audio embeddings, ready to take their place in the prompt.

import { assert } from '../errors.ts';
import type { Runtime, Session, Tensor } from '../ports.ts';
import { FRAMES_PER_AUDIO_ROW } from './config.ts';
import { ENCODER_INPUT, ENCODER_OUTPUT } from './graph-io.ts';

/** Audio embeddings of one or several windows, side by side. Who asked for them disposes them. */
export interface AudioEmbeds {
  /** [windows · rowsPerWindow, textHidden], on the device if there is one. */
  readonly tensor: Tensor;
  readonly rowsPerWindow: number;
  dispose(): void;
}

export class Encoder {
  readonly #runtime: Runtime;
  readonly #session: Session;
  readonly #melBins: number;

  constructor(runtime: Runtime, session: Session, melBins: number) {
    this.#runtime = runtime;
    this.#session = session;
    this.#melBins = melBins;
  }

  /**
   * Encodes windows of equal length.
   *
   * @param features [windows, melBins, frames], finished log-mel (clamped and rescaled per window)
   * @param frames a multiple of 8; 3000 is what the reference pads to
   */
  async encode(features: Float32Array, windows: number, frames: number): Promise<AudioEmbeds> {
    assert(frames % FRAMES_PER_AUDIO_ROW === 0, `${frames} frames fill whole rows`);
    assert(features.length === windows * this.#melBins * frames, 'features have the shape they claim');
    const input = this.#runtime.tensor('float32', features, [windows, this.#melBins, frames]);
    try {
      const outputs = await this.#session.run({ [ENCODER_INPUT]: input }, [ENCODER_OUTPUT]);
      const tensor = outputs[ENCODER_OUTPUT];
      assert(tensor !== undefined, 'the encoder returned its rows');
      return { tensor, rowsPerWindow: frames / FRAMES_PER_AUDIO_ROW, dispose: () => tensor.dispose() };
    } finally {
      input.dispose();
    }
  }

  async release(): Promise<void> {
    await this.#session.release();
  }
}
