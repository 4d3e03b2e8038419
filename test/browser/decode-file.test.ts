// Audio files in a browser: the contract, and the browser's own decoders against ours.

import { describe, expect, test } from 'vitest';
import { openOwnDecoder } from '../../src/platform/media/codecs.ts';
import type { PacketDecoder, TrackConfig } from '../../src/platform/media/packets.ts';
import { openAudioFile } from '../../src/platform/web/decode-file.ts';
import { openWebCodecsDecoder } from '../../src/platform/web/webcodecs-decoder.ts';
import { describeFileDecoder } from '../contract/file-decoder.ts';

const SOUNDS = import.meta.glob<string>('../fixtures/sounds/*', {
  query: '?url',
  import: 'default',
  eager: true,
});

async function clip(file: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(SOUNDS[`../fixtures/sounds/${file}`] ?? '');
  return new Uint8Array(await response.arrayBuffer());
}

describe('in a browser', () => {
  describeFileDecoder(
    { open: (bytes, options) => openAudioFile(new Blob([bytes as Uint8Array<ArrayBuffer>]), options) },
    clip,
  );
});

/** The packets of stereo.aac, which come with a header each. */
function packetsOf(adts: Uint8Array): Uint8Array[] {
  const packets: Uint8Array[] = [];
  for (let at = 0; at + 7 <= adts.length;) {
    const length =
      (((adts[at + 3] ?? 0) & 3) << 11) | ((adts[at + 4] ?? 0) << 3) | ((adts[at + 5] ?? 0) >> 5);
    packets.push(adts.subarray(at, at + length));
    at += length;
  }
  return packets;
}

const AAC: TrackConfig = {
  ...{ codec: 'aac', codecString: 'mp4a.40.2', sampleRate: 22_050, channels: 2 },
  description: undefined,
};

async function decodeAll(
  decoder: PacketDecoder | undefined,
  packets: readonly Uint8Array[],
): Promise<{ samples: number[]; notes: string[] }> {
  if (decoder === undefined) throw new Error('there is no such decoder here');
  const notes: string[] = [];
  const blocks = [...(await decoder.decode(packets, (what) => notes.push(what))), ...(await decoder.flush())];
  decoder.close();
  return { samples: blocks.flatMap(({ channels }) => [...(channels[0] ?? [])]), notes };
}

test('the browser decodes AAC to what our decoder makes of it', async () => {
  const packets = packetsOf(await clip('stereo.aac'));
  const ours = await decodeAll(await openOwnDecoder(AAC), packets);
  const theirs = await decodeAll(await openWebCodecsDecoder(AAC), packets);
  expect(ours.samples.length).toBeGreaterThan(22_050);
  expect(theirs.samples.length).toBe(ours.samples.length);
  const worst = Math.max(...ours.samples.map((sample, i) => Math.abs(sample - (theirs.samples[i] ?? NaN))));
  expect(worst).toBeLessThan(1e-3);
});

test('the browser goes on behind a packet that it cannot decode, and says so', async () => {
  const packets = packetsOf(await clip('stereo.aac'));
  const bad = packets.with(5, new Uint8Array(64).fill(0xff));
  const { samples, notes } = await decodeAll(await openWebCodecsDecoder(AAC), bad);
  expect(notes.length).toBeGreaterThan(0);
  expect(samples.length).toBeGreaterThan(0);
});

test('for what a browser cannot decode there is no decoder', async () => {
  expect(await openWebCodecsDecoder({ ...AAC, codec: 'dts', codecString: 'dtsc' })).toBeUndefined();
  expect(await openWebCodecsDecoder({ ...AAC, codec: 'alac', codecString: '' })).toBeUndefined();
});
