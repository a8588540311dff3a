/**
 * What live sessions cost a gateway at rest: `node --expose-gc bench/idle-memory.ts [STORE] [SESSIONS] [REDIS_URL]`.
 * Sessions are made by the process's own store and used once each, as people at work would; then it rests.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseConfigText } from '../src/config/read.ts'
import { resolveConfig } from '../src/config/resolve.ts'
import { systemClock } from '../src/core/clock.ts'
import { randomToken } from '../src/core/encoding.ts'
import type { Proof } from '../src/core/proof.ts'
import { Secret } from '../src/core/secret.ts'
import { buildPublicListener } from '../src/http/listeners.ts'
import { openProcess } from '../src/http/process.ts'
import { createSession } from '../src/session/lifetimes.ts'

const [store = 'memory', count = '10000', redis = 'redis://127.0.0.1:6379'] = process.argv.slice(2)
const secret = randomToken()
const file = JSON.stringify({
  version: 1,
  publicUrl: 'https://app.example.com',
  listen: '127.0.0.1:0',
  // Nobody is there, and nobody is asked.
  provider: { issuer: 'https://127.0.0.1:9/realms/main', clientId: 'app' },
  session: { store, secret },
  ...(store === 'redis' && { redis: { url: redis, prefix: `idle-memory-${randomToken(4)}:`, timeout: '10s' } }),
  log: { level: 'error' },
  routes: [{ allow: 'signedIn', upstream: 'http://127.0.0.1:9' }],
})
const { config } = resolveConfig(parseConfigText(file, 'idle-memory', {}), {
  env: {},
  networkInterfaces: {},
  ephemeralSecret: new Secret(secret),
})

/** As Keycloak gives them: claims of 2 KiB, and tokens that hold most of them again. */
const proofOf = (index: number): Proof => ({
  identity: {
    provider: 'default',
    issuer: 'https://127.0.0.1:9/realms/main',
    subject: randomToken(27),
    username: `person-${index}`,
    email: `person-${index}@example.com`,
    name: `Person ${index}`,
    groups: Array.from({ length: 40 }, (_, at) => `/departments/number-${(index * 7919 + at) % 5000}/teams/team-${at}`),
    realmRoles: ['offline_access', 'uma_authorization', 'default-roles-main'],
    clientRoles: { account: ['manage-account', 'manage-account-links', 'view-profile'] },
    scopes: ['openid', 'email', 'profile'],
    acr: '1',
    authTime: Math.floor(Date.now() / 1000),
    claims: {},
  },
  tokens: {
    accessToken: randomToken(2400),
    accessExpiresAt: Date.now() + 300_000,
    idToken: randomToken(2200),
    idExpiresAt: Date.now() + 300_000,
    refreshToken: randomToken(600),
  },
  sid: randomToken(27),
})

const destination = { write() {}, dropped: () => 0, flush() {}, async close() {} }
const running = await openProcess(config, destination, systemClock)
const listener = buildPublicListener(running.parts)
await listener.ready()
await new Promise<void>((resolve) => listener.server.listen(0, '127.0.0.1', resolve))

async function tell(what: string): Promise<void> {
  await sleep(500)
  globalThis.gc?.()
  await sleep(500)
  globalThis.gc?.()
  const { rss, heapTotal, heapUsed, external } = process.memoryUsage()
  const { entries, bytes } = running.parts.serving().sessions.cacheStatistics()
  const mebibytes = (value: number) => `${(value / 1024 / 1024).toFixed(1)} MiB`
  console.log(
    `${what}: resident ${mebibytes(rss)}, heap ${mebibytes(heapUsed)} of ${mebibytes(heapTotal)}, outside ${mebibytes(external)}, ` +
      `${entries} sessions open (counted as ${mebibytes(bytes)})`,
  )
}

await tell('no session')
const [site] = running.parts.serving().sessions.sites
if (site === undefined) throw new Error('no site')
const cookies: string[] = []
for (let index = 0; index < Number(count); index++) {
  const [line = ''] = await site.store.create(createSession(proofOf(index), Date.now(), config.session))
  cookies.push(line.split(';', 1)[0] ?? '')
  // As a server at work: turns of the event loop, in which garbage is collected.
  if (index % 50 === 0) await sleep(1)
}
await tell(`${count} sessions, signed in`)
for (const [index, cookie] of cookies.entries()) {
  const found = await site.store.find(cookie)
  if (found.kind !== 'live') throw new Error(`session ${index} is ${found.kind}`)
  if (index % 50 === 0) await sleep(1)
}
await tell(`${count} sessions, each used`)
await listener.close()
await running.close()
