// sotto listen: any recorder can be piped in. Text on standard output, a line for each stretch between two
// pauses, as soon as it is said; what is still under way on standard error, in a terminal.
//
//   arecord -q -f S16_LE -r 16000 -c 1 | sotto listen
//   sox -d -q -t raw -e signed -b 16 -c 1 -r 48000 - | sotto listen --rate 48000

import { Command, Option } from 'commander';
import type { Readable } from 'node:stream';
import { AsrError } from '../errors.ts';
import { DEFAULT_OPTIONS } from '../engine/events.ts';
import { type DeviceChoice, openEngine } from '../platform/node/open-engine.ts';
import { Resampler } from '../signal/resample.ts';
import { type AudioBlock, SAMPLE_RATE } from '../signal/units.ts';
import { warn } from './failure.ts';
import { deviceOption, modelOption, sampleModelDir, threadsOption, wholeNumber } from './options.ts';
import { ProgressLine } from './progress.ts';

interface Flags {
  readonly model?: string;
  readonly device: DeviceChoice;
  readonly threads?: number;
  readonly rate: number;
  readonly channels: number;
  readonly gain: boolean;
}

export function listenCommand(): Command {
  return new Command('listen')
    .description('Write down live what comes on standard input: raw sound, 16 bits, little-endian.')
    .addOption(modelOption())
    .addOption(deviceOption())
    .addOption(threadsOption())
    .addOption(new Option('--rate <hz>', 'samples per second').argParser(wholeNumber).default(SAMPLE_RATE))
    .addOption(new Option('--channels <n>', 'channels side by side').argParser(wholeNumber).default(1))
    .option('--no-gain', 'do not lift quiet speech')
    .action(listen);
}

async function listen({ model, device, threads, rate, channels, gain }: Flags): Promise<void> {
  if (process.stdin.isTTY)
    throw new AsrError(
      'option-invalid',
      'nothing is piped in; for example: arecord -q -f S16_LE -r 16000 | sotto listen',
    );
  const stop = new AbortController();
  process.once('SIGINT', () => process.stdin.destroy()); // the recorder stops too; what was heard is still read
  const line = new ProgressLine();
  // Sound is taken in from the start: whoever speaks does not wait for a model.
  const sound = new StandardInput(process.stdin, rate, channels);
  const request = { modelDir: model ?? sampleModelDir(), ...(threads !== undefined && { threads }) };
  const { engine } = await openEngine(request, device, (event) => {
    if (event.type === 'stage') line.show(`loading the model: ${event.stage}`);
  });
  try {
    const options = { ...DEFAULT_OPTIONS, live: true, gain };
    for await (const event of engine.transcribe(sound.blocks(), options, stop.signal)) {
      if (event.type === 'partial') line.show(`${event.committed}${event.tentative}`);
      if (event.type === 'warning') {
        line.done();
        warn(event);
      }
      if (event.type !== 'final') continue;
      line.done();
      process.stdout.write(`${event.segment.text}\n`);
    }
  } finally {
    line.done();
    await engine.release();
  }
}

/** Raw sound → blocks of 16 kHz, mono. Read as it comes, so that no recorder has to wait or drop anything. */
class StandardInput {
  readonly #resampler: Resampler;
  readonly #channels: number;
  readonly #waiting: Float32Array[] = [];
  #odd = Buffer.alloc(0); // bytes of a frame that has not come whole
  #ended = false;
  #wake = (): void => {};

  constructor(stream: Readable, rate: number, channels: number) {
    this.#resampler = new Resampler(rate);
    this.#channels = channels;
    const end = (): void => {
      if (this.#ended) return;
      this.#ended = true;
      const rest = new Float32Array(this.#resampler.maxOutputs(0));
      this.#give(rest.subarray(0, this.#resampler.finish(rest)));
    };
    stream.on('data', (bytes: Buffer) => this.#take(bytes));
    stream.once('end', end).once('close', end).once('error', end);
  }

  async *blocks(): AsyncGenerator<AudioBlock, void> {
    let startSample = 0;
    for (;;) {
      const samples = this.#waiting.shift();
      if (samples !== undefined) {
        yield { startSample, samples };
        startSample += samples.length;
      } else if (this.#ended) return;
      else await new Promise<void>((wake) => (this.#wake = wake));
    }
  }

  #take(bytes: Buffer): void {
    const all = Buffer.concat([this.#odd, bytes]);
    const frameBytes = 2 * this.#channels;
    const frames = Math.floor(all.length / frameBytes);
    this.#odd = all.subarray(frames * frameBytes);
    const mono = Float32Array.from({ length: frames }, (_, frame) => {
      let sum = 0;
      for (let channel = 0; channel < this.#channels; channel++)
        sum += all.readInt16LE(frame * frameBytes + 2 * channel);
      return sum / this.#channels / 32_768;
    });
    const samples = new Float32Array(this.#resampler.maxOutputs(frames));
    this.#give(samples.subarray(0, this.#resampler.push(mono, samples)));
  }

  #give(samples: Float32Array): void {
    if (samples.length > 0) this.#waiting.push(samples);
    this.#wake();
  }
}
