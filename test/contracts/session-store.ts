import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Clock } from '../../src/core/clock.ts'
import { silentLog } from '../../src/core/log.ts'
import { Secret } from '../../src/core/secret.ts'
import type { SealingKeys } from '../../src/keys/sealing.ts'
import { createSealingKeys } from '../../src/keys/sealing.ts'
import type { CookieSpec } from '../../src/session/cookie-spec.ts'
import { createCookieSpec } from '../../src/session/cookie-spec.ts'
import { createSession, type Lifetimes, renewSession } from '../../src/session/lifetimes.ts'
import type { SessionState } from '../../src/session/open.ts'
import { openSessionState } from '../../src/session/open.ts'
import type { FoundSession, LiveSession, SessionStore } from '../../src/session/session.ts'
import { CookieJar } from '../session/cookie-jar.ts'
import { proofOf } from '../session/people.ts'
import { type MovableClock, movableClock } from './key-value.ts'

export interface StoreParts {
  readonly keys: SealingKeys
  readonly spec: CookieSpec
  readonly lifetimes: Lifetimes
  readonly state: SessionState
  readonly clock: Clock
}

/** State behind the store, and the clock its times are counted by. */
export type OpenState = () => Promise<{ readonly clock: MovableClock; readonly state: SessionState }>

export const memoryState: OpenState = async () => {
  const clock = movableClock()
  return { clock, state: await openSessionState({ clock, log: silentLog }) }
}

export type OpenStore = (parts: StoreParts) => SessionStore

const minute = 60_000
const base64url = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const lifetimes = { idle: 60 * minute, lifetime: 720 * minute }
const secrets = ['first secret of thirty-two letters', 'other secret of thirty-two letters'].map(
  (text) => new Secret(text),
)
const site = {
  issuer: 'https://idp.example.com/realms/main',
  clientId: 'grafana',
  origin: 'https://app.example.com',
  domain: undefined,
  secure: true,
  override: undefined,
  sameSite: 'lax' as const,
}

/** One world: a store, what is behind it, and a browser. `again` opens a second store over the same state. */
async function openWorld(open: OpenStore, openState: OpenState) {
  const { clock, state } = await openState()
  const parts = { keys: createSealingKeys(secrets.slice(0, 1)), spec: createCookieSpec(site), lifetimes, state, clock }
  const store = open(parts)
  const jar = new CookieJar(clock)
  return {
    ...parts,
    store,
    jar,
    again: (other: Partial<StoreParts>) => open({ ...parts, ...other }),
    async login(proof = proofOf('alice')) {
      const session = createSession(proof, clock.now(), lifetimes)
      jar.take(await store.create(session))
      return session
    },
    find: async () => store.find(jar.header()),
  }
}

type World = Awaited<ReturnType<typeof openWorld>>

function live(found: FoundSession): LiveSession {
  assert.equal(found.kind, 'live')
  return (found as Extract<FoundSession, { kind: 'live' }>).live
}

/** No session, and cookies that were of no use are taken from the browser. */
async function assertRefused(store: SessionStore, spec: CookieSpec, header: string, what: string): Promise<void> {
  const found = await store.find(header)
  assert.equal(found.kind, 'refused', what)
  if (found.kind === 'refused')
    assert.ok(
      found.clear.some((line) => line.startsWith(`${spec.names.session}=;`)),
      what,
    )
}

/** What every session store must do, whatever keeps the sessions. */
export async function sessionStoreContract(
  name: string,
  open: OpenStore,
  openState: OpenState = memoryState,
  parent?: TestContext,
): Promise<void> {
  const tests: Promise<void>[] = []
  const each = (what: string, body: (world: World) => Promise<void>): void => {
    const run = async () => {
      const world = await openWorld(open, openState)
      try {
        await body(world)
      } finally {
        await world.store.close()
        await world.state.close()
      }
    }
    const title = `${name}: ${what}`
    tests.push(parent === undefined ? test(title, run) : parent.test(title, run))
  }
  lifeOfASession(each)
  timesAndKeys(each)
  tampering(each)
  boundaries(each)
  await Promise.all(tests)
}

type Each = (what: string, body: (world: World) => Promise<void>) => void

