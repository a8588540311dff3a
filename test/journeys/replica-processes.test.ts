/** Three processes as `doorward serve` starts them, over one real Redis: what memory of one process could hide. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { startIdp } from '../../src/dev/idp.ts'
import { start } from '../cli/process.ts'
import { startApplication } from '../support/application.ts'
import { createBrowser, signIn } from '../support/browser.ts'
import { freePort } from '../support/free-port.ts'
import { clientAt, clientId, clientSecret, sessionSecret } from '../support/gateway.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'

/** Seconds the first access token lives; what comes of the refresh lives long. */
const shortLife = 2

async function startWorld(t: TestContext, redis: RedisServer, store: 'redis' | 'cookie') {
  const folder = mkdtempSync(path.join(tmpdir(), 'doorward-replicas-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const ports = [await freePort(), await freePort(), await freePort()]
  const publicUrl = `http://127.0.0.1:${ports[0]}`
  const idp = await startIdp({
    host: 'localhost',
    clients: [clientAt(publicUrl)],
    lifetimes: { accessToken: shortLife, idToken: 3600 },
  })
  const application = await startApplication()
  t.after(() => Promise.all([idp.close(), application.close()]))
  const { prefix } = redis.options()
  const processes = ports.map((port, index) => {
    const file = path.join(folder, `${index}.yaml`)
    const config = {
      version: 1,
      publicUrl,
      listen: `127.0.0.1:${port}`,
      operations: 'off',
      provider: { issuer: idp.issuer, clientId, clientSecret },
      session: { store, secret: sessionSecret },
      redis: { url: `redis://127.0.0.1:${redis.port}`, prefix },
      routes: [{ allow: 'signedIn', upstream: application.url }],
    }
    writeFileSync(file, JSON.stringify(config))
    return start(t, ['serve', '--config', file])
  })
  await Promise.all(processes.map((process) => process.says(/listening/)))
  const agent = new Agent({ connections: 200 })
  t.after(() => agent.close())
  const ask = async (index: number, cookie: string) => {
    const answer = await request(`http://127.0.0.1:${ports[index]}/x`, {
      dispatcher: agent,
      headers: { host: `127.0.0.1:${ports[0]}`, cookie },
    })
    await answer.body.dump()
    return answer.statusCode
  }
  return { publicUrl, idp, processes, ask }
}

for (const store of ['redis', 'cookie'] as const) {
  test(`2,000 requests of one expired session over three processes: one token request, nobody out (${store})`, async (t) => {
    const redis = await startRedis(t)
    if (redis === undefined) return
    const { publicUrl, idp, processes, ask } = await startWorld(t, redis, store)
    const browser = createBrowser()
    t.after(() => browser.close())
    const page = await signIn(browser, await browser.navigate(`${publicUrl}/`), 'ada')
    assert.equal(page.status, 200, page.text)
    const cookie = browser.cookies.header(new URL(publicUrl)) ?? ''
    assert.equal(idp.counts.token, 1)
    idp.lifetimes.accessToken = 3600
    await sleep((shortLife + 0.2) * 1000)
    const statuses = await Promise.all(Array.from({ length: 2000 }, (_, n) => ask(n % 3, cookie)))
    assert.deepEqual([...new Set(statuses)], [200])
    assert.equal(idp.counts.token, 2)
    assert.ok(processes.every((process) => !/session_ended|refresh_failed/.test(process.stdout())))
  })
}
