/** The table of findings in docs/keycloak.md and the doctor's own names. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { findingNames } from '../../src/cli/doctor/finding-names.ts'

const table = /<!-- findings:begin -->\n(.*)<!-- findings:end -->/s.exec(readFileSync('docs/keycloak.md', 'utf8'))![1]!
const rows = [...table.matchAll(/^\| `([a-z0-9-]+)` \|/gm)].map((match) => match[1]!)

test('the page has a row for every finding, in the same order', () => {
  assert.deepEqual(rows, [...findingNames])
  assert.equal(new Set(rows).size, rows.length)
})

test('every finding is told somewhere', () => {
  const source = globSync('src/cli/doctor/*.ts', { exclude: ['**/finding-names.ts'] })
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n')
  assert.deepEqual(
    findingNames.filter((name) => !source.includes(`'${name}'`)),
    [],
  )
})
