/**
 * Several test files in one process, one after the other. Each is a test of its own around its tests: hooks of a file
 * run before and after that file, and one that does not load, or waits for ever, fails by its name.
 * Usage: node … test-lane.ts PROGRESS FILE…
 */
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'

const [progress = '', ...files] = process.argv.slice(2)
for (const file of files) {
  test(file, async () => {
    // Synchronous: a file that never gives the processor back is still named.
    writeFileSync(progress, file)
    await import(pathToFileURL(file).href)
  })
}