function lifeOfASession(each: Each): void {
  each('what a login created is found, with who it is and what renews it', async ({ login, find, store, jar }) => {
    assert.deepEqual(await store.find(undefined), { kind: 'none' })
    assert.deepEqual(await store.find('theme=dark'), { kind: 'none' })
    const created = await login()
    const { session } = live(await find())
    assert.deepEqual(session.identity, created.identity)
    assert.deepEqual({ ...session, tokens: {} }, { ...created, tokens: {} })
    assert.equal(session.tokens.refreshToken, created.tokens.refreshToken)
    assert.equal(session.tokens.accessExpiresAt, created.tokens.accessExpiresAt)
    assert.ok(!jar.header().includes(created.id), 'the id never leaves as it is')
  })

  each('a second find is synchronous, and the same session value', async ({ login, store, jar }) => {
    await login()
    const first = live(await store.find(jar.header()))
    const second = store.find(`theme=dark; ${jar.header()}`)
    assert.ok(!(second instanceof Promise))
    assert.equal(live(second), first)
    assert.ok(store.cacheStatistics().hits >= 1)
    assert.ok(store.cacheStatistics().bytes > 0)
  })

  each('cookies carry every attribute, one line per name', async ({ store, clock, spec }) => {
    const lines = await store.create(createSession(proofOf('alice'), clock.now(), lifetimes))
    assert.equal(new Set(lines.map((line) => line.split('=', 1)[0])).size, lines.length)
    const kept = lines.filter((line) => !line.includes('Max-Age=0'))
    assert.ok(kept.some((line) => line.startsWith(`${spec.names.session}=`)))
    for (const line of kept) assert.match(line, /; Path=\/; Max-Age=43200; HttpOnly; Secure; SameSite=Lax$/)
  })

  each(
    'every login has a new id and a new cookie, whatever the browser brought',
    async ({ login, jar, spec, find }) => {
      jar.take([`${spec.names.session}=preset; Path=/; Max-Age=60`])
      const first = await login()
      const header = jar.header()
      assert.ok(!header.includes('preset'))
      const second = await login()
      assert.notEqual(first.id, second.id)
      assert.notEqual(jar.header(), header)
      assert.equal(live(await find()).session.id, second.id)
    },
  )

  each('a renewal keeps id and life, and carries new tokens and claims', async ({ login, find, store, jar, clock }) => {
    const created = await login()
    const before = live(await find())
    await clock.advance(5 * minute)
    const renewed = renewSession(
      before.session,
      proofOf('alice', { groups: ['/new'], refreshToken: 'second' }),
      clock.now(),
    )
    const kept = await store.replace(before, renewed)
    assert.ok(kept)
    const oldHeader = jar.header()
    jar.take(kept.setCookies)
    for (const header of [jar.header(), oldHeader]) {
      const { session } = live(await store.find(header))
      assert.deepEqual(session.identity.groups, ['/new'])
      assert.equal(session.tokens.refreshToken, 'second')
      assert.equal(session.id, created.id)
      assert.equal(session.expiresAt, created.expiresAt)
    }
  })

  each('an ended session stays dead: replayed, renewed, or being renewed at that moment', async (world) => {
    const { login, find, store, jar, clock, again } = world
    const session = await login()
    const header = jar.header()
    const before = live(await find())
    const next = renewSession(session, proofOf('alice'), clock.now() + 1)
    const running = store.replace(before, next)
    await store.end(session)
    const kept = await running
    assert.equal((await store.find(header)).kind, 'refused')
    const found = await store.find(header)
    assert.equal(found.kind === 'refused' && found.reason, 'ended')
    if (kept !== undefined) jar.take(kept.setCookies)
    assert.equal((await store.find(jar.header())).kind, 'refused')
    assert.equal(await store.replace(before, next), undefined)
    assert.equal((await store.find(header)).kind, 'refused')
    assert.equal((await again({}).find(header)).kind, 'refused', 'nor in a cache that never saw it')
  })

  each('ending one session leaves the others of the same person', async ({ login, find, store }) => {
    const first = await login()
    await login()
    await store.end(first)
    live(await find())
  })

  each('a mark for a person or a session at the provider ends what was created before it', async (world) => {
    const { login, find, state, jar, clock, store } = world
    const { identity, sid } = await login()
    live(await find())
    await state.revocations.endSubject(identity.issuer, 'somebody else', lifetimes.lifetime)
    live(await find())
    await state.revocations.endSubject(identity.issuer, identity.subject, lifetimes.lifetime)
    assert.equal((await find()).kind, 'refused')
    await clock.advance(1)
    const header = jar.header()
    await login()
    live(await find())
    assert.equal((await store.find(header)).kind, 'refused')
    await state.revocations.endProviderSession(identity.issuer, sid!, lifetimes.lifetime)
    assert.equal((await find()).kind, 'refused')
  })

  each(
    'clear removes every cookie of ours with the attributes it was set with',
    async ({ login, jar, store, spec }) => {
      await login(proofOf('alice', { groups: longGroups(20) }))
      jar.take([`${spec.names.second}=left-over; Path=/; Max-Age=60`])
      const lines = store.clear(jar.header())
      for (const line of lines) assert.match(line, /=; Path=\/; Max-Age=0; HttpOnly; Secure; SameSite=Lax$/)
      jar.take(lines)
      assert.equal(jar.header(), '')
    },
  )
}

