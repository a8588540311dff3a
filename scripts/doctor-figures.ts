// `node scripts/doctor-figures.ts`: runs every suite of the doctor and prints one sum: how many faults were planted,
// how many of them were named, how many findings were wrong, on which versions, and which findings nobody plants.
import { execFileSync, spawnSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { findingNames } from '../src/cli/doctor/finding-names.ts'
import type { Figures } from '../test/doctor/tally.ts'
import { findPart, type RealPart } from '../test/support/real-part.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'doorward-figures-'))
process.once('exit', () => rmSync(folder, { recursive: true }))

const { status } = spawnSync(
  process.execPath,
  ['--test', '--test-reporter=dot', '--test-timeout=180000', ...globSync('test/doctor/*.test.ts')],
  {
    stdio: 'inherit',
    env: { ...process.env, DOORWARD_DOCTOR_FIGURES: folder, DOORWARD_TEST_RUN: String(process.pid) },
  },
)

const suites = globSync('*.json', { cwd: folder })
  .sort()
  .map((file): Figures => JSON.parse(readFileSync(path.join(folder, file), 'utf8')))
const sum = (of: (figures: Figures) => number): number => suites.reduce((total, figures) => total + of(figures), 0)
const line = (figures: Omit<Figures, 'names'>): string =>
  `${figures.suite}: planted ${figures.planted}, named ${figures.named}, false alarms ${figures.falseAlarms} (${figures.healthy} healthy set-ups)`

const versions: readonly (readonly [RealPart, string])[] = [
  ['redis', '--version'],
  ['nginx', '-v'],
  ['caddy', 'version'],
  ['haproxy', '-v'],
  ['envoy', '--version'],
  ['traefik', 'version'],
]

function versionOf(part: RealPart, option: string): string {
  const program = findPart(part)
  if (program === undefined) return `${part} not here`
  const { stdout, stderr } = spawnSync(program, [option], { encoding: 'utf8' })
  return `${part} ${/\d+\.\d+(?:\.\d+)?/.exec(stdout + stderr)?.[0] ?? '?'}`
}

function keycloakVersion(): string {
  const program = findPart('keycloak')
  if (program === undefined) return 'keycloak not here'
  const told = readFileSync(path.join(program, '../../version.txt'), 'utf8')
  return `keycloak ${/\d[\d.]*\d/.exec(told)?.[0] ?? '?'}`
}

const planted = new Set(suites.flatMap(({ names }) => names))
const never = findingNames.filter((name) => !planted.has(name))
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()

console.log()
for (const figures of suites) console.log(`  ${line(figures)}`)
const all = { planted: sum((one) => one.planted), named: sum((one) => one.named) }
const rest = { healthy: sum((one) => one.healthy), falseAlarms: sum((one) => one.falseAlarms) }
console.log(`\n${line({ suite: 'doctor, all of it', ...all, ...rest })}`)
console.log(
  `${planted.size} of ${findingNames.length} findings were planted${never.length > 0 ? `, not ${never.join(' ')}` : ''}`,
)
const parts = [keycloakVersion(), ...versions.map(([part, option]) => versionOf(part, option))]
console.log(`${new Date().toISOString().slice(0, 10)}, ${commit}, node ${process.versions.node}, ${parts.join(', ')}`)
process.exitCode = status ?? 1
