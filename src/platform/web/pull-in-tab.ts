// A checkpoint becomes a model in this browser: from a repository, or from files on the user's own disk. In a
// worker (workers/convert.worker.ts), since quantising takes a core.

import { AsrError } from '../../errors.ts';
import type { ByteSource, CheckpointFiles } from '../../convert/byte-source.ts';
import type { Profile } from '../../model/manifest.ts';
import type { ModelLibrary } from '../../ports.ts';
import { type HttpFetch, PATIENCE, type Patience } from '../install/http.ts';
import type { InstallProgress } from '../install/progress.ts';
import type { PullProgress } from '../pull/progress.ts';
import {
  localFiles,
  modelIdOf,
  type Pulled,
  pullModel,
  type PullFiles,
  type PullSource,
} from '../pull/pull.ts';
import { openRemoteSource, type RemoteOptions } from '../pull/remote-source.ts';
import { type Endpoints, ENDPOINTS, OFFICIAL_SOURCE, parseRepository } from '../pull/repository.ts';
import type { StartSha256 } from '../pull/resumable-sha256.ts';
import type { GivenFile } from './given-file.ts';
import { amongTabs } from './model-channel.ts';
import type { PullOrigin } from './pull-origin.ts';

export interface TabPullOptions {
  readonly profile: Profile;
  readonly name?: string;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: PullProgress) => void;
  readonly patience?: Patience;
  readonly endpoints?: Endpoints;
  readonly startSha256?: StartSha256;
  /** For tests with small models. */
  readonly maxShardBytes?: number;
  readonly blockBytes?: number;
}

/** `pullModel` for a browser: other tabs see how far it is, and may ask it to stop when they delete the model. */
export async function pullInTab(
  origin: PullOrigin,
  library: ModelLibrary,
  options: TabPullOptions,
): Promise<Pulled> {
  const source = await openSource(origin, options, options.signal);
  const id = modelIdOf(options.name ?? source.title, options.profile);
  const waiting = (progress: InstallProgress): PullProgress => ({
    ...progress,
    at: 'waiting',
    secondsLeft: undefined,
  });
  return amongTabs(id, options, waiting, (turn) => pullModel(source, library, { ...options, ...turn }));
}

async function openSource(
  origin: PullOrigin,
  { patience = PATIENCE, endpoints = ENDPOINTS, startSha256, blockBytes }: TabPullOptions,
  signal: AbortSignal,
): Promise<PullSource> {
  const http: HttpFetch = (url, init) => fetch(url, init);
  const remote: RemoteOptions = {
    ...{ http, patience, signal },
    ...(startSha256 !== undefined && { startSha256 }),
    ...(blockBytes !== undefined && { blockBytes }),
  };
  if (origin.from === 'repository') {
    return openRemoteSource(parseRepository(origin.source, endpoints), remote);
  }
  const official = (): Promise<PullSource> =>
    openRemoteSource(parseRepository(OFFICIAL_SOURCE, endpoints), remote);
  return givenSource(origin.files, official);
}

function givenSource(given: readonly GivenFile[], official: () => Promise<PullSource>): PullSource {
  const files = new Map(given.map(({ path, file }) => [path.slice(path.lastIndexOf('/') + 1), file]));
  const folder = given[0]?.path.split('/').slice(0, -1).at(-1) ?? '';
  return {
    name: folder === '' ? 'files' : folder,
    title: folder === '' ? 'GLM-ASR-Nano-2512' : folder,
    about: {},
    open: (attempt): PullFiles => {
      let others: Promise<PullFiles> | undefined;
      const here: CheckpointFiles = {
        open: async (path, signal) => {
          const file = files.get(path);
          if (file !== undefined) return fileSource(path, file);
          if (path.includes('.safetensors')) return undefined;
          others ??= official().then((source) => source.open(attempt));
          return (await others).open(path, signal);
        },
      };
      return localFiles(here, attempt.meter, async () => undefined);
    },
  };
}

function fileSource(path: string, file: File): ByteSource {
  return {
    name: path,
    bytes: file.size,
    version: `${file.size} bytes of ${file.lastModified}`,
    read: async (offset, length, signal) => {
      signal.throwIfAborted();
      if (offset + length > file.size) {
        throw new AsrError('checkpoint-malformed', `${path} ends before byte ${offset + length}`);
      }
      try {
        return new Uint8Array(await file.slice(offset, offset + length).arrayBuffer());
      } catch (cause) {
        // Changed, moved or unplugged since it was given.
        throw new AsrError('source-changed', `${path} cannot be read any more`, { cause });
      }
    },
  };
}
