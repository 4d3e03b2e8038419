// The thread that hashes a large file while another makes a model of it.

import { hostHash } from '../src/platform/pull/hash-thread.ts';
import { workerEndpoint } from '../src/platform/web/worker-endpoint.ts';
import type { FromHashThread, ToHashThread } from '../src/wire/hash-messages.ts';

hostHash(workerEndpoint<FromHashThread, ToHashThread>(globalThis));
