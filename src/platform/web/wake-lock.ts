// Keeps the screen on while somebody dictates or a file is read: a phone that locks itself takes the microphone
// away, and slows down what computes.

/** Holds until what is returned is called. Where browsers do not offer it, nothing happens. */
export function stayAwake(): () => void {
  let lock: WakeLockSentinel | undefined;
  let over = false;
  const hold = async (): Promise<void> => {
    if (over || document.visibilityState !== 'visible' || !('wakeLock' in navigator)) return;
    try {
      lock = await navigator.wakeLock.request('screen');
      if (over) await lock.release();
    } catch {
      // A battery that is nearly empty refuses; the recording goes on.
    }
  };
  const seen = (): void => void hold(); // browsers let go when the page is hidden
  document.addEventListener('visibilitychange', seen);
  void hold();
  return () => {
    over = true;
    document.removeEventListener('visibilitychange', seen);
    void lock?.release();
  };
}
