// Files under an address that stays while their content changes: kept under address and revision.

/** As the build lists it (vite-plugin-pwa). A revision of null: the address itself changes with the content. */
export interface BuiltFile {
  readonly url: string;
  readonly revision: string | null;
}

/** Under which address a cache holds this version of the file. */
export function cacheKey({ url, revision }: BuiltFile, scope: string): string {
  const key = new URL(url, scope);
  if (revision !== null) key.searchParams.set('revision', revision);
  return key.href;
}

/** Fetches a file for keeping. Fails when the answer is not the file. */
export async function fetchFresh({ url, revision }: BuiltFile, scope: string): Promise<Response> {
  const address = new URL(url, scope).href;
  // An HTTP cache may hold an older version of it.
  const response = await fetch(address, {
    cache: revision === null ? 'default' : 'reload',
    credentials: 'same-origin',
  });
  if (!response.ok || response.redirected) throw new Error(`${address} answers ${response.status}`);
  return response;
}
