// How much this browser lets the site keep, and whether it promises to keep it. Page and worker.

export interface StorageRoom {
  /** Everything that the site keeps: models, transcripts, the page itself. */
  readonly usedBytes: number;
  /** What the browser allows; an allowance, not free disk space. */
  readonly allowedBytes: number;
  /** True when the browser will not clear it away by itself. */
  readonly lasting: boolean;
}

/** undefined where the browser does not say (plain http, old browsers). */
export async function storageRoom(): Promise<StorageRoom | undefined> {
  const storage = storageManager();
  const { usage, quota } = (await storage?.estimate().catch(() => undefined)) ?? {}; // blocked: nobody knows
  if (storage === undefined || usage === undefined || quota === undefined) return undefined;
  return { usedBytes: usage, allowedBytes: quota, lasting: await storage.persisted().catch(() => false) };
}

/** Bytes that may still be stored, where the browser says so. */
export async function freeBytes(): Promise<number | undefined> {
  const room = await storageRoom();
  return room && Math.max(0, room.allowedBytes - room.usedBytes);
}

/**
 * Asks the browser to keep what is stored until the user deletes it; some ask the user. To be called from a
 * page (workers cannot) once the user has chosen a model. False when it will not promise.
 */
export async function askToKeep(): Promise<boolean> {
  const storage: (StorageManager & { persist?(): Promise<boolean> }) | undefined = storageManager();
  return (await storage?.persist?.().catch(() => false)) ?? false;
}

/** There is none on pages that came over plain http, whatever the types say. */
function storageManager(): StorageManager | undefined {
  return (navigator as Partial<typeof navigator>).storage;
}
