// Matrices for the reference: row-major float32, sums in float64, nothing clever.

export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float32Array;
}

export function matrix(rows: number, columns: number, at: (row: number, column: number) => number): Matrix {
  const data = new Float32Array(rows * columns);
  for (let i = 0; i < data.length; i++) data[i] = at(Math.floor(i / columns), i % columns);
  return { rows, columns, data };
}

export function row(x: Matrix, r: number): Float32Array {
  return x.data.subarray(r * x.columns, (r + 1) * x.columns);
}

/** All rows, as views. */
export function rowsOf(x: Matrix): Float32Array[] {
  return Array.from({ length: x.rows }, (_, r) => row(x, r));
}

export function mapRows(x: Matrix, f: (row: Float32Array, r: number) => Float32Array): Matrix {
  const rows = Array.from({ length: x.rows }, (_, r) => f(row(x, r), r));
  return stack(rows, rows[0]?.length ?? 0);
}

export function stack(rows: readonly Float32Array[], columns: number): Matrix {
  const data = new Float32Array(rows.length * columns);
  rows.forEach((values, r) => data.set(values, r * columns));
  return { rows: rows.length, columns, data };
}

export function map(x: Matrix, f: (value: number) => number): Matrix {
  return { ...x, data: x.data.map(f) };
}

export function add(a: Matrix, b: Matrix): Matrix {
  return { ...a, data: a.data.map((value, i) => value + b.data[i]!) };
}

export function multiply(a: Matrix, b: Matrix): Matrix {
  return { ...a, data: a.data.map((value, i) => value * b.data[i]!) };
}

/** Four sums side by side: one alone would wait for itself at every step, and the tests with it. */
export function dot(a: Float32Array, b: Float32Array): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  let i = 0;
  for (; i + 3 < a.length; i += 4) {
    s0 += a[i]! * b[i]!;
    s1 += a[i + 1]! * b[i + 1]!;
    s2 += a[i + 2]! * b[i + 2]!;
    s3 += a[i + 3]! * b[i + 3]!;
  }
  for (; i < a.length; i++) s0 += a[i]! * b[i]!;
  return s0 + s1 + s2 + s3;
}

/** Columns [start, start + count). */
export function columns(x: Matrix, start: number, count: number): Matrix {
  return matrix(x.rows, count, (r, c) => x.data[r * x.columns + start + c]!);
}
