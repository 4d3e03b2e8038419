// OpenAI's Realtime transcription over a WebSocket.
//
//   turn detection on   one recording that grows; the engine finds the turns, each becomes an item
//   turn detection off  what was appended is read when the client commits it, as one item
//
// One event is ours, `sotto.warning` { code, message }: clients pass over types that they do not know.

import { randomBytes } from 'node:crypto';
import type { WebSocket } from 'ws';
import { DEFAULT_OPTIONS, type Segment } from '../../engine/events.ts';
import { AsrError, isAbort } from '../../errors.ts';
import { SAMPLE_RATE } from '../../signal/units.ts';
import { joinText } from '../../text/join.ts';
import type { JobEvent, Jobs } from '../jobs.ts';
import { logProbsOf } from '../openai/answers.ts';
import { errorBody } from '../openai/routes.ts';
import { parseOptions } from '../reading-options.ts';
import { refusalOf, sentencesOf } from '../refusal.ts';
import { AudioInput, type InputFormat } from './audio-input.ts';
import { type ClientMessage, type SessionUpdate, clientMessage, modernized } from './messages.ts';

export interface RealtimeParts {
  readonly jobs: Jobs;
  readonly log: { error(details: object, message: string): void };
}

interface Settings {
  format: InputFormat;
  model: string;
  detectsTurns: boolean;
  withLogProbs: boolean;
}

/** Serves one client until it goes; then its jobs end. */
export function serveRealtime(socket: WebSocket, asker: string, url: URL, parts: RealtimeParts): void {
  const session = new RealtimeSession(socket, asker, url.searchParams.get('model') ?? '', parts);
  socket.on('message', (data: Buffer) => session.receive(data.toString('utf8')));
  socket.once('close', () => session.close());
}

class RealtimeSession {
  readonly #socket: WebSocket;
  readonly #asker: string;
  readonly #parts: RealtimeParts;
  readonly #gone = new AbortController();
  readonly #id = newId('sess');
  readonly #settings: Settings;
  /** The stretch that is being filled. */
  #input: AudioInput | undefined;
  #lastItem: string | null = null;
  /** Milliseconds of audio before the stretch that is being filled. */
  #earlierMs = 0;
  /** The client has been told that the voice model failed. */
  #warned = false;

  constructor(socket: WebSocket, asker: string, model: string, parts: RealtimeParts) {
    this.#socket = socket;
    this.#asker = asker;
    this.#parts = parts;
    const format = { type: 'audio/pcm', rate: 24_000 } as const;
    this.#settings = { format, model, detectsTurns: true, withLogProbs: false };
    this.#send('session.created', { session: this.#description() });
  }

  close(): void {
    this.#gone.abort();
    this.#input?.end();
  }

  receive(text: string): void {
    let eventId: string | null = null;
    try {
      const json = parsedJson(text);
      eventId = eventIdOf(json);
      this.#obey(parseOptions(clientMessage, json));
    } catch (error) {
      this.#send('error', { error: { ...this.#errorOf(error), event_id: eventId } });
    }
  }

