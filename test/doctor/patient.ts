/** A patient for the doctor: a config file as people write it, and what is found with it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { LookupFunction } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import type { Asked, Examination } from '../../src/cli/doctor/examination.ts'
import type { Finding } from '../../src/cli/doctor/finding.ts'
import { provider } from '../../src/cli/doctor/provider.ts'
import { runExaminations } from '../../src/cli/doctor/run.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { KeyPath } from '../../src/config/problems.ts'
import { readConfigFile } from '../../src/config/read.ts'
import { valueAt } from '../../src/config/tree.ts'
import { type Clock, systemClock } from '../../src/core/clock.ts'

export type Keys = Readonly<Record<string, unknown>>

export interface Consultation {
  readonly asked?: Partial<Asked>
  readonly clock?: Clock
  /** Names of the test; the system's where there are none. */
  readonly lookup?: LookupFunction
  readonly examination?: Examination
}

/** Writes a config file that goes with the test. */
export function writeConfig(t: TestContext, keys: Keys): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'doorward-doctor-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = path.join(folder, 'config.yaml')
  // JSON is YAML too.
  writeFileSync(file, JSON.stringify({ version: 1, ...keys }))
  return file
}

/** What one room of the examination finds; the provider's unless another is given. */
export async function examine(t: TestContext, keys: Keys, more: Consultation = {}): Promise<readonly Finding[]> {
  const file = writeConfig(t, keys)
  const { config } = loadConfig(file, {})
  const { content } = readConfigFile(file, {})
  const asked = { person: undefined, operations: undefined, through: undefined, keycloakAdmin: undefined }
  const patient = {
    config,
    isWritten: (place: KeyPath) => valueAt(content, place) !== undefined,
    clock: more.clock ?? systemClock,
    signal: AbortSignal.timeout(30_000),
    lookup: more.lookup,
    asked: { ...asked, adminUrl: undefined, ...more.asked },
  }
  return runExaminations([more.examination ?? provider], patient, () => undefined)
}

/** What is wrong; notes and what was not seen are left out. */
export const wrong = (findings: readonly Finding[]): readonly Finding[] =>
  findings.filter(({ severity }) => severity === 'error' || severity === 'warning')
