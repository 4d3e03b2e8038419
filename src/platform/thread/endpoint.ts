// The smallest thing that two threads can talk through: a browser Worker, its global scope, a
// MessagePort and a Node worker thread all fit (Node's through a three-line adapter).

import type { SoundPort } from '../../wire/capture-messages.ts';

export interface Endpoint<Out, In> {
  post(message: Out, transfer?: readonly (ArrayBuffer | SoundPort)[]): void;
  /** Called for every message; one listener at a time. */
  listen(onMessage: (message: In) => void): void;
}
