/**
 * A process by itself, started with --expose-gc: a whole gateway that is reloaded under requests. Says, as lines of
 * JSON, what is left of it after each batch, once everything that was replaced has been let go of.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { queryObjects } from 'node:v8'
import { Agent, request } from 'undici'
import { loadConfig } from '../../src/config/load.ts'
import { startIdp } from '../../src/dev/idp.ts'
import { startServer } from '../../src/server.ts'
import { startApplication } from './application.ts'
import { createBrowser, signIn } from './browser.ts'
import { freePort } from './free-port.ts'
import { clientAt, clientId, clientSecret, sessionSecret } from './gateway.ts'

export interface Remains {
  readonly reloads: number
  readonly requests: number
  /** Answers that were not 200. */
  readonly failures: number
  /** Bytes in use after garbage collection. */
  readonly heap: number
  /** Connection pools that are alive: those of providers and upstreams. */
  readonly pools: number
  /** What the event loop waits for, by kind. */
  readonly resources: Readonly<Record<string, number>>
}

/** Milliseconds a replaced configuration is kept: longer than any request here takes. */
const retireAfter = 1_000

const port = await freePort()
const origin = `http://127.0.0.1:${port}`
const idp = await startIdp({ host: 'localhost', clients: [clientAt(origin)], lifetimes: { accessToken: 36_000 } })
const application = await startApplication()
const folder = mkdtempSync(path.join(tmpdir(), 'doorward-reloading-'))
const file = path.join(folder, 'config.yaml')
const write = (round: number): void => {
  const upstream = { url: application.url, connections: 8 }
  writeFileSync(
    file,
    JSON.stringify({
      version: 1,
      publicUrl: origin,
      listen: `127.0.0.1:${port}`,
      operations: '127.0.0.1:0',
      provider: { issuer: idp.issuer, clientId, clientSecret },
      session: { secret: [sessionSecret, `key ${round} of a long row, 0f8b1c9d7e6a5f4b`] },
      bearer: [{ issuer: idp.issuer, audience: 'api' }],
      assertion: { lifetime: '2m' },
      brand: { name: `Round ${round}` },
      routes: [
        { path: '/api/*', allow: { emailDomains: ['example.com'] }, accept: ['session', 'bearer'], upstream },
        { allow: 'signedIn', upstream },
      ],
    }),
  )
}
write(0)
const server = await startServer({
  source: { load: (more) => loadConfig(file, {}, more) },
  destination: { write() {}, dropped: () => 0, flush() {}, async close() {} },
  watch: false,
  bounds: { retireAfter },
})
const browser = createBrowser()
await signIn(browser, await browser.navigate(`${origin}/`), 'ada')
const cookie = browser.cookies.header(new URL(origin)) ?? ''
const authorization = `Bearer ${await idp.mintAccessToken('ada', { audience: 'api', expiresIn: 3600 })}`
const agent = new Agent({ connections: 4 })
let [reloads, requests, failures] = [0, 0, 0]

async function ask(index: number): Promise<void> {
  const headers = index % 2 === 0 ? { cookie } : { authorization }
  const answer = await request(`${origin}/api/x`, { dispatcher: agent, headers })
  await answer.body.dump()
  requests++
  if (answer.statusCode !== 200) failures++
}

async function batch(count: number): Promise<void> {
  let reloading = true
  const askers = [0, 1, 2, 3].map(async (index) => {
    while (reloading) await ask(index)
  })
  for (let round = 0; round < count; round++) {
    write(++reloads)
    if (!(await server.reload())) failures++
    const before = requests
    while (requests < before + 4) await sleep(1)
  }
  reloading = false
  await Promise.all(askers)
}

async function remains(): Promise<Remains> {
  await sleep(2 * retireAfter)
  // Twice, with a turn between: what a finalizer lets go of is freed by the next one.
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.()
    await sleep(50)
  }
  const resources: Record<string, number> = {}
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1
  const pools = queryObjects(Agent, { format: 'count' })
  return { reloads, requests, failures, heap: process.memoryUsage().heapUsed, pools, resources }
}

for (const count of process.argv.slice(2).map(Number)) {
  await batch(count)
  process.stdout.write(`${JSON.stringify(await remains())}\n`)
}
await Promise.all([agent.close(), browser.close(), server.close()])
await Promise.all([application.close(), idp.close()])
rmSync(folder, { recursive: true })
