import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { ConfigError, type ConfigProblem } from '../../src/config/problems.ts'
import { parseConfigText } from '../../src/config/read.ts'
import { resolveConfig } from '../../src/config/resolve.ts'
import { Secret } from '../../src/core/secret.ts'

/**
 * Golden files: the input, a line `# ---`, and what must come of it: `config` (an excerpt), `warnings`,
 * `notes` and `problems`. A problem is written `line path: message | hint`; the lists are complete.
 */
const cases = globSync('test/config/cases/*.yaml').sort()
const env = {
  HOST: 'app.example.com',
  CLIENT_ID: 'from-env',
  AUTO: 'false',
  EMPTY: '',
  PLACEHOLDER: '$vault:key',
  CLIENT_SECRET: 'a-client-secret',
  SESSION_SECRET: 'a6c0d1f2e3b4958677869504a3b2c1d0',
}
const networkInterfaces = { eth0: [{ address: '192.0.2.10', internal: false }] }

interface Outcome {
  readonly config?: unknown
  readonly warnings?: readonly string[]
  readonly notes?: readonly string[]
  readonly problems?: readonly string[]
}

function outcomeOf(file: string, text: string): Required<Outcome> | Pick<Required<Outcome>, 'problems'> {
  try {
    const parsed = parseConfigText(text, file, env)
    const { config, warnings, notes } = resolveConfig(parsed, {
      env,
      networkInterfaces,
      ephemeralSecret: new Secret('x'),
    })
    return { config: readable(config), warnings: warnings.map(oneLine), notes: notes.map(oneLine), problems: [] }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { problems: error.problems.map(oneLine) }
  }
}

const oneLine = ({ line, path: at, message, hint }: ConfigProblem) => {
  const place = [line, at].filter((part) => part !== undefined && part !== '').join(' ')
  return `${place}: ${message}${hint === '' ? '' : ` | ${hint}`}`.replaceAll(process.cwd(), '')
}

/** URLs and patterns as text, absolute file names from the repository's root. */
const readable = (config: unknown): unknown =>
  JSON.parse(
    JSON.stringify(config, (_, value) => {
      if (value instanceof RegExp) return String(value)
      return typeof value === 'string' ? value.replaceAll(process.cwd(), '') : value
    }),
  )

/** The part of `actual` that `wanted` speaks about: named keys of maps, all of a list. */
function excerpt(actual: unknown, wanted: unknown): unknown {
  if (Array.isArray(actual))
    return actual.map((item, index) => excerpt(item, Array.isArray(wanted) ? wanted[index] : item))
  if (typeof actual !== 'object' || actual === null || typeof wanted !== 'object' || wanted === null) return actual
  const keys = Object.entries(actual).filter(([key]) => Object.hasOwn(wanted, key))
  return Object.fromEntries(
    keys.map(([key, value]) => [key, excerpt(value, Object.entries(wanted).find(([name]) => name === key)?.[1])]),
  )
}

for (const file of cases) {
  test(path.basename(file, '.yaml'), () => {
    const [input = '', expectation = ''] = readFileSync(file, 'utf8').split('# ---\n')
    const expected: Outcome = parse(expectation)
    const actual = outcomeOf(file, input)
    assert.deepEqual(actual.problems, expected.problems ?? [])
    if (expected.warnings !== undefined) assert.deepEqual('warnings' in actual && actual.warnings, expected.warnings)
    if (expected.notes !== undefined) assert.deepEqual('notes' in actual && actual.notes, expected.notes)
    if (expected.config !== undefined) {
      const config = 'config' in actual ? actual.config : undefined
      assert.deepEqual(excerpt(config, expected.config), expected.config)
    }
  })
}

test('the cases cover right and wrong files', () => {
  assert.ok(cases.length >= 40)
})
