// Recordings that another app shares with this one: the system posts them to the page's address, they wait
// in a cache, and the page that opens takes them from there.

import { SHARE_FIELD, SHARED_CACHE, SHARED_NAME_HEADER } from '../../src/wire/shell-messages.ts';

/** Answers the system's POST by opening the page. */
export async function receiveShared(request: Request, scope: string): Promise<Response> {
  const form = await request.formData();
  const cache = await caches.open(`${SHARED_CACHE}:${scope}`);
  for (const file of form.getAll(SHARE_FIELD)) {
    if (typeof file === 'string') continue;
    const headers = {
      [SHARED_NAME_HEADER]: encodeURIComponent(file.name),
      'Content-Type': file.type || 'application/octet-stream',
    };
    await cache.put(new URL(`share/${crypto.randomUUID()}`, scope), new Response(file, { headers }));
  }
  return Response.redirect(new URL('./', scope), 303);
}
