// One tab at a time writes a model.

import { AsrError } from '../../errors.ts';

/** See `ModelLibrary.exclusively`. A tab that is closed or crashes lets go by itself. */
export async function exclusively<T>(
  id: string,
  work: () => Promise<T>,
  { signal, onWait }: { readonly signal: AbortSignal; readonly onWait?: () => void },
): Promise<T> {
  // Pages over plain http have no locks. Two tabs at once are then told apart when they write (`model-busy`).
  const locks = (navigator as Partial<typeof navigator>).locks;
  if (locks === undefined) return work();
  const name = `sotto-model:${id}`;
  const { held = [] } = await locks.query().catch((cause: unknown) => {
    throw new AsrError('storage-denied', 'the browser gives this page no locks and no storage', { cause });
  });
  if (held.some((lock) => lock.name === name)) onWait?.();
  return locks.request(name, { signal }, work);
}
