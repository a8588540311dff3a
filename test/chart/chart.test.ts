/** The files of the chart that are made from descriptions; needs no Helm. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse } from 'yaml'
import { chartFiles, computedKeys, defaults } from '../../scripts/chart-files.ts'
import { configJsonSchema } from '../../src/config/json-schema.ts'

const read = (file: string) => readFileSync(`charts/doorward/${file}`, 'utf8')
const root = new URL('../../', import.meta.url)

test('values, schema and README of the chart are what their descriptions say', () => {
  for (const { file, text } of chartFiles(root)) {
    assert.ok(readFileSync(file, 'utf8') === text, `${file} differs from its description; run: npm run docs`)
  }
})

test('values.yaml is all defaults, and every value is described and in the README', () => {
  assert.deepEqual(parse(read('values.yaml')), defaults())
  assert.deepEqual(parse(read('files/defaults.yaml')), defaults())
  const schema = JSON.parse(read('values.schema.json'))
  const readme = read('README.md')
  const visit = (node: { properties?: object; description?: string }, path: string): void => {
    for (const [key, child] of Object.entries(node.properties ?? {})) {
      const at = path === '' ? key : `${path}.${key}`
      if (at.startsWith('config.')) continue
      if (at !== 'global.domain') assert.match(child.description ?? '', /^.{3,}\.$/s, at)
      assert.ok(readme.includes(`| \`${at}\` |`), at)
      visit(child, at)
    }
  }
  visit(schema, '')
})

test('`config` is the file, without what the chart writes', () => {
  const { properties } = JSON.parse(read('values.schema.json')).properties.config
  const file = Object.keys(configJsonSchema().properties ?? {})
  assert.deepEqual(
    Object.keys(properties),
    file.filter((key) => !computedKeys.some((computed) => computed === key)),
  )
})

test('versions: of the application, and of the image', () => {
  const { appVersion } = parse(read('Chart.yaml'))
  assert.equal(appVersion, JSON.parse(readFileSync('package.json', 'utf8')).version)
})

test('no template reaches for a value that an older release may not have', () => {
  for (const file of globSync('charts/doorward/templates/**/*.{yaml,tpl,txt}')) {
    const deep = /\.Values\.(?!__doorward\b)\w+\.\w+/.exec(readFileSync(file, 'utf8'))
    assert.equal(deep, null, `${file}: ${deep?.[0]}`)
  }
})
