// The thread that keeps a recording while it is made. It does nothing else, so that no model and no page
// can keep it waiting.

import { isAsrError } from '../src/errors.ts';
import { Journal } from '../src/platform/web/journal.ts';
import type { ToJournal } from '../src/wire/capture-messages.ts';
import type { FromJournalThread, ToJournalThread } from '../src/wire/journal-messages.ts';

const scope = globalThis as unknown as DedicatedWorkerGlobalScope;
const journal = new Journal();
const tell = (message: FromJournalThread): void => scope.postMessage(message);

scope.onmessage = ({ data }: MessageEvent<ToJournalThread>) => {
  const { id, port } = data;
  const rest: Int16Array<ArrayBuffer>[] = [];
  let full = false;
  let work = Promise.resolve();

  const keep = async (startSample: number, samples: Int16Array<ArrayBuffer>): Promise<void> => {
    if (!full) {
      try {
        await journal.add(id, startSample, samples);
        return tell({ type: 'kept', samples: startSample + samples.length });
      } catch (error) {
        full = true;
        tell({ type: 'unkept', code: isAsrError(error) ? error.code : 'storage-denied' });
      }
    }
    rest.push(samples);
  };

  port.onmessage = (event) => {
    const message = event.data as ToJournal;
    if (message.type === 'slice') {
      const samples = message.samples.slice(0, message.count);
      port.postMessage(message.samples, [message.samples.buffer]);
      work = work.then(() => keep(message.startSample, samples));
    } else {
      void work.then(() => tell({ type: 'ended', rest }));
      port.close();
    }
  };
};
