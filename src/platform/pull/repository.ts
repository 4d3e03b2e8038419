// Where a checkpoint can be fetched from: the official repository, its copies, any static host.

import { AsrError } from '../../errors.ts';
import { folderAddress } from '../install/http-source.ts';

/** A folder of a checkpoint's files on a server. */
export interface Repository {
  readonly kind: 'hub' | 'modelscope' | 'plain';
  /** For people, and to find it again: what `parseRepository` takes. */
  readonly name: string;
  /** What to call the model. */
  readonly title: string;
  readonly revision: string | undefined;
  /** Address of a file. */
  url(path: string): string;
  /** Where the server lists its files with their hashes, if it does. */
  readonly listing: string | undefined;
}

/** The servers behind `hf:` and `modelscope:`; mirrors of them work alike. */
export interface Endpoints {
  readonly hub: string;
  readonly modelscope: string;
}

export const ENDPOINTS: Endpoints = {
  hub: 'https://huggingface.co',
  modelscope: 'https://www.modelscope.cn',
};

export const OFFICIAL_SOURCE = 'hf:zai-org/GLM-ASR-Nano-2512';
/** The same model on ModelScope. */
export const OFFICIAL_MODELSCOPE = 'modelscope:ZhipuAI/GLM-ASR-Nano-2512';
/** The revision that this program was written for; a later one may be something else. */
const OFFICIAL_REVISION = '61ba4e0b3309b6656edea3e93e419f7bd5c61957';
const OFFICIAL_REPOSITORIES = ['zai-org/GLM-ASR-Nano-2512', 'ZhipuAI/GLM-ASR-Nano-2512'];

/** Pages of the hub and of mirrors that copy its addresses. */
const HUB_HOSTS: ReadonlySet<string> = new Set(['huggingface.co', 'hf.co', 'hf-mirror.com']);
const MODELSCOPE_HOSTS: ReadonlySet<string> = new Set([
  'modelscope.cn',
  'www.modelscope.cn',
  'modelscope.ai',
]);

/**
 * Reads what somebody typed:
 *
 *   hf:zai-org/GLM-ASR-Nano-2512[@revision]          the hub, or the mirror that `endpoints` names
 *   modelscope:ZhipuAI/GLM-ASR-Nano-2512[@revision]
 *   https://huggingface.co/zai-org/GLM-ASR-Nano-2512  the address of such a page
 *   https://example.org/glm-asr-nano/                 any folder that holds config.json and model.safetensors
 *
 * The official repository's revision is pinned unless another is named. Fails with `option-invalid`.
 */
export function parseRepository(typed: string, endpoints: Endpoints = ENDPOINTS): Repository {
  const text = typed.trim();
  const short = /^(hf|huggingface|modelscope|ms):(.*)$/i.exec(text);
  if (short !== null) {
    const [, scheme = '', rest = ''] = short;
    const named = /^([\w.-]+\/[\w.-]+)(?:@([\w./-]+))?$/.exec(rest);
    if (named?.[1] === undefined) {
      throw new AsrError('option-invalid', `"${text}" should look like ${OFFICIAL_SOURCE}`);
    }
    return scheme.toLowerCase().startsWith('h')
      ? hub(endpoints.hub, named[1], named[2])
      : modelscope(endpoints.modelscope, named[1], named[2]);
  }
  return fromAddress(folderAddress(text));
}

/** Whether what somebody typed names a repository, and not just a folder on some server. */
export function namesRepository(typed: string): boolean {
  if (/^(hf|huggingface|modelscope|ms):/i.test(typed.trim())) return true;
  try {
    return fromAddress(folderAddress(typed)).kind !== 'plain';
  } catch {
    return false; // whoever opens it says what is wrong
  }
}

function fromAddress(address: string): Repository {
  const { protocol, host, pathname } = new URL(address);
  const origin = `${protocol}//${host}`;
  if (HUB_HOSTS.has(host)) {
    const page = /^\/([\w.-]+\/[\w.-]+)(?:\/(?:resolve|tree|blob|raw)\/([\w.-]+))?\/?/.exec(pathname);
    if (page?.[1] !== undefined) return hub(origin, page[1], page[2]);
  }
  if (MODELSCOPE_HOSTS.has(host)) {
    const page = /^\/models\/([\w.-]+\/[\w.-]+)(?:\/(?:resolve|tree)\/([\w.-]+))?/.exec(pathname);
    if (page?.[1] !== undefined) return modelscope(origin, page[1], page[2]);
  }
  return plain(address);
}

function hub(endpoint: string, repository: string, revision = pinned(repository) ?? 'main'): Repository {
  const base = endpoint.replace(/\/+$/, '');
  return {
    kind: 'hub',
    name: `hf:${repository}@${revision}`,
    title: lastPart(repository),
    revision,
    url: (path) => `${base}/${repository}/resolve/${revision}/${path}`,
    listing: `${base}/api/models/${repository}/tree/${revision}`,
  };
}

/** ModelScope has revisions of its own; its hashes are those of the same files. */
function modelscope(endpoint: string, repository: string, revision = 'master'): Repository {
  const base = endpoint.replace(/\/+$/, '');
  return {
    kind: 'modelscope',
    name: `modelscope:${repository}@${revision}`,
    title: lastPart(repository),
    revision,
    url: (path) => `${base}/models/${repository}/resolve/${revision}/${path}`,
    listing: `${base}/api/v1/models/${repository}/repo/files?Revision=${revision}&Recursive=true`,
  };
}

function plain(folder: string): Repository {
  return {
    kind: 'plain',
    name: folder,
    title: lastPart(new URL(folder).pathname) || new URL(folder).host,
    revision: undefined,
    url: (path) => {
      const url = new URL(folder);
      url.pathname += path;
      return url.href;
    },
    listing: undefined,
  };
}

function pinned(repository: string): string | undefined {
  return OFFICIAL_REPOSITORIES.includes(repository) ? OFFICIAL_REVISION : undefined;
}

/** The weights' licence where this program knows it. */
export function knownLicence({ kind, name }: Repository): string | undefined {
  const repository = /:([^@]+)@/.exec(name)?.[1] ?? '';
  return kind !== 'plain' && OFFICIAL_REPOSITORIES.includes(repository) ? 'MIT' : undefined;
}

function lastPart(path: string): string {
  return decodeURIComponent(
    path
      .split('/')
      .filter((part) => part !== '')
      .at(-1) ?? '',
  );
}
