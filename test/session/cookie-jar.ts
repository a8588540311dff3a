import type { Clock } from '../../src/core/clock.ts'

/** A browser's cookies for one host: what Set-Cookie lines set and remove, by Max-Age and the test's clock. */
export class CookieJar {
  readonly #clock: Clock
  readonly #cookies = new Map<string, { readonly value: string; readonly until: number }>()
  /** A browser that forged its Max-Age. */
  keepExpired = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  take(lines: readonly string[]): void {
    for (const line of lines) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      const maxAge = Number(/; Max-Age=(\d+)/.exec(line)?.[1])
      if (name === undefined || value === undefined || Number.isNaN(maxAge)) throw new Error(`not a cookie: ${line}`)
      if (maxAge === 0) this.#cookies.delete(name)
      else this.#cookies.set(name, { value, until: this.#clock.now() + maxAge * 1000 })
    }
  }

  get(name: string): string {
    const cookie = this.#cookies.get(name)
    if (cookie === undefined) throw new Error(`no cookie ${name}`)
    return cookie.value
  }

  has(name: string): boolean {
    return this.#cookies.has(name)
  }

  header(withExpired = this.keepExpired): string {
    const now = this.#clock.now()
    const sent = [...this.#cookies].filter(([, { until }]) => withExpired || now < until)
    return sent.map(([name, { value }]) => `${name}=${value}`).join('; ')
  }
}
