/** One change, one reload: by whichever way it becomes known first, or by all of them at once. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { loadConfig } from '../../src/config/load.ts'
import { startServer } from '../../src/server.ts'
import { freePort } from '../support/free-port.ts'
import { until } from '../support/gateway.ts'

const timing = { interval: 5, debounce: 10 }
/** Long enough for the watch to have told whatever it has to tell. */
const quiet = () => wait(60)

async function watched(t: TestContext, watch: typeof timing | false = timing) {
  const folder = mkdtempSync(path.join(tmpdir(), 'doorward-reload-'))
  const file = path.join(folder, 'config.yaml')
  const port = await freePort()
  const write = (body: string) =>
    writeFileSync(
      file,
      JSON.stringify({
        version: 1,
        publicUrl: `http://127.0.0.1:${port}`,
        listen: `127.0.0.1:${port}`,
        operations: '127.0.0.1:0',
        routes: [{ allow: 'public', respond: { body } }],
      }),
    )
  write('first')
  const destination = { write() {}, dropped: () => 0, flush() {}, async close() {} }
  let loads = 0
  const source = {
    load(more: Parameters<typeof loadConfig>[2]) {
      loads++
      return loadConfig(file, {}, more)
    },
  }
  const server = await startServer({ source, destination, watch })
  t.after(async () => {
    await server.close()
    rmSync(folder, { recursive: true })
  })
  // The watch has had its first look: what changes before it is no change.
  await quiet()
  return {
    file,
    write,
    server,
    /** Reads of the file since the start. */
    loads: () => loads - 1,
    answer: async () => (await fetch(`http://127.0.0.1:${port}/`)).text(),
  }
}

test('a signal takes a change over, and the watch has nothing left to tell', async (t) => {
  const { write, server, loads, answer } = await watched(t)
  write('second')
  assert.equal(await server.reload(), true)
  assert.equal(await answer(), 'second')
  await quiet()
  assert.equal(loads(), 1)
})

test('the watch takes a change over, and a signal for it has nothing left to do', async (t) => {
  const { write, server, loads, answer } = await watched(t)
  write('second')
  await until(loads, 'the watch tells')
  assert.equal(await server.reload(), true)
  assert.equal(await answer(), 'second')
  await quiet()
  assert.equal(loads(), 1)
})

test('signals that come together are one', async (t) => {
  for (const watch of [timing, false] as const) {
    const { write, server, loads } = await watched(t, watch)
    write('second')
    assert.deepEqual(await Promise.all([server.reload(), server.reload(), server.reload()]), [true, true, true])
    assert.equal(loads(), 1)
  }
})

test('where nobody watches, every signal counts', async (t) => {
  const { server, loads } = await watched(t, false)
  for (let signal = 1; signal <= 3; signal++) {
    await server.reload()
    assert.equal(loads(), signal)
  }
})

test('the next change is another one, however soon it comes and however it is told', async (t) => {
  const { write, server, answer } = await watched(t)
  write('second')
  assert.equal(await server.reload(), true)
  write('third')
  assert.equal(await server.reload(), true)
  assert.equal(await answer(), 'third')
  write('fourth')
  await until(async () => (await answer()) === 'fourth', 'the watch tells')
})

test('a bad file is tried again whenever somebody asks', async (t) => {
  const { file, write, server, loads, answer } = await watched(t)
  write('second')
  assert.equal(await server.reload(), true)
  writeFileSync(file, 'routes: [')
  assert.equal(await server.reload(), false)
  assert.equal(await server.reload(), false)
  assert.equal(loads(), 3)
  write('mended')
  await until(async () => (await answer()) === 'mended', 'the watch tells')
})
