/** The table of findings in docs/keycloak.md and the doctor's own names. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'

const source = globSync('src/cli/doctor/*.ts')
  .map((file) => readFileSync(file, 'utf8'))
  .join('\n')
const table = /<!-- findings:begin -->\n(.*)<!-- findings:end -->/s.exec(readFileSync('docs/keycloak.md', 'utf8'))![1]!
const rows = [...table.matchAll(/^\| `([a-z0-9-]+)` \|/gm)].map((match) => match[1]!)

test('the page lists every finding of the doctor, and none that is no more', () => {
  const told = new Set([...source.matchAll(/name: '([a-z]+(?:-[a-z0-9]+)+)'/g)].map((match) => match[1]!))
  assert.ok(told.size > 50)
  assert.deepEqual(
    [...told].filter((name) => !rows.includes(name)),
    [],
    'findings without a row in docs/keycloak.md',
  )
  assert.deepEqual(
    rows.filter((name) => !source.includes(`'${name}'`)),
    [],
    'rows in docs/keycloak.md that the doctor never tells',
  )
  assert.equal(new Set(rows).size, rows.length)
})
