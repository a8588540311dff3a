import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { watchFiles } from '../../src/config/watch.ts'

const timing = { interval: 3, debounce: 6 }

function directoryFor(t: TestContext) {
  const directory = mkdtempSync(path.join(tmpdir(), 'doorward-'))
  t.after(() => rmSync(directory, { recursive: true }))
  return directory
}

/** Watches, and hands out what was told since the last time it was asked; its first look is over. */
async function watching(t: TestContext, ...files: string[]) {
  const told: string[][] = []
  const probe = path.join(directoryFor(t), 'probe')
  let probed = false
  const tell = (changed: readonly string[]) => {
    const wanted = changed.filter((file) => file !== probe).sort()
    if (wanted.length > 0) told.push(wanted)
    else probed = true
  }
  const watch = watchFiles([...files, probe], tell, timing)
  t.after(() => watch.close())
  // A busy machine may take its time for the first look, and what changes before it is no change.
  for (let round = 0; !probed; round++) {
    writeFileSync(probe, String(round))
    await wait(20)
  }
  const settle = async (wanted: number) => {
    for (let round = 0; round < 1000 && told.length < wanted; round++) await wait(5)
    return told.splice(0)
  }
  return { told, settle, watch }
}

test('a file written in place, replaced, removed and there again is told', async (t) => {
  const directory = directoryFor(t)
  const file = path.join(directory, 'secret')
  writeFileSync(file, 'one')
  const { settle } = await watching(t, file)
  writeFileSync(file, 'two')
  assert.deepEqual(await settle(1), [[file]])
  writeFileSync(`${file}.new`, 'three')
  renameSync(`${file}.new`, file)
  assert.deepEqual(await settle(1), [[file]])
  rmSync(file)
  assert.deepEqual(await settle(1), [[file]])
  writeFileSync(file, 'four')
  assert.deepEqual(await settle(1), [[file]])
})

test("Kubernetes' ..data swap is seen, and files that appear later", async (t) => {
  const directory = directoryFor(t)
  for (const [version, text] of Object.entries({ '..1': 'one', '..2': 'two' })) {
    mkdirSync(path.join(directory, version))
    writeFileSync(path.join(directory, version, 'tls.crt'), text)
  }
  symlinkSync('..1', path.join(directory, '..data'))
  symlinkSync('..data/tls.crt', path.join(directory, 'tls.crt'))
  const [certificate, later] = [path.join(directory, 'tls.crt'), path.join(directory, 'ca.crt')]
  const { settle } = await watching(t, certificate, later)
  symlinkSync('..2', path.join(directory, '..data_tmp'))
  renameSync(path.join(directory, '..data_tmp'), path.join(directory, '..data'))
  assert.deepEqual(await settle(1), [[certificate]])
  writeFileSync(later, 'ca')
  assert.deepEqual(await settle(1), [[later]])
})

test('a touch without a change is not told, nor anything after close', async (t) => {
  const directory = directoryFor(t)
  const file = path.join(directory, 'config')
  writeFileSync(file, 'same')
  const { told, watch } = await watching(t, file)
  utimesSync(file, new Date(0), new Date(0))
  writeFileSync(`${file}.new`, 'same')
  renameSync(`${file}.new`, file)
  await wait(30)
  assert.deepEqual(told, [])
  watch.close()
  writeFileSync(file, 'other')
  await wait(30)
  assert.deepEqual(told, [])
})
