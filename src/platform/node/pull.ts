// A checkpoint from wherever somebody says into a folder of models on this machine.

import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import type { ModelLibrary } from '../../ports.ts';
import { type HttpFetch, PATIENCE, type Patience } from '../install/http.ts';
import { localFiles, pullModel, type Pulled, type PullOptions, type PullSource } from '../pull/pull.ts';
import { openRemoteSource } from '../pull/remote-source.ts';
import { type Endpoints, ENDPOINTS, parseRepository } from '../pull/repository.ts';
import { CheckpointFolder } from './checkpoint-folder.ts';
import { startNodeSha256 } from './hash-client.ts';
import { nodeHttp } from './http.ts';
import { nodeHashBytes } from './sha256.ts';

export interface NodePullOptions extends PullOptions {
  readonly connections?: number;
  readonly patience?: Patience;
  readonly http?: HttpFetch;
  readonly endpoints?: Endpoints;
}

/** The servers that the environment names in place of the official ones, as other programs do. */
export function endpointsOf(env: NodeJS.ProcessEnv): Endpoints {
  return {
    hub: env.HF_ENDPOINT || ENDPOINTS.hub,
    modelscope: env.MODELSCOPE_ENDPOINT || ENDPOINTS.modelscope,
  };
}

/** Opens what `parseRepository` takes, or a folder on this machine. Fails with `option-invalid`. */
export async function openPullSource(source: string, options: NodePullOptions): Promise<PullSource> {
  const found = await stat(source).catch(() => undefined); // then it is no folder
  if (found?.isDirectory() === true) return folderSource(source);
  const { http = nodeHttp(), patience = PATIENCE, signal, connections } = options;
  return openRemoteSource(parseRepository(source, options.endpoints ?? endpointsOf(process.env)), {
    ...{ http, patience, signal, startSha256: startNodeSha256 },
    ...(connections !== undefined && { connections }),
  });
}

function folderSource(folder: string): PullSource {
  const whole = resolve(folder);
  return {
    name: whole,
    title: basename(whole),
    about: {},
    open: ({ meter }) => {
      const files = new CheckpointFolder(whole);
      return localFiles(files, meter, () => files.close());
    },
  };
}

/** `pullModel` on Node. Fails as that does, and with `option-invalid` for a source that is none. */
export async function pullCheckpoint(
  source: string,
  library: ModelLibrary,
  options: NodePullOptions,
): Promise<Pulled> {
  return pullModel(await openPullSource(source, options), library, { ...options, hashBytes: nodeHashBytes });
}
