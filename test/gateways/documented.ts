/** The configuration that a page shows is the one that runs: read from the page, with other addresses. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { blocksOf } from '../docs/pages.ts'

/** The code block of a page whose first line, a comment, ends with this name of a file. */
export function documentedFile(page: string, name: string): string {
  const file = `docs/gateways/${page}.md`
  const text = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')
  const found = blocksOf({ file, text }).filter(({ code }) => code.split('\n', 1)[0]!.endsWith(` ${name}`))
  assert.equal(found.length, 1, `${file} shows ${name} once`)
  return found[0]!.code
}

/** Every written text has to be there: what the page no longer says cannot be replaced in silence. */
export function replaced(text: string, pairs: readonly (readonly [written: string, here: string])[]): string {
  let result = text
  for (const [written, here] of pairs) {
    assert.ok(result.includes(written), `the page does not say ${JSON.stringify(written)} any more`)
    result = result.replaceAll(written, here)
  }
  return result
}
