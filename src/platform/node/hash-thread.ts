// The thread that hashes a large file while it is fetched.

import { parentPort } from 'node:worker_threads';
import { assert } from '../../errors.ts';
import type { FromHashThread, ToHashThread } from '../../wire/hash-messages.ts';
import { hostHash } from '../pull/hash-thread.ts';
import { portEndpoint } from './port-endpoint.ts';

assert(parentPort !== null, 'this file runs as a worker thread');
hostHash(portEndpoint<FromHashThread, ToHashThread>(parentPort));
