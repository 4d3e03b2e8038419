// Recordings that none of our decoders knows (Windows Media, Apple Lossless, AMR …), read by FFmpeg where the
// machine has it. Nobody has to install it: without it such files are refused as ever.
//
// What is read comes from strangers. FFmpeg may open nothing but this one file: no network, no playlists, no
// lists of other files.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { AsrError, isAsrError } from '../../errors.ts';
import { pcmFormat } from '../../signal/pcm.ts';
import { inPieces } from '../../signal/pieces.ts';
import { SAMPLE_RATE, type AudioBlock } from '../../signal/units.ts';
import { openAudioFile } from './decode-file.ts';

/** Containers that hold one recording and point nowhere else. */
const CONTAINERS =
  'asf,mov,matroska,avi,flv,rm,caf,amr,amrnb,amrwb,ac3,eac3,dts,mpeg,mpegts,au,w64,ape,wv,tta,tak,mpc,mpc8,dsf,aac,loas,gsm,oma,shn,voc,ogg,wav,aiff';

const S16LE = pcmFormat('s16le', 1);
const SECOND_BYTES = S16LE.unitBytes * SAMPLE_RATE;

/**
 * The sound of the file at `path`, for one walk: by our decoders, else by FFmpeg. Fails as `openAudioFile` and
 * its `blocks` do.
 */
export async function* soundOf(path: string, signal: AbortSignal): AsyncGenerator<AudioBlock, void> {
  let begun = false;
  try {
    const file = await openAudioFile(path);
    for await (const block of file.blocks(signal)) {
      begun = true;
      yield block;
    }
  } catch (error) {
    if (begun || !isAsrError(error) || error.code !== 'audio-unsupported') throw error;
    yield* byFfmpeg(path, signal, error);
  }
}

/** Fails with `unknown` where FFmpeg is missing or does not know the file either. */
async function* byFfmpeg(
  path: string,
  signal: AbortSignal,
  unknown: AsrError,
): AsyncGenerator<AudioBlock, void> {
  const input = ['-protocol_whitelist', 'file', '-format_whitelist', CONTAINERS, '-i', `file:${path}`];
  const output = ['-map', '0:a:0', '-ac', '1', '-ar', `${SAMPLE_RATE}`, '-f', 's16le', 'pipe:1'];
  const ffmpeg = spawn('ffmpeg', ['-nostdin', '-v', 'error', '-threads', '1', ...input, ...output], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(ffmpeg, 'close').catch(() => undefined); // it is not installed
  const stop = (): void => void ffmpeg.kill('SIGKILL');
  signal.addEventListener('abort', stop, { once: true });
  let startSample = 0;
  try {
    for await (const second of inPieces(ffmpeg.stdout, SECOND_BYTES)) {
      signal.throwIfAborted();
      const samples = new Float32Array(second.length >> 1);
      S16LE.unpack(new DataView(second.buffer), 0, second.length, samples);
      yield { startSample, samples };
      startSample += samples.length;
    }
    await ended;
    signal.throwIfAborted();
    if (startSample === 0) throw unknown;
    if (ffmpeg.exitCode !== 0) throw new AsrError('audio-malformed', 'FFmpeg gave the recording up');
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
    await ended;
  }
}
