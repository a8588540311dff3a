/** A hundred reloads under requests leave nothing behind: no memory, no connection pool, no timer, no socket. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { test } from 'node:test'
import type { Remains } from '../support/reloading-gateway.ts'

const gateway = path.join(import.meta.dirname, '../support/reloading-gateway.ts')
/** Bytes by which two readings of one and the same process may differ; a configuration that stays takes more than 100 KiB. */
const margin = 3 * 1024 * 1024

test('a hundred reloads under requests: nothing fails, and nothing is left behind', async (t) => {
  // Objects of a kind are counted by what Node still calls experimental.
  const flags = ['--expose-gc', '--disable-warning=ExperimentalWarning']
  const child = spawn(process.execPath, [...flags, gateway, '20', '100'], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  let text = ''
  child.stdout.on('data', (chunk) => {
    text += chunk
  })
  const [code] = await once(child, 'close')
  assert.equal(code, 0)
  const [before, after] = text
    .trim()
    .split('\n')
    .map((line): Remains => JSON.parse(line))
  assert.ok(before !== undefined && after !== undefined, text)
  t.diagnostic(`${after.requests} requests; heap ${before.heap} -> ${after.heap} bytes`)
  assert.equal(after.reloads, 120)
  assert.ok(after.requests >= 480)
  assert.equal(after.failures, 0)
  assert.equal(after.pools, before.pools, 'pools of replaced configurations')
  for (const [kind, count] of Object.entries(after.resources)) {
    assert.ok(count <= (before.resources[kind] ?? 0) + 4, `${kind}: ${JSON.stringify([before, after])}`)
  }
  assert.ok(after.heap - before.heap < margin, `${after.heap - before.heap} bytes more after 100 reloads`)
})
