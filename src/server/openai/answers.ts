// Transcripts in the shapes of OpenAI's audio API.

import { deflateSync } from 'node:zlib';
import type { Segment } from '../../engine/events.ts';
import { unreachable } from '../../errors.ts';
import { joinText } from '../../text/join.ts';
import { toSrt, toVtt } from '../../text/subtitles.ts';
import { languageOf } from './language.ts';
import type { TranscriptionRequest } from './requests.ts';

export interface Transcript {
  readonly segments: readonly Segment[];
  readonly durationSeconds: number;
}

export function textOf({ segments }: Transcript): string {
  return joinText(segments.map(({ text }) => text));
}

/** The whole answer, not streamed. */
export function answer(
  transcript: Transcript,
  { response_format, include }: Pick<TranscriptionRequest, 'response_format' | 'include'>,
): Response {
  switch (response_format) {
    case 'json':
      return Response.json({
        text: textOf(transcript),
        ...(include.includes('logprobs') && { logprobs: logProbsOf(transcript.segments) }),
        usage: usageOf(transcript),
      });
    case 'verbose_json':
      return Response.json(verbose(transcript));
    case 'text':
      return plain(`${textOf(transcript)}\n`);
    case 'srt':
      return plain(toSrt(transcript.segments), 'application/x-subrip');
    case 'vtt':
      return plain(toVtt(transcript.segments), 'text/vtt');
    default:
      return unreachable(response_format);
  }
}

export function usageOf({ durationSeconds }: Transcript): object {
  return { type: 'duration', seconds: round(durationSeconds) };
}

/** One entry per token. */
export function logProbsOf(segments: readonly Segment[]): object[] {
  return segments.flatMap(({ tokens }) =>
    tokens.map(({ text, logProb }) => ({
      token: text,
      logprob: round(logProb, 4),
      bytes: [...new TextEncoder().encode(text)],
    })),
  );
}

function verbose(transcript: Transcript): object {
  return {
    task: 'transcribe',
    language: languageOf(textOf(transcript)),
    duration: round(transcript.durationSeconds),
    text: textOf(transcript),
    segments: transcript.segments.map((segment) => ({
      id: segment.index,
      seek: Math.round(segment.startSeconds * 100), // hundredths of a second, as in Whisper
      start: round(segment.startSeconds),
      end: round(segment.endSeconds),
      text: segment.text,
      tokens: segment.tokens.map(({ id }) => id),
      temperature: 0,
      avg_logprob: round(segment.meanLogProb, 4),
      compression_ratio: compressionRatio(segment.text),
      // Voice detection has already left out where nobody speaks.
      no_speech_prob: 0,
    })),
    usage: usageOf(transcript),
  };
}

/** As Whisper counts it: text that repeats itself packs well. */
function compressionRatio(text: string): number {
  const bytes = new TextEncoder().encode(text);
  return bytes.length === 0 ? 0 : round(bytes.length / deflateSync(bytes).length);
}

function plain(body: string, type = 'text/plain'): Response {
  return new Response(body, { headers: { 'Content-Type': `${type}; charset=utf-8` } });
}

function round(value: number, digits = 3): number {
  return Number(value.toFixed(digits));
}
