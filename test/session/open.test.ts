import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Config, SessionConfig } from '../../src/config/config.ts'
import { type Log, silentLog } from '../../src/core/log.ts'
import { Secret } from '../../src/core/secret.ts'
import { createSealingKeys } from '../../src/keys/sealing.ts'
import { createSession } from '../../src/session/lifetimes.ts'
import { openSessionState, openSessions } from '../../src/session/open.ts'
import { openRevocations } from '../../src/session/revocations.ts'
import { openMemoryKeyValue } from '../../src/storage/memory.ts'
import { movableClock } from '../contracts/key-value.ts'
import { CookieJar } from './cookie-jar.ts'
import { proofOf } from './people.ts'

const session: SessionConfig = {
  store: 'memory',
  secrets: [new Secret('a secret of more than thirty-two letters')],
  ephemeral: false,
  idle: 3_600_000,
  lifetime: 43_200_000,
  refreshEvery: undefined,
  cookieName: undefined,
  cookieDomain: undefined,
  sameSite: 'lax',
  cacheBytes: 1_000_000,
}
const sealingKeys = createSealingKeys(session.secrets)
const keys = () => sealingKeys
const providers = [{ issuer: 'https://idp.example.com', clientId: 'app' }] as unknown as Config['providers']
const publicUrls = [
  new URL('https://a.example.com/'),
  new URL('https://b.example.com/'),
  new URL('http://localhost:8080'),
]

async function openWorld(more: Partial<SessionConfig> = {}) {
  const clock = movableClock()
  const state = await openSessionState({ clock, log: silentLog })
  const open = (again: Partial<SessionConfig> = more) =>
    openSessions({ session: { ...session, ...again }, publicUrls, providers }, { state, clock, log: silentLog })
  const sessions = open()
  const login = async (origin: string) => {
    const jar = new CookieJar(clock)
    const created = createSession(proofOf('alice'), clock.now(), session)
    jar.take(await sessions.at(origin)!.store.create(created))
    return { created, jar }
  }
  return { clock, state, open, sessions, login }
}

test('each origin has its own names; a session of one is nothing at another, even under one name', async () => {
  for (const store of ['memory', 'cookie'] as const) {
    for (const cookieName of [undefined, 'mine']) {
      const { sessions, login } = await openWorld({ store, cookieName })
      assert.equal(sessions.sites.length, 3)
      const { jar } = await login('https://a.example.com')
      assert.equal((await sessions.at('https://a.example.com')!.store.find(jar.header())).kind, 'live')
      assert.notEqual((await sessions.at('https://b.example.com')!.store.find(jar.header())).kind, 'live')
      assert.equal(sessions.at('https://c.example.com'), undefined)
    }
  }
})

test('prefixes follow the scheme: secure names over https, plain ones over http', async () => {
  const { sessions } = await openWorld()
  assert.match(sessions.at('https://a.example.com')!.spec.names.session, /^__Host-Http-dw-/)
  assert.match(sessions.at('http://localhost:8080')!.spec.names.session, /^dw-/)
  assert.equal(sessions.at('http://localhost:8080')!.spec.secure, false)
})

test('a cookie domain is one site for all hosts under it, and for no others', async () => {
  const { sessions, login } = await openWorld({ cookieDomain: 'example.com' })
  const { jar } = await login('https://a.example.com')
  for (const origin of ['https://b.example.com', 'https://deep.down.example.com', 'https://example.com:8443']) {
    assert.equal((await sessions.at(origin)!.store.find(jar.header())).kind, 'live', origin)
  }
  for (const origin of [
    'http://b.example.com',
    'https://badexample.com',
    'https://example.com.evil.example',
    'x',
    '',
  ]) {
    assert.equal(sessions.at(origin), undefined, origin)
  }
})

test('own cookies of every site are known', async () => {
  const { sessions } = await openWorld()
  for (const { spec } of sessions.sites) {
    for (const name of [spec.names.session, spec.names.second, `${spec.names.loginPrefix}x`, spec.names.marker]) {
      assert.ok(sessions.isOwnCookieName(name))
    }
  }
  assert.ok(!sessions.isOwnCookieName('theme'))
})

test('a reload keeps sessions, and keeps ended ones dead', async () => {
  for (const store of ['memory', 'cookie'] as const) {
    const { sessions, open, login } = await openWorld({ store })
    const origin = 'https://a.example.com'
    const kept = await login(origin)
    const ended = await login(origin)
    await sessions.at(origin)!.store.end(ended.created)
    await sessions.close()
    const reloaded = open({ store, idle: 60_000 }).at(origin)!.store
    assert.equal((await reloaded.find(kept.jar.header())).kind, 'live')
    assert.equal((await reloaded.find(ended.jar.header())).kind, 'refused')
  }
})