function timesAndKeys(each: Each): void {
  each(
    'idle life is enforced here, moves with requests, and ends for good',
    async ({ login, find, clock, jar, again, state }) => {
      await login()
      for (let hour = 0; hour < 3; hour++) {
        await clock.advance(lifetimes.idle - 1)
        const found = await find()
        live(found)
        if (found.kind === 'live' && found.renewal !== undefined) jar.take(found.renewal())
        await settled(state)
      }
      await clock.advance(lifetimes.idle)
      const found = await find()
      assert.equal(found.kind === 'refused' && found.reason, 'expired')
      assert.equal((await find()).kind, 'refused')
      assert.equal((await again({}).find(jar.header(true))).kind, 'refused')
    },
  )

  each('another process sees the session as busy as it was', async ({ login, find, clock, jar, again, state }) => {
    await login()
    await clock.advance(lifetimes.idle / 2)
    const found = await find()
    if (found.kind === 'live' && found.renewal !== undefined) jar.take(found.renewal())
    await settled(state)
    await clock.advance(lifetimes.idle / 2 + minute)
    live(await again({}).find(jar.header()))
  })

  each('absolute life is enforced here, whatever the browser keeps', async ({ login, find, clock, jar, state }) => {
    await login()
    for (let passed = 0; passed < lifetimes.lifetime - minute; passed += 30 * minute) {
      const found = await find()
      live(found)
      if (found.kind === 'live' && found.renewal !== undefined) jar.take(found.renewal())
      await settled(state)
      await clock.advance(30 * minute)
    }
    assert.equal((await find()).kind, 'none', 'the browser dropped the cookie')
    assert.equal((await find()).kind, 'none')
    jar.keepExpired = true
    assert.equal((await find()).kind, 'refused')
  })

  each('a shorter lifetime in the file holds for sessions that are older', async ({ login, clock, jar, again }) => {
    await login()
    await clock.advance(10 * minute)
    const stricter = again({ lifetimes: { idle: 60 * minute, lifetime: 10 * minute } })
    assert.equal((await stricter.find(jar.header())).kind, 'refused')
  })

  each('rotation: an old key opens where it is listed, and nowhere else', async ({ login, jar, again }) => {
    await login()
    const alone = createSealingKeys([secrets[1]!])
    assert.equal((await again({ keys: alone }).find(jar.header())).kind, 'refused')
    const rotated = createSealingKeys([secrets[1]!, secrets[0]!])
    live(await again({ keys: rotated }).find(jar.header()))
  })
}

function tampering(each: Each): void {
  each('flip-every-byte, truncate, extend: no session, and the cookie goes', async ({ login, jar, again, spec }) => {
    await login()
    const header = jar.header()
    const store = again({})
    const start = spec.names.session.length + 1
    for (let at = start; at < header.length; at++) {
      for (const bit of [1, 2, 4, 8, 16, 32]) {
        const flipped = String.fromCharCode(header.charCodeAt(at) ^ bit)
        if (/[;,\s]/.test(flipped) || flipped.charCodeAt(0) < 32) continue
        await assertRefused(store, spec, header.slice(0, at) + flipped + header.slice(at + 1), `bit ${bit} of ${at}`)
      }
      await assertRefused(store, spec, header.slice(0, at), `cut at ${at}`)
    }
    for (const letter of base64url.replace(header.at(-1)!, '')) {
      await assertRefused(store, spec, header.slice(0, -1) + letter, `last character ${letter}`)
    }
    const value = header.slice(start)
    for (const more of ['A', 'AAAA', '=', '==', value, `.${value}`, '%00', '\u0000']) {
      await assertRefused(store, spec, header + more, `extended by ${more.slice(0, 9)}`)
    }
    live(await store.find(header))
  })

  each('quoted, percent-encoded and otherwise dressed values are not sessions', async ({ login, jar, again, spec }) => {
    await login()
    const { session } = spec.names
    const value = jar.get(session)
    const store = again({})
    const percent = [...value].map((letter) => `%${letter.charCodeAt(0).toString(16)}`).join('')
    const dressed = [
      `"${value}"`,
      `\\"${value}\\"`,
      `"a,${value}"`,
      percent,
      encodeURIComponent(percent),
      `1.${value}`,
      '',
    ]
    for (const text of dressed) await assertRefused(store, spec, `${session}=${text}`, text.slice(0, 20))
    assert.equal((await store.find(session)).kind, 'none', 'no equals sign')
    assert.equal((await store.find(`${session.toLowerCase()}=${value}`)).kind, 'none', 'another case')
  })

  each('two cookies of one name are refused, never merged; another case does not count', async (world) => {
    const { login, jar, store, spec } = world
    await login()
    const header = jar.header()
    const { session } = spec.names
    live(await store.find(header))
    await assertRefused(store, spec, `${header}; ${session}=x`, 'valid first')
    await assertRefused(store, spec, `${session}=x; ${header}`, 'valid last')
    await assertRefused(store, spec, `${header}; ${header}`, 'twice the same')
    await assertRefused(store, spec, `${header}, ${session}=x`, 'joined by a comma')
    live(await store.find(`${session.toLowerCase()}=x; ${header}`))
    live(await store.find(`$Version=1; $Path=/; ${header}`))
    live(await store.find(`theme=dark, ${header}`))
  })

  each('ids that would mean something to a store are nothing', async ({ again, spec }) => {
    const store = again({})
    const guess = `${'A'.repeat(32)}.${'A'.repeat(43)}`
    const odd = [guess, '*', 'a?b', 'a:b', '{tag}', '../../x', '\u0000', 'a\r\nDEL x', '__proto__', 'x'.repeat(100_000)]
    for (const text of odd) await assertRefused(store, spec, `${spec.names.session}=${text}`, text.slice(0, 20))
  })
}

