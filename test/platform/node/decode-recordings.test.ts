// Real files in every format against ffmpeg, and real damaged files. Skipped where the recordings or
// ffmpeg are absent.

import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERRORS, isAsrError, type AsrErrorCode } from '../../../src/errors.ts';
import { memorySource } from '../../../src/platform/media/byte-source.ts';
import { openMedia } from '../../../src/platform/media/open-media.ts';
import { openAudioFile } from '../../../src/platform/node/decode-file.ts';
import { haveRecordings, recordingPath } from '../../signal/recordings.ts';

const haveFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0;
const list = (folder: string): string[] =>
  haveRecordings ? readdirSync(recordingPath(folder)).filter((name) => !name.endsWith('.txt')) : [];

/** Decoded by ffmpeg: interleaved samples. Opus by libopus: ffmpeg's own decoder strays from it by up to 0.05. */
function byFfmpeg(path: string, ...settings: string[]): Float32Array {
  const opus = /\.(opus|webm)$/.test(path) ? ['-c:a', 'libopus'] : [];
  const sound = ['-map', '0:a:0', ...settings, '-f', 'f32le', '-c:a', 'pcm_f32le', '-'];
  const bytes = execFileSync('ffmpeg', ['-v', 'quiet', ...opus, '-i', path, ...sound], {
    maxBuffer: 2 ** 30,
  });
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

/** At the file's rate, before channels are mixed: interleaved. */
async function byUs(path: string): Promise<number[]> {
  const media = await openMedia(memorySource(new Uint8Array(readFileSync(path))));
  const samples: number[] = [];
  for await (const { channels } of media.blocks()) {
    const frames = channels[0]!.length;
    for (let i = 0; i < frames; i++) for (const channel of channels) samples.push(channel[i]!);
  }
  return samples;
}

/** ffmpeg reads 24 bits at the bottom of 32 as if they were at the top. */
const MISREAD = ['hound_waveformatextensible-24bit-4byte-48kHz-stereo.wav'];
const FORMATS = list('formats').filter((name) => !name.endsWith('.raw') && !MISREAD.includes(name));

describe.skipIf(!haveRecordings || !haveFfmpeg)('real files in every format', () => {
  it.each(FORMATS)("%s: ffmpeg's samples before the mix", async (name) => {
    const expected = byFfmpeg(recordingPath(`formats/${name}`));
    const samples = await byUs(recordingPath(`formats/${name}`));
    let worst = 0;
    for (let i = 0; i < Math.min(samples.length, expected.length); i++) {
      worst = Math.max(worst, Math.abs(samples[i]! - expected[i]!));
    }
    expect(samples.length).toBe(expected.length);
    expect(worst).toBeLessThan(1e-4);
  });

  it.each(FORMATS)('%s: as many samples at 16 kHz as ffmpeg gives', async (name) => {
    const path = recordingPath(`formats/${name}`);
    const expected = byFfmpeg(path, '-ar', '16000', '-ac', '1');
    const file = await openAudioFile(path);
    let samples = 0;
    let [cross, mine, its] = [0, 0, 0];
    for await (const block of file.blocks()) {
      block.samples.forEach((x, i) => {
        const y = expected[samples + i] ?? 0;
        cross += x * y;
        mine += x * x;
        its += y * y;
      });
      samples += block.samples.length;
    }
    // Its filter lets a handful of samples pass as none.
    expect(Math.abs(samples - expected.length)).toBeLessThanOrEqual(2);
    // One channel: only the two resampling filters differ, above 7.3 kHz.
    if (file.format.channels === 1 && expected.length > 100) {
      expect(cross / Math.sqrt(mine * its)).toBeGreaterThan(0.9998);
    }
  });

  it.each(['goforward_16k_s16le.raw', 'google_brooklyn_audio_16k_s16le.raw'])(
    '%s: as described',
    async (name) => {
      const path = recordingPath(`formats/${name}`);
      const file = await openAudioFile(path, { raw: { encoding: 's16le', sampleRate: 16_000, channels: 1 } });
      const samples: number[] = [];
      for await (const block of file.blocks()) samples.push(...block.samples);
      const bytes = readFileSync(path);
      expect(samples).toHaveLength(bytes.length / 2);
      samples.forEach((sample, i) => expect(sample).toBe(bytes.readInt16LE(2 * i) / 32_768));
    },
  );
});

/** What each damaged file is to end in; `sound` without an error where all of it can be read. */
const ENDS: Readonly<Record<string, AsrErrorCode | 'sound'>> = {
  'azure_missing_wav_header.wav': 'audio-unsupported',
  'flac_faulty_01_wrong_max_blocksize.flac': 'sound',
  'flac_faulty_03_wrong_bit_depth.flac': 'sound',
  'flac_faulty_05_wrong_total_number_of_samples.flac': 'sound',
  'flac_faulty_06_missing_streaminfo_metadata_block.flac': 'sound',
  'flac_faulty_07_other_metadata_blocks_preceding_streaminfo_metadata_block.flac': 'sound',
  'flac_faulty_10_invalid_vorbis_comment_metadata_block.flac': 'sound',
  'minimp3_l3-nonstandard-he_44_48khz.mp3': 'sound',
  'minimp3_l3-nonstandard-id3v2-only.mp3': 'audio-empty',
  'minimp3_l3-nonstandard-small.mp3': 'audio-unsupported',
  'minimp3_l3-nonstandard-sideinfo-size.mp3': 'audio-unsupported',
  'pocketsphinx_null.wav': 'audio-empty',
  'pydub_test1_empty.wav': 'audio-empty',
};

describe.skipIf(!haveRecordings)('real damaged files', () => {
  it.each(list('malformed'))('%s ends in sound or in one sentence', async (name) => {
    let samples = 0;
    let end: AsrErrorCode | 'sound' = 'sound';
    try {
      const file = await openAudioFile(recordingPath(`malformed/${name}`));
      for await (const block of file.blocks()) {
        samples += block.samples.length;
        expect(block.samples.every(Number.isFinite)).toBe(true);
      }
    } catch (error) {
      if (!isAsrError(error)) throw error;
      end = error.code;
      expect(error.message).toMatch(/^[a-z"0-9]\S* .+[^.]$/);
      expect(error.message).not.toContain('\n');
      expect(ERRORS[error.code].advice).toMatch(/\.$/);
    }
    if (end === 'sound') expect(samples).toBeGreaterThan(0);
    expect(end).toBe(ENDS[name] ?? end);
  });
});
