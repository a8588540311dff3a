/** A reporter for `node --test`: what came of the tests as one JSON object, for the closing lines of `npm test`. */
import type { TestEvent } from 'node:test/reporters'

export interface Tally {
  readonly passed: number
  readonly failed: readonly Failure[]
  /** Reasons, one for each skipped test. */
  readonly skipped: readonly string[]
}

export interface Failure {
  readonly name: string
  readonly file: string
  readonly line: number
}

export default async function* tally(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  let passed = 0
  const failed: Failure[] = []
  const skipped: string[] = []
  for await (const event of events) {
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue
    const { name, file = '', line = 0, skip, todo, details, nesting } = event.data
    // A suite, or a whole file in a lane, is not a test; what failed in it was counted there.
    const isAround = details.type === 'suite' || (nesting === 0 && name.endsWith('.test.ts'))
    if (event.type === 'test:pass') {
      if (skip !== undefined && skip !== false) skipped.push(typeof skip === 'string' ? skip : 'no reason given')
      else if (!isAround) passed++
    } else if ((todo === undefined || todo === false) && !isOfChildren(event.data.details.error)) {
      failed.push({ name, file, line })
    }
  }
  yield JSON.stringify({ passed, failed, skipped } satisfies Tally)
}

const isOfChildren = (error: object): boolean => 'failureType' in error && error.failureType === 'subtestsFailed'
