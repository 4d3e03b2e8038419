// Origins that the user has opened for this page, beside the official sources of weights: a mirror, a
// server of their own. The page writes the list, the service worker makes the page's policy of it.

import { createStore, get, update, type UseStore } from 'idb-keyval';

let store: UseStore | undefined;

/** Where storage is off, none. */
export async function openedOrigins(): Promise<readonly string[]> {
  try {
    return ((await get<readonly string[]>('origins', list())) ?? []).filter(isOrigin);
  } catch {
    return [];
  }
}

/** Takes effect when the page is loaded again. */
export async function openOrigin(origin: string): Promise<void> {
  await update<readonly string[]>('origins', (old = []) => [...new Set([...old, origin])], list());
}

export async function closeOrigin(origin: string): Promise<void> {
  await update<readonly string[]>('origins', (old = []) => old.filter((other) => other !== origin), list());
}

/** It becomes part of a policy, so it must be no more than it says. */
function isOrigin(text: string): boolean {
  return /^https?:\/\/[\w.:[\]-]+$/.test(text);
}

function list(): UseStore {
  return (store ??= createStore('sotto-opened', 'origins'));
}
