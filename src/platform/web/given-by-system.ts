// Recordings that the system hands to the installed app: shared from another app, or opened with it.

import { SHARED_CACHE, SHARED_NAME_HEADER } from '../../wire/shell-messages.ts';

/** Takes what was shared with the page at `base` (which ends in a slash) and not taken yet. */
export async function takeShared(base: string): Promise<File[]> {
  if (!('caches' in globalThis)) return [];
  const take = async (): Promise<File[]> => {
    const name = `${SHARED_CACHE}:${base}`;
    if (!(await caches.has(name))) return [];
    const cache = await caches.open(name);
    const files: File[] = [];
    for (const request of await cache.keys()) {
      const response = await cache.match(request);
      await cache.delete(request);
      if (response === undefined) continue;
      const fileName = decodeURIComponent(response.headers.get(SHARED_NAME_HEADER) ?? '');
      const blob = await response.blob();
      files.push(new File([blob], fileName || 'recording', { type: blob.type }));
    }
    return files;
  };
  // Two tabs may open at once; one of them takes all.
  try {
    return await navigator.locks.request(`sotto:shared:${base}`, take);
  } catch {
    return []; // storage is off: nothing can have been left there
  }
}

interface LaunchQueue {
  setConsumer(consumer: (launch: { readonly files: readonly FileSystemFileHandle[] }) => void): void;
}

/** Hears of files that are opened with the app, from its start on. */
export function onOpenedWith(open: (files: File[]) => void): void {
  const { launchQueue } = globalThis as { launchQueue?: LaunchQueue };
  launchQueue?.setConsumer(({ files }) => {
    void Promise.all(files.map((handle) => handle.getFile())).then((opened) => {
      if (opened.length > 0) open(opened);
    });
  });
}
