/** Why a value of the file cannot be used, and what to write instead. Returned, not thrown, so that all are found. */
export class Refused {
  readonly reason: string
  readonly hint: string

  constructor(reason: string, hint: string) {
    this.reason = reason
    this.hint = hint
  }
}

/** A value of the file for use in a message: quoted, one line, cut. Never for values that may be secrets. */
export function quoted(value: string): string {
  // A mistyped address may hold a password: `ftp://user:password@host`.
  const line = value.replaceAll(/\s+/g, ' ').replace(/\/\/.*@/, '//...@')
  return `"${line.length > 80 ? `${line.slice(0, 77)}...` : line}"`
}

/** `a, b or c`. */
export const orList = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
