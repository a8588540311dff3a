// Writes docs/configuration.md, config.schema.json and the values of the chart from their descriptions: `npm run docs`.
// With --check it writes nothing, and fails where a file is not what the schema says.
import { readFileSync, writeFileSync } from 'node:fs'
import { generatedDocs } from '../src/config/generated-docs.ts'
import { chartFiles } from './chart-files.ts'

const check = process.argv.includes('--check')
const root = new URL('../', import.meta.url)
const stale: string[] = []

for (const { file, text } of [...generatedDocs(), ...chartFiles(root)]) {
  const url = new URL(file, root)
  if (!check) writeFileSync(url, text)
  else if (read(url) !== text) stale.push(file)
}

if (stale.length > 0) {
  console.error(`docs: ${stale.join(' and ')} differ from the schema; run: npm run docs`)
  process.exitCode = 1
}

function read(url: URL): string {
  try {
    return readFileSync(url, 'utf8')
  } catch {
    return ''
  }
}
