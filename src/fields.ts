// Reading named fields out of parsed JSON, with the path to the bad one when it does not fit.

import { AsrError, type AsrErrorCode } from './errors.ts';

/** One JSON object under inspection. Every getter fails with the code it was built with and the field's path. */
export class Fields {
  readonly #object: Readonly<Record<string, unknown>>;
  readonly #path: string;
  readonly #code: AsrErrorCode;

  constructor(json: unknown, path: string, code: AsrErrorCode) {
    if (typeof json !== 'object' || json === null || Array.isArray(json)) {
      throw new AsrError(code, `${path} is not an object`);
    }
    this.#object = json as Record<string, unknown>;
    this.#path = path;
    this.#code = code;
  }

  has(name: string): boolean {
    return this.#object[name] !== undefined && this.#object[name] !== null;
  }

  names(): string[] {
    return Object.keys(this.#object);
  }

  object(name: string): Fields {
    return new Fields(this.#object[name], `${this.#path} → ${name}`, this.#code);
  }

  objects(name: string): Fields[] {
    return this.#list(name).map((item, i) => new Fields(item, `${this.#path} → ${name}[${i}]`, this.#code));
  }

  string(name: string, fallback?: string): string {
    const value = this.#object[name] ?? fallback;
    return typeof value === 'string' ? value : this.#misfit(name, 'text');
  }

  strings(name: string): string[] {
    return this.#list(name).map((item) =>
      typeof item === 'string' ? item : this.#misfit(name, 'a list of texts'),
    );
  }

  number(name: string): number {
    const value = this.#object[name];
    return typeof value === 'number' && Number.isFinite(value) ? value : this.#misfit(name, 'a number');
  }

  optionalNumber(name: string): number | undefined {
    return this.has(name) ? this.number(name) : undefined;
  }

  /** An integer of at least `minimum`. */
  integer(name: string, minimum: number): number {
    const value = this.#object[name];
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= minimum) return value;
    return this.#misfit(name, `a whole number of at least ${minimum}`);
  }

  optionalInteger(name: string, minimum: number): number | undefined {
    return this.has(name) ? this.integer(name, minimum) : undefined;
  }

  /** One integer or a list of them, as a list. */
  integers(name: string): number[] {
    const value = this.#object[name];
    const list: unknown[] = Array.isArray(value) ? value : [value];
    return list.map((item) =>
      Number.isSafeInteger(item) ? (item as number) : this.#misfit(name, 'whole numbers'),
    );
  }

  boolean(name: string, fallback: boolean): boolean {
    const value = this.#object[name] ?? fallback;
    return typeof value === 'boolean' ? value : this.#misfit(name, 'true or false');
  }

  /** Fails because the value is well-formed but of a kind that nobody defined. */
  refuse(name: string, why: string): never {
    const code = this.#code === 'checkpoint-malformed' ? 'checkpoint-unsupported' : this.#code;
    throw new AsrError(code, `${this.#path} → ${name}: ${why}`);
  }

  #list(name: string): unknown[] {
    const value = this.#object[name];
    return Array.isArray(value) ? value : this.#misfit(name, 'a list');
  }

  #misfit(name: string, expected: string): never {
    const found = JSON.stringify(this.#object[name]) ?? 'nothing';
    throw new AsrError(this.#code, `${this.#path} → ${name} should be ${expected}, is ${found.slice(0, 60)}`);
  }
}