  #obey(message: ClientMessage): void {
    switch (message.type) {
      case 'session.update':
        return this.#update(message.session);
      case 'transcription_session.update':
        return this.#update(modernized(message.session));
      case 'input_audio_buffer.append':
        return this.#append(message.audio);
      case 'input_audio_buffer.commit':
        return this.#commit();
      case 'input_audio_buffer.clear':
        this.#earlierMs += msOf(this.#input?.samples ?? 0);
        // In the middle of a turn, what was heard of it is still said.
        this.#input?.end();
        this.#input = undefined;
        return this.#send('input_audio_buffer.cleared', {});
    }
  }

  #update({ audio, include }: SessionUpdate): void {
    const input = audio?.input;
    const settings = this.#settings;
    if (this.#input !== undefined && (input?.format !== undefined || input?.turn_detection !== undefined)) {
      throw new AsrError('option-invalid', 'format and turn detection are set before audio comes');
    }
    if (input?.format !== undefined) settings.format = input.format;
    if (input?.turn_detection !== undefined) settings.detectsTurns = input.turn_detection !== null;
    if (input?.transcription?.model) settings.model = input.transcription.model;
    if (include) settings.withLogProbs = include.includes('item.input_audio_transcription.logprobs');
    this.#send('session.updated', { session: this.#description() });
  }

  #append(base64: string): void {
    if (this.#input === undefined) {
      this.#input = new AudioInput(this.#settings.format);
      if (this.#settings.detectsTurns) void this.#readTurns(this.#input, this.#earlierMs);
    }
    this.#input.append(base64);
  }

  #commit(): void {
    const input = this.#input;
    if (input === undefined || input.samples === 0) {
      throw new AsrError('audio-empty', 'there is no audio to commit');
    }
    this.#input = undefined;
    input.end();
    this.#earlierMs += msOf(input.samples);
    if (this.#settings.detectsTurns) return; // its turns are read already
    const item = this.#newItem();
    this.#committed(item);
    void this.#readItem(input, item.id);
  }

  /** One item: everything that was committed. */
  async #readItem(input: AudioInput, item: string): Promise<void> {
    const segments: Segment[] = [];
    try {
      for await (const event of this.#run(input, false)) {
        if (event.type !== 'final') continue;
        const before = textOf(segments);
        segments.push(event.segment);
        this.#delta(item, textOf(segments).slice(before.length), [event.segment]);
      }
      this.#completed(item, segments, input.samples / SAMPLE_RATE);
    } catch (error) {
      this.#failed(item, error);
    }
  }

  /** An item per turn, as the engine hears them. */
  async #readTurns(input: AudioInput, earlierMs: number): Promise<void> {
    let turn: Turn | undefined;
    const begin = (startSeconds: number): Turn => {
      const item = this.#newItem();
      const audio_start_ms = Math.round(earlierMs + startSeconds * 1000);
      this.#send('input_audio_buffer.speech_started', { audio_start_ms, item_id: item.id });
      return { ...item, told: '' };
    };
    try {
      for await (const event of this.#run(input, true)) {
        if (event.type === 'partial') {
          turn ??= begin(event.startSeconds);
          const rest = restOf(event.committed, turn.told);
          if (rest !== '') this.#delta(turn.id, rest, []);
          turn.told += rest;
        }
        if (event.type !== 'final') continue;
        const { segment } = event;
        if (segment.text === '' && turn === undefined) continue;
        turn ??= begin(segment.startSeconds);
        const audio_end_ms = Math.round(earlierMs + segment.endSeconds * 1000);
        this.#send('input_audio_buffer.speech_stopped', { audio_end_ms, item_id: turn.id });
        this.#committed(turn);
        const rest = restOf(segment.text, turn.told);
        if (rest !== '') this.#delta(turn.id, rest, [segment]);
        this.#completed(turn.id, [segment], segment.endSeconds - segment.startSeconds);
        turn = undefined;
      }
    } catch (error) {
      this.#failed((turn ?? this.#newItem()).id, error);
      if (this.#input === input) this.#input = undefined;
    }
  }

  async *#run(input: AudioInput, live: boolean): AsyncGenerator<JobEvent, void> {
    const job = {
      asker: this.#asker,
      model: this.#settings.model,
      audio: { blocks: input.blocks() },
      options: { ...DEFAULT_OPTIONS, live },
    };
    for await (const event of this.#parts.jobs.run(job, this.#gone.signal)) {
      if (event.type === 'warning') this.#warn(event);
      else yield event;
    }
  }

  #warn({ code, message }: Extract<JobEvent, { type: 'warning' }>): void {
    if (!this.#warned) this.#send('sotto.warning', { code, message: sentencesOf(code, message) });
    this.#warned = true;
  }

  #newItem(): Item {
    const item = { id: newId('item'), previous: this.#lastItem };
    this.#lastItem = item.id;
    return item;
  }

  #committed({ id, previous }: Item): void {
    this.#send('input_audio_buffer.committed', { item_id: id, previous_item_id: previous });
  }

  #delta(item_id: string, delta: string, segments: readonly Segment[]): void {
    this.#send('conversation.item.input_audio_transcription.delta', {
      item_id,
      content_index: 0,
      delta,
      ...(this.#settings.withLogProbs && { logprobs: logProbsOf(segments) }),
    });
  }

  #completed(item_id: string, segments: readonly Segment[], seconds: number): void {
    this.#send('conversation.item.input_audio_transcription.completed', {
      item_id,
      content_index: 0,
      transcript: textOf(segments),
      usage: { type: 'duration', seconds: Number(seconds.toFixed(3)) },
      ...(this.#settings.withLogProbs && { logprobs: logProbsOf(segments) }),
    });
  }

  #failed(item_id: string, error: unknown): void {
    if (isAbort(error)) return; // nobody is there to hear it
    const details = { item_id, content_index: 0, error: this.#errorOf(error) };
    this.#send('conversation.item.input_audio_transcription.failed', details);
  }

  #errorOf(error: unknown): object {
    const refusal = refusalOf(error, (id, bug) => this.#parts.log.error({ bug: id, err: bug }, 'a bug'));
    return errorBody(error, refusal).error;
  }

  #description(): object {
    const { format, model, detectsTurns, withLogProbs } = this.#settings;
    return {
      id: this.#id,
      object: 'realtime.transcription_session',
      type: 'transcription',
      audio: {
        input: {
          format,
          transcription: { model },
          turn_detection: detectsTurns ? { type: 'server_vad' } : null,
          noise_reduction: null,
        },
      },
      include: withLogProbs ? ['item.input_audio_transcription.logprobs'] : [],
    };
  }

  #send(type: string, details: object): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#socket.send(JSON.stringify({ type, event_id: newId('event'), ...details }));
  }
}

interface Item {
  readonly id: string;
  readonly previous: string | null;
}

interface Turn extends Item {
  /** What was sent of its text. */
  told: string;
}

function textOf(segments: readonly Segment[]): string {
  return joinText(segments.map(({ text }) => text));
}

/** What is new in `text`; nothing where it took another way, which `completed` then tells. */
function restOf(text: string, told: string): string {
  return text.startsWith(told) ? text.slice(told.length) : '';
}

function msOf(samples: number): number {
  return Math.round((samples / SAMPLE_RATE) * 1000);
}

function newId(kind: string): string {
  return `${kind}_${randomBytes(12).toString('hex')}`;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new AsrError('upload-malformed', 'a message is not JSON', { cause });
  }
}

function eventIdOf(json: unknown): string | null {
  const id = (json as { event_id?: unknown } | null)?.event_id;
  return typeof id === 'string' ? id : null;
}
