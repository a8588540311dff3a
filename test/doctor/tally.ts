/** Counts what a suite plants and what the doctor makes of it: the figures to report. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { after } from 'node:test'
import type { Finding } from '../../src/cli/doctor/finding.ts'
import type { FindingName } from '../../src/cli/doctor/finding-names.ts'

export interface Tally {
  /** A fault was planted: exactly these names are wanted, and nothing beside them. */
  planted(names: FindingName | readonly FindingName[], findings: readonly Finding[]): void
  /** Nothing is wrong: any finding is a false alarm. */
  healthy(findings: readonly Finding[]): void
}

/** What one suite tells `scripts/doctor-figures.ts`. */
export interface Figures {
  readonly suite: string
  readonly planted: number
  readonly named: number
  readonly healthy: number
  readonly falseAlarms: number
  /** Every name that was planted, once. */
  readonly names: readonly FindingName[]
}

/** Prints its figures when the suite has ended, and writes them into the folder DOORWARD_DOCTOR_FIGURES. */
export function openTally(suite: string): Tally {
  let planted = 0
  let named = 0
  let healthy = 0
  let falseAlarms = 0
  const names = new Set<FindingName>()
  after(() => {
    console.log(
      `doctor, ${suite}: planted ${planted}, named ${named}, false alarms ${falseAlarms} (${healthy} healthy set-ups)`,
    )
    const folder = process.env.DOORWARD_DOCTOR_FIGURES
    if (folder === undefined || planted + healthy === 0) return
    const figures: Figures = { suite, planted, named, healthy, falseAlarms, names: [...names] }
    writeFileSync(path.join(folder, `${suite}.json`), JSON.stringify(figures))
  })
  return {
    planted(one, findings) {
      const wanted = typeof one === 'string' ? [one] : one
      for (const name of wanted) names.add(name)
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
