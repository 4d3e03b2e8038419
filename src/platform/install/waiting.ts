// Waiting that ends: after a while, or when the user changed their mind.

/** Resolves after `seconds`; rejects with the signal's reason if that comes first. */
export function pause(seconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, seconds * 1000);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

/** The outcome of `work`, or of `late` if it takes longer than `seconds`. */
export async function within<T>(seconds: number, work: Promise<T>, late: () => Error): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const bell = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(late()), seconds * 1000);
  });
  try {
    return await Promise.race([work, bell]);
  } finally {
    clearTimeout(timer);
  }
}

/** A controller that `signal` aborts too. `release` when done, so that a long-lived signal gathers no listeners. */
export function follower(signal: AbortSignal): { controller: AbortController; release: () => void } {
  const controller = new AbortController();
  const follow = (): void => controller.abort(signal.reason);
  if (signal.aborted) follow();
  else signal.addEventListener('abort', follow, { once: true });
  return { controller, release: () => signal.removeEventListener('abort', follow) };
}

/**
 * Works through `items`, at most `lanes` at once; `work` also learns in which lane it runs. The first
 * failure aborts the others, and is thrown once all have come to rest.
 */
export async function inLanes<T>(
  lanes: number,
  items: readonly T[],
  signal: AbortSignal,
  work: (item: T, lane: number, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const { controller, release } = follower(signal);
  const queue = [...items];
  let failure: { error: unknown } | undefined;
  const run = async (lane: number): Promise<void> => {
    try {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
        controller.signal.throwIfAborted();
        await work(item, lane, controller.signal);
      }
    } catch (error) {
      failure ??= { error };
      controller.abort();
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanes, items.length) }, (_, lane) => run(lane)));
  release();
  signal.throwIfAborted();
  if (failure !== undefined) throw failure.error;
}

/** The outcome of `work`, or the signal's reason if that comes first. */
export async function orAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { controller, release } = follower(signal);
  const aborted = new Promise<never>((_resolve, reject) => {
    const stop = (): void => reject(controller.signal.reason);
    if (controller.signal.aborted) stop();
    else controller.signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    release();
  }
}
