// Who asks: the name of the key that came with a request, else the address that it came from.

import type { Context } from 'hono';

const ASKER = 'asker';

/** Set once, in front of all handlers. */
export function setAsker(c: Context, asker: string): void {
  c.set(ASKER, asker);
}

export function askerOf(c: Context): string {
  return (c.get(ASKER) as string | undefined) ?? 'nobody';
}
