/** The list `cookieTampering` through the whole gateway, for both stores: a cookie that is not quite ours is nobody's. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { corpus } from '../support/corpus.ts'
import { ask, bytesOf, type HeaderLine, send } from './wire.ts'
import { cookiesOf, navigation, openWorld, origin, request, type World } from './world.ts'

const routes =
  '  - { path: /public/*, allow: public, upstream: "{upstream}" }\n  - { allow: signedIn, upstream: "{upstream}" }'
const second = 'other.example.com'

/** Names of the list that are tried elsewhere, or that no server can try. */
const elsewhere: Record<string, string> = {
  'chunk-stale': 'test/session/sealed.test.ts: a session that shrinks',
  'old-key': 'test/contracts/session-store.ts: rotation',
  'padding-oracle':
    'AES-GCM alone, no padding: test/keys. That sealed cookies are refused alike is tried here with each attack',
  'nonce-reuse': 'test/keys/sealing.test.ts',
  'store-other-user': 'test/contracts/session-store.ts: a record is bound to its id',
  'domain-wide': 'a browser keeps such a cookie out by the __Host- name: test/dev/cookie-jar.test.ts',
  'upstream-overwrites': 'test/attacks/upstream-answers.test.ts',
  'samesite-none-iframe':
    'a browser withholds the cookie; what it sends is tried in gateways.test.ts (a frame, a foreign origin)',
  prototype: 'test/contracts/session-store.ts: a claim called __proto__',
}

interface Scene {
  readonly name: string
  /** Value of alice's, and of bob's, first cookie. */
  readonly a: string
  readonly b: string
  /** Both cookies of a session too large for one; `cookie` store alone. */
  readonly wide: { readonly a: readonly [string, string]; readonly b: readonly [string, string] } | undefined
  readonly world: World
}

const both = (name: string, [one, two]: readonly [string, string]) => `${name}=${one}; ${name}-2=${two}`

/** Cookie headers that must all be nobody's. */
const attacks: Record<string, (scene: Scene) => readonly string[] | Promise<readonly string[]>> = {
  'flip-every-byte': ({ name, a }) =>
    sample(a.length, 150).map((at) => `${name}=${a.slice(0, at)}${a[at] === 'A' ? 'B' : 'A'}${a.slice(at + 1)}`),
  truncate: ({ name, a }) => sample(a.length, 100).map((length) => `${name}=${a.slice(0, length)}`),
  extend: ({ name, a }) => ['A', 'AAAA', '=', '==', '.', a, `.${a}`].map((more) => `${name}=${a}${more}`),
  'no-equals': ({ name, a }) => [name, `${name};`, `${name} `, `=${a}`, a],
  'swap-users': ({ name, a, b }) =>
    [20, 43, 60, Math.floor(a.length / 2)].map((at) => `${name}=${a.slice(0, at)}${b.slice(at)}`),
  'swap-parts': ({ name, wide }) =>
    wide === undefined ? [] : [both(name, [wide.a[0], wide.b[1]]), both(name, [wide.b[0], wide.a[1]])],
  'chunk-extra': ({ name, a, wide }) => [
    ...(wide === undefined
      ? []
      : [`${both(name, wide.a)}${wide.a[1]}`, `${name}=${wide.a[0]}`, `${name}-2=${wide.a[1]}`]),
    ...['0', '-1', '1000000000', '01', '1.5'].map((count) => `${name}=${count}.${a}`),
  ],
  'chunk-reorder': ({ name, wide }) => (wide === undefined ? [] : [both(name, [wide.a[1], wide.a[0]])]),
  'cookie-of-other-app': async ({ name, world }) => {
    const store = world.server.config.session.store === 'cookie' ? 'cookie' : 'memory'
    const other = await openWorld({ routes, store })
    const cookie = await other.signIn()
    await other.close()
    return [cookie, `${name}=${valueIn(cookie)}`]
  },
  'cookie-of-other-host': async ({ name, world }) => {
    const cookie = await world.signIn(second)
    return [cookie, `${name}=${valueIn(cookie)}`]
  },
  'alg-downgrade': ({ name, a }) =>
    [...'ABCDEFGHIJ0_-']
      .filter((letter) => letter !== a[0])
      .flatMap((letter) => [
        `${name}=${letter}${a.slice(1)}`,
        `${name}=${a[0]}${letter === a[1] ? 'z' : letter}${a.slice(2)}`,
      ]),
  'session-id-guess': ({ name, a }) => [
    `${name}=${'A'.repeat(a.length)}`,
    `${name}=${a.slice(0, 7)}${'x'.repeat(a.length - 7)}`,
  ],
  'session-id-injection': ({ name, a }) =>
    [
      '*',
      '?',
      ':',
      '{}',
      '../',
      '%0d%0a',
      '__proto__',
      'constructor',
      `${'a'.repeat(6000)}`,
      `{${a}}`,
      `*${a}`,
      `${a}*`,
    ].map((value) => `${name}=${value}`),
  'duplicate-name': ({ name, a }) => [
    `${name}=x; ${name}=${a}`,
    `${name}=${a}; ${name}=x`,
    `${name}=${a}; ${name}=${a}`,
  ],
  'duplicate-case': ({ name, a }) => [`${name.toLowerCase()}=${a}`, `${name.toUpperCase()}=${a}`],
  quoted: ({ name, a }) => [`${name}="${a}"`, `${name}="\\"${a}"`, `x="y; ${name}-2=z"; ${name}="${a}"`],
  percent: ({ name, a }) => [`${name}=%${hex(a[0]!)}${a.slice(1)}`, `${name}=%25${hex(a[0]!)}${a.slice(1)}`],
  'fixation-preset': ({ name }) => [`${name.replace('__Host-Http-', '')}=preset`, `${name.slice(2)}=preset`],
}

