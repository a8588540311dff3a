/** Where the secret of a client goes, and where it never goes. */
import assert from 'node:assert/strict'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { needsWriting, writeSecretFile } from '../../src/cli/keycloak/secret-file.ts'
import { CommandError } from '../../src/cli/world.ts'
import { Secret } from '../../src/core/secret.ts'

const secret = new Secret('the-secret-of-a-client')

function place(t: TestContext, mayOverwrite = false) {
  const folder = mkdtempSync(path.join(tmpdir(), 'doorward-secret-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return { folder, file: { shown: 'secret', path: path.join(folder, 'secret'), mayOverwrite } }
}

test('the owner alone can read it, whole, and without its text in any error', (t) => {
  const { file } = place(t)
  assert.ok(needsWriting(file, secret))
  writeSecretFile(file, secret)
  assert.equal(readFileSync(file.path, 'utf8'), 'the-secret-of-a-client')
  assert.equal(statSync(file.path).mode & 0o777, 0o600)
  assert.equal(needsWriting(file, secret), false)
  assert.throws(() => needsWriting(file, new Secret('another')), CommandError)
})

test('a link is not followed, whether somebody laid it before or --force is there', (t) => {
  const { folder, file } = place(t)
  const elsewhere = path.join(folder, 'elsewhere')
  symlinkSync(elsewhere, file.path)
  assert.throws(() => writeSecretFile(file, secret), /cannot be written \(EEXIST\)/)
  assert.equal(existsSync(elsewhere), false)
  writeFileSync(elsewhere, 'of somebody else')
  writeSecretFile({ ...file, mayOverwrite: true }, secret)
  assert.equal(readFileSync(elsewhere, 'utf8'), 'of somebody else')
  assert.equal(readFileSync(file.path, 'utf8'), 'the-secret-of-a-client')
  assert.deepEqual(readdirSync(folder).toSorted(), ['elsewhere', 'secret'])
})
