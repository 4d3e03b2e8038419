// Sound that comes through a port of its own, from the audio thread straight to the thread that reads.
// The door between them only hands the port over.

import {
  blockOf,
  type FromMicrophone,
  type SoundPacket,
  type SoundPort,
} from '../../wire/capture-messages.ts';
import type { AudioBlock } from '../../signal/units.ts';

/**
 * A microphone's sound, as an engine takes it. An engine in another thread moves the port there
 * (engine-client.ts); one in place reads from it here. What came before anybody read is not lost: the port keeps it.
 */
export class PortAudio implements AsyncIterable<AudioBlock> {
  readonly port: SoundPort;
  #end = (): void => {};

  constructor(port: SoundPort) {
    this.port = port;
  }

  /** Ends the sound, should the audio thread be gone and never say so. */
  end(): void {
    this.#end();
  }

  /** Called by who took the port elsewhere. */
  onEnd(end: () => void): void {
    this.#end = end;
  }

  [Symbol.asyncIterator](): AsyncGenerator<AudioBlock, void> {
    const sound = new PortReader(this.port);
    this.#end = () => sound.end();
    return sound.blocks();
  }
}

/** Reads what a port brings. Packets wait in order, whatever the reader is doing. */
export class PortReader {
  readonly #port: SoundPort;
  readonly #packets: SoundPacket[] = [];
  #ended = false;
  #wake = (): void => {};

  constructor(port: SoundPort) {
    this.#port = port;
    port.onmessage = ({ data }) => this.#receive(data as FromMicrophone);
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** Blocks in order; each is good until the next is asked for. */
  async *blocks(): AsyncGenerator<AudioBlock, void> {
    try {
      for (;;) {
        const packet = this.#packets.shift();
        if (packet !== undefined) {
          yield blockOf(packet);
          this.#port.postMessage(packet.numbers, [packet.numbers.buffer]);
        } else if (this.#ended) return;
        else await new Promise<void>((wake) => (this.#wake = wake));
      }
    } finally {
      this.#port.close();
    }
  }

  #receive(message: FromMicrophone): void {
    if (message.type === 'end') this.#ended = true;
    else this.#packets.push(message);
    this.#wake();
  }
}
