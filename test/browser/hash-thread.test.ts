import { sha256InWorkers } from '../../src/platform/web/hash-client.ts';
import { describeResumableSha256 } from '../contract/resumable-sha256.ts';

describeResumableSha256(
  'in a worker of the browser',
  sha256InWorkers(
    () => new Worker(new URL('../../workers/hash.worker.ts', import.meta.url), { type: 'module' }),
  ),
);