test('statistics count all sites once, and fingerprints name the secrets in order', async () => {
  const { sessions, login } = await openWorld()
  for (const origin of ['https://a.example.com', 'https://b.example.com']) {
    const { jar } = await login(origin)
    await sessions.at(origin)!.store.find(jar.header())
  }
  assert.equal(sessions.cacheStatistics().entries, 2)
  assert.equal(sessions.cacheStatistics().hits, 2)
  assert.equal(sessions.fingerprint().length, 1)
})

test('marks reach every process that shares the store, live as long as what they end, and no longer', async () => {
  const clock = movableClock()
  const kv = openMemoryKeyValue({ clock, log: silentLog, maxEntries: 1_000 })
  const [here, there] = [
    await openRevocations({ kv, clock, log: silentLog, keys }),
    await openRevocations({ kv, clock, log: silentLog, keys }),
  ]
  const ended = createSession(proofOf('alice'), clock.now(), session)
  const heard: string[] = []
  there.onMark((mark) => heard.push(mark.key))
  await here.endSession(ended, session.lifetime)
  const handle = heard[0]!.slice('session '.length)
  assert.ok(!heard[0]!.includes(ended.id))
  for (const one of [here, there]) assert.ok(one.covers(ended, handle) && one.knows(handle))
  clock.advance(session.lifetime - 1)
  await here.endSubject('i', 's', session.lifetime)
  assert.ok(there.knows(handle))
  clock.advance(1)
  await here.endSubject('i', 's2', session.lifetime)
  assert.ok(!there.knows(handle))
})

test('an older message that comes late does not shorten what a newer one ended', async () => {
  const clock = movableClock()
  const kv = openMemoryKeyValue({ clock, log: silentLog, maxEntries: 1_000 })
  const revocations = await openRevocations({ kv, clock, log: silentLog, keys })
  const late: string[] = []
  await kv.subscribe('revocations', (message) => late.push(message))
  const { identity } = proofOf('alice')
  await revocations.endSubject(identity.issuer, identity.subject, session.lifetime)
  clock.advance(60_000)
  const created = createSession(proofOf('alice'), clock.now(), session)
  await revocations.endSubject(identity.issuer, identity.subject, session.lifetime)
  await kv.publish('revocations', late[0]!)
  assert.ok(revocations.covers(created, 'any'))
})

test('a person ended under one key stays ended while keys rotate, and the store does not say who it was', async () => {
  const [old, next] = [
    new Secret('the old secret of thirty-two letters'),
    new Secret('the new secret of thirty-two letters'),
  ]
  const clock = movableClock()
  const kv = openMemoryKeyValue({ clock, log: silentLog, maxEntries: 1_000 })
  const open = (...secrets: Secret[]) => {
    const list = createSealingKeys(secrets)
    return openRevocations({ kv, clock, log: silentLog, keys: () => list, shared: true })
  }
  const [before, during] = [await open(old), await open(next, old)]
  const messages: string[] = []
  await kv.subscribe('revocations', (message) => messages.push(message))
  for (const [by, other] of [
    [before, during],
    [during, before],
  ] as const) {
    clock.advance(1000)
    const created = createSession(proofOf('alice'), clock.now(), session)
    const late = await open(next, old)
    await by.endSubject(created.identity.issuer, created.identity.subject, session.lifetime)
    for (const one of [by, other, late]) assert.ok(one.covers(created, 'any'))
    const started = await open(old)
    await started.recall(created, 'any')
    assert.ok(started.covers(created, 'any'), 'a replica that has not got the new key yet')
  }
  const stranger = await openRevocations({ kv, clock, log: silentLog, keys, shared: true })
  const created = createSession(proofOf('alice'), 0, session)
  await stranger.recall(created, 'any')
  assert.ok(!stranger.covers(created, 'any'), 'the name cannot be made without the key')
  for (const message of messages) assert.ok(!message.includes(created.identity.subject))
})

test('foreign messages on the channel are ignored with a warning', async () => {
  const clock = movableClock()
  const warnings: string[] = []
  const log: Log = { ...silentLog, warn: (_, message) => warnings.push(message) }
  const kv = openMemoryKeyValue({ clock, log, maxEntries: 1_000 })
  await openRevocations({ kv, clock, log, keys })
  for (const message of ['', 'x', 'null', '{}', '{"key":1,"at":2,"until":3}']) await kv.publish('revocations', message)
  assert.equal(warnings.length, 5)
})
