// Second-order filters (Butterworth: Q = 1/√2), for measuring parts of the spectrum.
//
// Source: Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter coefficients".

/** Runs over blocks of any size and remembers where it was. In place, or from one array into another. */
export class Biquad {
  readonly #b0: number;
  readonly #b1: number;
  readonly #b2: number;
  readonly #a1: number;
  readonly #a2: number;
  // The two delayed values (transposed direct form II), in an array so that writing them allocates nothing.
  readonly #state = new Float64Array(2);

  private constructor(b: readonly [number, number, number], a: readonly [number, number, number]) {
    [this.#b0, this.#b1, this.#b2] = [b[0] / a[0], b[1] / a[0], b[2] / a[0]];
    [this.#a1, this.#a2] = [a[1] / a[0], a[2] / a[0]];
  }

  static lowPass(hz: number, sampleRate: number): Biquad {
    const { cos, alpha } = place(hz, sampleRate);
    return new Biquad([(1 - cos) / 2, 1 - cos, (1 - cos) / 2], [1 + alpha, -2 * cos, 1 - alpha]);
  }

  static highPass(hz: number, sampleRate: number): Biquad {
    const { cos, alpha } = place(hz, sampleRate);
    return new Biquad([(1 + cos) / 2, -1 - cos, (1 + cos) / 2], [1 + alpha, -2 * cos, 1 - alpha]);
  }

  filter(input: Float64Array, output: Float64Array, count: number): void {
    let s1 = this.#state[0]!;
    let s2 = this.#state[1]!;
    for (let i = 0; i < count; i++) {
      const x = input[i]!;
      const y = this.#b0 * x + s1;
      s1 = this.#b1 * x - this.#a1 * y + s2;
      s2 = this.#b2 * x - this.#a2 * y;
      output[i] = y;
    }
    // Numbers too small to matter would slow every later operation down.
    this.#state[0] = Math.abs(s1) < 1e-30 ? 0 : s1;
    this.#state[1] = Math.abs(s2) < 1e-30 ? 0 : s2;
  }
}

function place(hz: number, sampleRate: number): { cos: number; alpha: number } {
  const angle = (2 * Math.PI * hz) / sampleRate;
  return { cos: Math.cos(angle), alpha: Math.sin(angle) / Math.SQRT2 };
}