function boundaries(each: Each): void {
  each('parts of two sessions make none', async ({ login, jar, again, spec }) => {
    await login()
    const a = jar.get(spec.names.session)
    await login(proofOf('bob'))
    const b = jar.get(spec.names.session)
    const store = again({})
    for (let cut = 1; cut < Math.min(a.length, b.length); cut++) {
      const mixed = a.slice(0, cut) + b.slice(cut)
      // Equal letters at the ends can make one of the two whole again.
      if (mixed === a || mixed === b) continue
      await assertRefused(store, spec, `${spec.names.session}=${mixed}`, `cut at ${cut}`)
    }
  })

  each('a cookie of another host, client or issuer is nothing here, even under one name', async (world) => {
    const { login, jar, store, again } = world
    await login()
    live(await store.find(jar.header()))
    const value = jar.header().slice(jar.header().indexOf('=') + 1)
    for (const other of [{ origin: 'https://b.example.com' }, { clientId: 'b' }, { issuer: 'https://b.example' }]) {
      const derived = createCookieSpec({ ...site, ...other })
      await assertRefused(again({ spec: derived }), derived, `${derived.names.session}=${value}`, JSON.stringify(other))
      const named = createCookieSpec({ ...site, ...other, override: createCookieSpec(site).names.session })
      await assertRefused(again({ spec: named }), named, jar.header(), `${JSON.stringify(other)} under one name`)
    }
  })

  each('a claim called __proto__ pollutes nothing', async ({ login, find, jar, again }) => {
    const claims = JSON.parse('{"__proto__":{"admin":true},"department":"x","deep":{"__proto__":{"admin":true}}}')
    await login(proofOf('alice', { claims }))
    for (const found of [await find(), await again({}).find(jar.header())]) {
      const { identity } = live(found).session
      assert.equal(identity.claims.department, 'x')
      assert.equal((identity.claims as Record<string, unknown>).admin, undefined)
      assert.equal((identity.claims.deep as Record<string, unknown>).admin, undefined)
      assert.equal(({} as Record<string, unknown>).admin, undefined)
    }
  })

  each('the cache is bounded by bytes, and what falls out is found again', async ({ state, again, clock }) => {
    const store = again({})
    const jars = await Promise.all(
      Array.from({ length: 40 }, async (_, number) => {
        const jar = new CookieJar(clock)
        jar.take(await store.create(createSession(proofOf(`person-${number}`), clock.now(), lifetimes)))
        return jar
      }),
    )
    for (const jar of [...jars, ...jars]) live(await store.find(jar.header()))
    assert.ok(store.cacheStatistics().bytes <= cacheBytes, `${store.cacheStatistics().bytes} bytes`)
    assert.ok(state.revocations)
  })
}

/** What stores under this contract are opened with. */
export const cacheBytes = 60_000

/** Writes that were started off the request have ended. */
async function settled({ kv }: SessionState): Promise<void> {
  // What was asked of the store before is answered before; one write may lead to the next.
  for (let round = 0; round < 3; round++) await kv.get('settled')
  await new Promise((resolve) => setImmediate(resolve))
}

export const longGroups = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, number) => `/departments/number-${number}/team`)

export type { MovableClock }
