// Bits out of a FLAC frame, most significant first, with the run of Rice codes as one tight loop.

/** Thrown when a frame asks for bits behind the end of the bytes at hand. */
export class OutOfBits extends Error {
  override readonly name = 'OutOfBits';
}

/** A refill leaves at least 25 bits. */
const MAX_FAST_RICE = 24;

/** Reads up to 32 bits at a time from `bytes`, starting at `at`. */
export class FlacBits {
  readonly #bytes: Uint8Array;
  #at: number;
  /** The next bits, left-aligned in 32; zeros behind `#held` of them. */
  #cache = 0;
  #held = 0;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /**
   * Where the next whole byte lies, once `alignToByte` was called. Beyond the end of the bytes when
   * more were read than there are: a refill pads with zeros.
   */
  get position(): number {
    return this.#at - (this.#held >> 3);
  }

  alignToByte(): void {
    const odd = this.#held & 7;
    this.#cache <<= odd;
    this.#held -= odd;
  }

  /** An unsigned number of `count` ≤ 32 bits. */
  unsigned(count: number): number {
    if (count > 24) return this.unsigned(count - 16) * 65_536 + this.unsigned(16);
    if (count === 0) return 0;
    if (this.#held < count) this.#refill();
    const value = this.#cache >>> (32 - count);
    this.#cache <<= count;
    this.#held -= count;
    return value;
  }

  /** A two's complement number of `count` ≤ 33 bits. */
  signed(count: number): number {
    if (count > 32) return this.signed(count - 16) * 65_536 + this.unsigned(16);
    const value = this.unsigned(count);
    const half = 2 ** (count - 1);
    return count > 0 && value >= half ? value - 2 * half : value;
  }

  /** The number of zeros before the next one, which is taken too. */
  unary(): number {
    let zeros = 0;
    while (this.#cache === 0) {
      zeros += this.#held;
      this.#held = 0;
      this.#refill();
    }
    const run = Math.clz32(this.#cache);
    this.#cache = (this.#cache << run) << 1;
    this.#held -= run + 1;
    return zeros + run;
  }

  /** Rice codes with parameter `k`, folded back to signed numbers, into `out[start, end)`. */
  rice(k: number, out: Residual, start: number, end: number): void {
    if (k > MAX_FAST_RICE) return this.#longRice(k, out, start, end);
    const bytes = this.#bytes;
    let at = this.#at;
    let cache = this.#cache;
    let held = this.#held;
    for (let i = start; i < end; i++) {
      let high = 0;
      while (cache === 0) {
        high += held;
        held = 0;
        if (at >= bytes.length) throw new OutOfBits();
        for (; held <= 24; held += 8) cache |= (bytes[at++] ?? 0) << (24 - held);
      }
      const run = Math.clz32(cache);
      high += run;
      cache = (cache << run) << 1;
      held -= run + 1;
      let folded = high;
      if (k > 0) {
        if (held < k) for (; held <= 24; held += 8) cache |= (bytes[at++] ?? 0) << (24 - held);
        folded = (high << k) | (cache >>> (32 - k));
        cache <<= k;
        held -= k;
      }
      out[i] = (folded >>> 1) ^ -(folded & 1);
    }
    this.#at = at;
    this.#cache = cache;
    this.#held = held;
    if (this.position > bytes.length) throw new OutOfBits();
  }

  /** The same for parameters that one refill does not cover: rare, only in very loud 24- and 32-bit sound. */
  #longRice(k: number, out: Residual, start: number, end: number): void {
    for (let i = start; i < end; i++) {
      const folded = this.unary() * 2 ** k + this.unsigned(k);
      out[i] = folded % 2 === 0 ? folded / 2 : -(folded + 1) / 2;
    }
  }

  #refill(): void {
    if (this.#at >= this.#bytes.length) throw new OutOfBits();
    for (; this.#held <= 24; this.#held += 8) {
      this.#cache |= (this.#bytes[this.#at++] ?? 0) << (24 - this.#held);
    }
  }
}

/** Where residuals and samples lie while a subframe is built: doubles where 32 bits do not hold them. */
export type Residual = Int32Array | Float64Array;