const hex = (letter: string) => letter.charCodeAt(0).toString(16)
const valueIn = (cookie: string) => /=([^;]*)/.exec(cookie)![1]!
const sample = (length: number, count: number) =>
  Array.from({ length: count }, (_, index) => Math.floor((index * length) / count))

/** Names that are a story, told below. */
const stories = [
  'expired',
  'never-expires',
  'after-logout',
  'dollar-version',
  'cookie-bomb',
  'header-64k',
  'many-transactions',
  'csrf-cookie-other',
  'set-cookie-dup',
]

test('every name of the list is tried, or says where', () => {
  const here = [...Object.keys(attacks), ...Object.keys(elsewhere), ...stories]
  assert.deepEqual(here.toSorted(), corpus.cookieTampering.map(({ name }) => name).toSorted())
})

for (const store of ['memory', 'cookie'] as const) {
  describe(`store ${store}`, () => {
    let world: World
    let scene: Scene
    const get = (target: string, cookie: string, headers: readonly HeaderLine[] = navigation) =>
      ask(world.port, request(target, { headers, cookie }))

    before(async () => {
      world = await openWorld({ routes, store, publicUrl: `[${origin}, https://${second}]` })
      const as = async (username: string, groups: readonly string[]) => {
        world.rogue.person = { ...world.rogue.person, sub: `${username}-id`, preferred_username: username, groups }
        return world.signIn()
      }
      const many = Array.from({ length: 8 }, (_, index) => `/departments/number-${index * 7919}/team`)
      const parts = (cookie: string): [string, string] => {
        const [one = '', two = ''] = cookie.split('; ').map(valueIn)
        return [one, two]
      }
      const wideA = parts(await as('alice', many))
      const wideB = parts(await as('bob', many.toReversed()))
      const b = valueIn(await as('bob', []))
      const cookie = await as('alice', [])
      const name = cookie.slice(0, cookie.indexOf('='))
      const wide = store === 'cookie' ? { a: wideA, b: wideB } : undefined
      scene = { name, a: valueIn(cookie), b, wide, world }
      assert.equal((await get('/x', `${name}=${scene.a}`)).status, 200)
      if (wide) assert.equal((await get('/x', both(name, wide.a))).status, 200)
    })
    after(() => world.close())

    for (const [what, cookiesFor] of Object.entries(attacks)) {
      test(`${what}: no session, for people and for programs`, async () => {
        for (const cookie of await cookiesFor(scene)) {
          const { result, seen } = await world.watch(() => Promise.all([get('/x', cookie), get('/x', cookie, [])]))
          assert.deepEqual([result.map(({ status }) => status), seen.length], [[302, 401], 0], cookie.slice(0, 200))
          // A sealed cookie never tells which check it failed; an id in the right form may have been one yesterday.
          const { error } = JSON.parse(result[1]!.body)
          if (store === 'cookie') assert.equal(error, 'not_signed_in')
          else assert.match(error, /^(?:not_signed_in|session_expired)$/)
        }
        assert.deepEqual(world.errors(), [])
        assert.equal((await get('/x', `${scene.name}=${scene.a}`)).status, 200, 'the honest one is unharmed')
      })
    }

    test('what is broken is cleared', async () => {
      const answer = await get('/x', `${scene.name}=${scene.a}A`)
      assert.ok(answer.all('set-cookie').some((line) => line.startsWith(`${scene.name}=;`) && /max-age=0/i.test(line)))
      assert.match(answer.header('cache-control') ?? '', /no-store/)
    })

    test('dollar-version: RFC 2965 is not spoken, and does no harm', async () => {
      const answer = await get('/x', `$Version=1; $Path=/; ${scene.name}=${scene.a}`)
      assert.equal(answer.status, 200, 'the cookie of exactly our name is read, the rest is left alone')
      assert.equal((await get('/x', `$Version=1; $Path="/; ${scene.name}=x"; ${scene.name}=${scene.a}`)).status, 302)
    })

    test('many-transactions: five logins at most, and never too large a header', async () => {
      const jar = new Map<string, string>()
      for (let count = 0; count < 500; count++) {
        const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
        const answer = await get(`/_doorward/login?rd=/${'x'.repeat(count < 250 ? 0 : 300)}`, cookie)
        assert.equal(answer.status, 302, `login ${count}`)
        for (const line of answer.all('set-cookie')) {
          const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line)!
          if (/max-age=0/i.test(line)) jar.delete(name)
          else jar.set(name, value)
        }
        assert.ok(jar.size <= 5, `${jar.size} flows`)
      }
    })

    test('csrf-cookie-other: the state of one tab with the cookie of another is no login', async () => {
      const [one, two] = [await get('/_doorward/login?rd=/a', ''), await get('/_doorward/login?rd=/b', '')]
      const back = world.rogue.authorize(new URL(one.header('location')!))
      const calls = world.rogue.calls.token
      const answer = await get(back.pathname + back.search, cookiesOf(two))
      assert.equal(answer.status, 400)
      assert.equal(answer.all('set-cookie').filter((line) => line.startsWith(`${scene.name}=`)).length, 0)
      assert.equal(world.rogue.calls.token, calls, 'the code was not redeemed')
    })

    test('set-cookie-dup: one line per name, all attributes, never stored', async () => {
      const left = await get('/_doorward/login?rd=/', '')
      const back = world.rogue.authorize(new URL(left.header('location')!))
      const arrived = await get(back.pathname + back.search, cookiesOf(left))
      for (const answer of [left, arrived]) {
        const lines = answer.all('set-cookie')
        assert.equal(new Set(lines.map((line) => line.split('=', 1)[0])).size, lines.length)
        for (const line of lines) {
          for (const attribute of [/; Path=\//i, /; Secure/i, /; HttpOnly/i, /; SameSite=Lax/i])
            assert.match(line, attribute)
          assert.doesNotMatch(line, /domain/i)
        }
        assert.match(answer.header('cache-control') ?? '', /no-store/)
      }
    })

    test('cookie-bomb, header-64k: 431, the connection ends, and the next request is served', async () => {
      for (const cookie of [
        'x'.repeat(65_536),
        Array.from({ length: 180 }, (_, n) => `c${n}=${'y'.repeat(4096)}`).join('; '),
      ]) {
        const asked = request('/x', { cookie: `${scene.name}=${scene.a}; ${cookie}` })
        const { result, seen } = await world.watch(() => send(world.port, bytesOf(asked)))
        assert.ok(result.ended === 'reset' || result.answers[0]?.status === 431, result.text.slice(0, 100))
        assert.equal(seen.length, 0)
      }
      assert.equal((await get('/x', `${scene.name}=${scene.a}`)).status, 200)
    })

    test('after-logout: what was captured before is worth nothing, at any door', async () => {
      const captured = await world.signIn()
      assert.equal((await get('/x', captured)).status, 200)
      assert.equal((await get('/_doorward/logout', captured)).status, 303)
      for (const headers of [navigation, []]) assert.notEqual((await get('/x', captured, headers)).status, 200)
      assert.equal((await get('/_doorward/session', captured)).status, 401)
      assert.equal((await get('/_doorward/renew', captured)).header('location')?.includes('/login'), true)
    })

    test('expired, never-expires: the server counts, however long the browser keeps it', async () => {
      const cookie = await world.signIn()
      world.clock.advance(13 * 3_600_000)
      assert.deepEqual([(await get('/x', cookie)).status, (await get('/x', cookie, [])).status], [302, 401])
      const fresh = await world.signIn()
      world.clock.advance(61 * 60_000)
      assert.equal((await get('/x', fresh)).status, 302, 'idle')
      assert.deepEqual(world.errors(), [])
    })
  })
}
