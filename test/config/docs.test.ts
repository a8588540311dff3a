import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { generatedDocs } from '../../src/config/generated-docs.ts'
import { configReference, suggestKey } from '../../src/config/help.ts'
import { loadConfig } from '../../src/config/load.ts'
import { asYaml, referenceEntries } from '../../src/config/reference.ts'
import { configurationPage } from '../../src/config/reference-page.ts'

test('the generated files are what the schema says', () => {
  for (const { file, text } of generatedDocs()) {
    assert.ok(readFileSync(file, 'utf8') === text, `${file} differs from the schema; run: npm run docs`)
  }
})

test('every key has a description, and every example is right YAML', () => {
  const entries = referenceEntries()
  assert.ok(entries.length > 100)
  for (const { path: key, description, examples, type } of entries) {
    assert.match(description, /^.{10,}\.$/s, key)
    assert.notEqual(type, '', key)
    for (const example of examples) assert.deepEqual(parse(`x: ${asYaml(example)}`), { x: example }, key)
  }
})

test('help finds a key however it is written, and suggests one', () => {
  assert.match(configReference('session.idle') ?? '', /duration; default 1h/)
  assert.equal(configReference('routes[0].allow.groups'), configReference('routes.allow.groups'))
  assert.match(configReference('providers.corp.issuer') ?? '', /Issuer/)
  assert.equal(configReference('providers.corp.issuer'), configReference('providers.issuer'))
  assert.match(configReference('providers') ?? '', /clientSecret/)
  assert.match(configReference() ?? '', /publicUrl/)
  const isExample = (line: string) => /^ +[\w-]+: /.test(line)
  for (const columns of [60, 80]) {
    const lines = (configReference('session', columns) ?? '').split('\n').filter((line) => !isExample(line))
    assert.ok(Math.max(...lines.map(({ length }) => length)) <= columns)
  }
  assert.equal(configReference('session.idel'), undefined)
  assert.equal(suggestKey('session.idel'), 'session.idle')
  assert.equal(suggestKey('lifetime'), 'session.lifetime')
})

/** Loads a file whose secrets, named by absolute paths, are put beside it. */
function loadWithSecrets(yaml: string, directory: string) {
  for (const name of ['client-secret', 'session']) {
    writeFileSync(path.join(directory, name), `${name}-4b1f0c9e8d7a6b5c4d3e2f1a0b9c8d7e`)
  }
  const file = path.join(directory, 'doorward.yaml')
  writeFileSync(file, yaml.replaceAll('/run/secrets/', `${directory}/`))
  return loadConfig(file, {}, { networkInterfaces: {} })
}

test('the example file and the file in the manual start', (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), 'doorward-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const { config, warnings, notes } = loadWithSecrets(readFileSync('config.example.yaml', 'utf8'), directory)
  assert.equal(config.session.store, 'cookie')
  assert.equal(config.routes.length, 3)
  assert.deepEqual([warnings, notes.map((note) => note.path)], [[], ['session.store']])
  const inManual = /```yaml\n([\s\S]*?)```/.exec(configurationPage())?.[1] ?? ''
  assert.equal(loadWithSecrets(inManual, directory).config.providers[0]!.clientId, 'grafana')
})
