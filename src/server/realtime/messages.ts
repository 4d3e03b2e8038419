// What Realtime transcription clients say, checked.

import { z } from 'zod';

const format = z.union([
  z.object({ type: z.literal('audio/pcm'), rate: z.number().int().min(8000).max(96_000).default(24_000) }),
  z.object({ type: z.enum(['audio/pcmu', 'audio/pcma']) }),
]);

const turnDetection = z.looseObject({ type: z.enum(['server_vad', 'semantic_vad']) });
const transcription = z.looseObject({
  model: z.string().max(200).nullish(),
  language: z.string().nullish(),
  prompt: z.string().nullish(),
});

const session = z.looseObject({
  type: z.literal('transcription').optional(),
  audio: z
    .looseObject({
      input: z
        .looseObject({
          format: format.optional(),
          transcription: transcription.nullish(),
          turn_detection: turnDetection.nullish(),
          noise_reduction: z.looseObject({ type: z.enum(['near_field', 'far_field']) }).nullish(),
        })
        .optional(),
    })
    .optional(),
  include: z.array(z.string()).nullish(),
});

/** The shape before 2025-08: everything on one level, formats by their short names. */
const olderSession = z.looseObject({
  input_audio_format: z.enum(['pcm16', 'g711_ulaw', 'g711_alaw']).optional(),
  input_audio_transcription: transcription.nullish(),
  turn_detection: turnDetection.nullish(),
  include: z.array(z.string()).nullish(),
});

const eventId = { event_id: z.string().nullish() };

export const clientMessage = z.discriminatedUnion('type', [
  z.object({ ...eventId, type: z.literal('session.update'), session }),
  z.object({ ...eventId, type: z.literal('transcription_session.update'), session: olderSession }),
  z.object({ ...eventId, type: z.literal('input_audio_buffer.append'), audio: z.string() }),
  z.object({ ...eventId, type: z.literal('input_audio_buffer.commit') }),
  z.object({ ...eventId, type: z.literal('input_audio_buffer.clear') }),
]);

export type ClientMessage = z.output<typeof clientMessage>;
export type SessionUpdate = z.output<typeof session>;

/** The older shape in the newer one. */
export function modernized(older: z.output<typeof olderSession>): SessionUpdate {
  const formats = {
    pcm16: { type: 'audio/pcm', rate: 24_000 },
    g711_ulaw: { type: 'audio/pcmu' },
    g711_alaw: { type: 'audio/pcma' },
  } as const;
  const { input_audio_format, input_audio_transcription, turn_detection, include } = older;
  return {
    audio: {
      input: {
        ...(input_audio_format !== undefined && { format: formats[input_audio_format] }),
        ...(input_audio_transcription !== undefined && { transcription: input_audio_transcription }),
        ...(turn_detection !== undefined && { turn_detection }),
      },
    },
    ...(include !== undefined && { include }),
  };
}
