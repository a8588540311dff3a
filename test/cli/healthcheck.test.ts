import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { freePort } from '../support/free-port.ts'
import { start } from './process.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'doorward-health-'))
after(() => rmSync(folder, { recursive: true }))

function write(operations: string): void {
  const config = {
    publicUrl: 'http://127.0.0.1:1',
    listen: '127.0.0.1:0',
    operations,
    provider: { kind: 'oidc', issuer: 'http://127.0.0.1:1', clientId: 'web', clientSecret: 'canary-1a2b3c4d5e6f' },
    routes: [{ allow: 'public', respond: { body: 'ok' } }],
    limits: { drainDelay: '60s' },
  }
  writeFileSync(path.join(folder, 'doorward.yaml'), JSON.stringify(config))
}

test('healthcheck: well, not ready while it finishes, not running, nowhere to ask', { timeout: 90_000 }, async (t) => {
  write(`0.0.0.0:${await freePort()}`)
  const ask = async (...more: string[]) => {
    const command = start(t, ['healthcheck', ...more], { cwd: folder })
    return { code: await command.ended(), text: command.stdout() + command.stderr() }
  }
  const gateway = start(t, ['serve'], { cwd: folder })
  await gateway.says(/operations/)
  for (const more of [[], ['--ready']]) assert.deepEqual(await ask(...more), { code: 0, text: '' })
  gateway.child.kill('SIGTERM')
  await gateway.says(/SIGTERM: finishing/)
  const [live, ready] = await Promise.all([ask(), ask('--ready')])
  assert.equal(live.code, 0)
  assert.equal(ready.code, 1)
  assert.match(ready.text, /readyz answered 503/)
  gateway.child.kill('SIGTERM')
  await gateway.ended()
  const gone = await ask()
  assert.equal(gone.code, 1)
  assert.match(gone.text, /ECONNREFUSED.*\n.*hint: is `doorward serve` running/)
  write('off')
  const off = await ask()
  assert.equal(off.code, 1)
  assert.match(off.text, /hint: write operations: 127\.0\.0\.1:9180/)
})
