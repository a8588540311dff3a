import { inspect } from 'node:util'

/**
 * A value that must never be printed. Logs, JSON, `inspect` and string conversion show `[secret]`;
 * the text comes out by `reveal()` alone, which is easy to search for.
 */
export class Secret {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  reveal(): string {
    return this.#text
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }

  [inspect.custom](): string {
    return '[secret]'
  }
}
