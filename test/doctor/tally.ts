/** Counts what a suite plants and what the doctor makes of it: the figures to report. */
import assert from 'node:assert/strict'
import { after } from 'node:test'
import type { Finding } from '../../src/cli/doctor/finding.ts'

export interface Tally {
  /** A fault was planted: exactly these names are wanted, and nothing beside them. */
  planted(names: string | readonly string[], findings: readonly Finding[]): void
  /** Nothing is wrong: any finding is a false alarm. */
  healthy(findings: readonly Finding[]): void
}

/** Prints its figures when the suite has ended. */
export function openTally(suite: string): Tally {
  let planted = 0
  let named = 0
  let healthy = 0
  let falseAlarms = 0
  after(() => {
    console.log(
      `doctor, ${suite}: planted ${planted}, named ${named}, false alarms ${falseAlarms} (${healthy} healthy set-ups)`,
    )
  })
  return {
    planted(names, findings) {
      const wanted = typeof names === 'string' ? [names] : names
      const found = findings.map(({ name }) => name)
      planted += wanted.length
      named += wanted.filter((name) => found.includes(name)).length
      falseAlarms += found.filter((name) => !wanted.includes(name)).length
      assert.deepEqual(found.toSorted(), wanted.toSorted(), JSON.stringify(findings, undefined, 2))
      for (const finding of findings) assertReadable(finding)
    },
    healthy(findings) {
      healthy++
      falseAlarms += findings.length
      assert.deepEqual(findings, [])
    },
  }
}

function assertReadable({ name, place, cause, fix }: Finding): void {
  assert.match(name, /^[a-z]+(?:-[a-z\d]+)*$/)
  for (const text of [place, cause, fix])
    assert.ok(text.length > 3 && !text.endsWith('.') && !/undefined/.test(text), text)
}
