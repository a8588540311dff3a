import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { fits, play, readCase, update } from './script.ts'

const updating = process.env.DOORWARD_UPDATE_CASES === '1'

for (const file of globSync(path.join(import.meta.dirname, 'cases/*.txt')).sort()) {
  test(path.basename(file, '.txt').replaceAll('-', ' '), async () => {
    const script = readCase(file)
    const { told, everything } = await play(script)
    // Every secret in the cases has this word in it; the second half is what a careless excerpt would show.
    assert.doesNotMatch(everything, /canary/i)
    if (updating) update(file, script, told)
    else
      for (const [index, { command, expected }] of script.steps.entries()) {
        if (!fits(told[index]!, expected)) assert.deepEqual(told[index], expected, command)
      }
  })
}
