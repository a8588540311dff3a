/** Routes that pass a token on: what is decided at once, and what has to wait. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfigText } from '../../src/config/read.ts'
import { resolveConfig } from '../../src/config/resolve.ts'
import { silentLog } from '../../src/core/log.ts'
import type { Credentials } from '../../src/gate/decision.ts'
import { openRuntime } from '../../src/runtime.ts'
import { createSession } from '../../src/session/lifetimes.ts'
import { openSessionState } from '../../src/session/open.ts'
import { movableClock } from '../contracts/key-value.ts'
import { host, person, target } from '../policy/fixtures.ts'

// Nobody listens there: whatever asks the provider is late, and fails.
const file = `
version: 1
publicUrl: https://${host}
provider: { issuer: "http://127.0.0.1:9", clientId: app }
identityHeaders: none
routes:
  - { path: /plain, allow: signedIn, upstream: "http://127.0.0.1:9" }
  - { path: /id, allow: signedIn, upstream: "http://127.0.0.1:9", headers: { Authorization: "Bearer {idToken}" } }
  - { path: /access, allow: signedIn, upstream: "http://127.0.0.1:9", headers: { X-Token: "{accessToken}" } }
`

async function openWorld() {
  const clock = movableClock()
  const { config } = resolveConfig(parseConfigText(file, 'doorward.yaml', {}), { env: {}, networkInterfaces: {} })
  const sessionState = await openSessionState({ clock, log: silentLog, config })
  const runtime = openRuntime(config, { clock, log: silentLog, sessionState, onRunOut: () => {}, onRenewal: () => {} })
  const now = clock.now()
  const tokens = {
    refreshToken: 'refresh',
    accessToken: 'access',
    accessExpiresAt: now + 300_000,
    idToken: 'id',
    idExpiresAt: now + 100_000,
  }
  const session = createSession({ identity: person(), tokens }, now, config.session)
  const setCookies = await runtime.sessions.at(`https://${host}`)!.store.create(session)
  const credentials: Credentials = {
    cookie: setCookies[0]!.split(';', 1)[0],
    authorization: undefined,
    origin: undefined,
    secFetchSite: undefined,
    requestedMethod: undefined,
    address: '192.0.2.1',
    isUpgrade: false,
    isNavigation: false,
    canSetCookie: true,
    header: () => undefined,
  }
  return {
    clock,
    decide: (path: string) => runtime.gate.decide(target(path), credentials),
    close: () => Promise.all([runtime.close(), sessionState.close()]),
  }
}

test('nothing is awaited while the token that leaves is fresh, and it waits from shortly before its end', async () => {
  const { clock, decide, close } = await openWorld()
  const start = clock.now()
  // Seconds after the sign-in, and whether the answer is there at once. Renewal in the background begins at 70 to 80 %.
  for (const [after, path, isSync] of [
    [0, '/plain', true],
    [0, '/id', true],
    [0, '/access', true],
    [69, '/id', true],
    [91, '/plain', true],
    [91, '/access', true],
    [91, '/id', false],
    [95, '/id', true],
  ] as const) {
    clock.advance(start + after * 1000 - clock.now())
    const decision = decide(path)
    assert.equal(!(decision instanceof Promise), isSync, `${path} after ${after} s`)
    const { verdict, headers } = await decision
    assert.equal(verdict.kind, 'allow', 'the provider is down, and the token is still good')
    if (path === '/id') assert.deepEqual(headers.known, ['Authorization', 'Bearer id'])
  }
  clock.advance(start + 100_500 - clock.now())
  assert.throws(() => decide('/id'), { code: 'provider_unreachable' }, 'ten seconds after a failure nobody asks')
  clock.advance(1000)
  await assert.rejects(async () => decide('/id'), { code: 'provider_unreachable' })
  const plain = await decide('/plain')
  assert.equal(plain.verdict.kind, 'allow')
  await close()
})
