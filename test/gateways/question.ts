import type { TestContext } from 'node:test'
import type { HeaderLine } from '../attacks/wire.ts'
import type { GatewayUnderTest } from './gateway-under-test.ts'

/** Asked of every gateway: one row of the table. */
export interface Question {
  /** A statement that holds, as the table says it. */
  readonly name: string
  answer(gateway: GatewayUnderTest, t: TestContext): Promise<void>
}

/** As a browser asks for a page that somebody typed. */
export const navigation: readonly HeaderLine[] = [
  ['Accept', 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8'],
  ['Sec-Fetch-Mode', 'navigate'],
  ['Sec-Fetch-Dest', 'document'],
  ['Sec-Fetch-Site', 'none'],
]
