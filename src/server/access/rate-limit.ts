// How often one asker may ask, counted over a minute.

import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { AsrError } from '../../errors.ts';

/** Requests with or without a key that one address may make, whatever is allowed per asker: guessing keys is slow. */
const ATTEMPTS_PER_MINUTE = 6000;

export class RateLimit {
  readonly #requests: RateLimiterMemory | undefined;
  readonly #attempts = new RateLimiterMemory({ points: ATTEMPTS_PER_MINUTE, duration: 60 });

  /** 0: as often as one likes. */
  constructor(requestsPerMinute: number) {
    if (requestsPerMinute > 0) {
      this.#requests = new RateLimiterMemory({ points: requestsPerMinute, duration: 60 });
    }
  }

  /** Fails with `too-many-requests`. */
  async check(asker: string, kind: 'attempt' | 'request'): Promise<void> {
    const limiter = kind === 'attempt' ? this.#attempts : this.#requests;
    if (limiter === undefined) return;
    try {
      await limiter.consume(asker);
    } catch (cause) {
      if (!(cause instanceof RateLimiterRes)) throw cause;
      const seconds = Math.ceil(cause.msBeforeNext / 1000);
      throw new AsrError('too-many-requests', `try again in ${seconds} seconds`, { cause });
    }
  }
}
