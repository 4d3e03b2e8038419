// The thread that tells voices from other sounds, beside the one that reads.

import { trustOwnScripts } from '../src/platform/web/trusted-types.ts';
import { hostVoice } from '../src/platform/web/voice-thread.ts';
import { workerEndpoint } from '../src/platform/web/worker-endpoint.ts';
import type { FromVoiceThread, ToVoiceThread } from '../src/wire/voice-messages.ts';

trustOwnScripts();

hostVoice(workerEndpoint<FromVoiceThread, ToVoiceThread>(globalThis));
