// The running hash that this room asks for; browsers and Node each bring their own.

/** Hashes one stretch of bytes after another. */
export interface Sha256 {
  /** Forgets what came so far. */
  reset(): void;
  update(bytes: Uint8Array): void;
  /** Lower-case hex of everything since `reset`, which is due again afterwards. */
  hex(): string;
}
