/** The list `forwardedHost`: addresses, cookies and redirects come from the file, whatever a header calls us. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { gatewayWires } from '../contracts/gateway-wires.ts'
import { corpus } from '../support/corpus.ts'
import { bytesOf, type HeaderLine, type RawAnswer, send } from './wire.ts'
import { host, navigation, openWorld, origin, request, type World } from './world.ts'

let world: World
let session: string
before(async () => {
  world = await openWorld({ routes: '  - { allow: signedIn, upstream: "{upstream}" }' })
  session = await world.signIn()
})
after(() => world.close())

const places: Record<string, (value: string) => HeaderLine[]> = {
  Host: (value) => [['Host', value]],
  'X-Forwarded-Host': (value) => [
    ['Host', host],
    ['X-Forwarded-Host', value],
  ],
  'X-Forwarded-Host twice': (value) => [
    ['Host', host],
    ['X-Forwarded-Host', value],
    ['X-Forwarded-Host', host],
  ],
  Forwarded: (value) => [
    ['Host', host],
    ['Forwarded', `for=127.0.0.1;host="${value}";proto=https`],
  ],
  'X-Host': (value) => [
    ['Host', host],
    ['X-Host', value],
    ['X-Forwarded-Server', value],
    ['X-HTTP-Host-Override', value],
    ['X-Original-Host', value],
  ],
}
const targets = ['/x', '/_doorward/login?rd=/x', '/_doorward/logout', '/_doorward/session']

/** Where an answer may send people: ours as the file has it, and the provider's. */
function judge(answer: RawAnswer, what: string): void {
  assert.ok(answer.status < 500, `${what}: ${answer.status}`)
  for (const location of answer.all('location')) {
    const to = new URL(location)
    if (to.origin === new URL(world.rogue.issuer).origin) {
      const back = to.searchParams.get('redirect_uri') ?? to.searchParams.get('post_logout_redirect_uri')
      assert.ok(back?.startsWith(`${origin}/_doorward/`), `${what}: ${location}`)
    } else {
      assert.equal(to.origin, origin, `${what}: ${location}`)
      assert.doesNotMatch(to.searchParams.get('rd') ?? `${origin}/`, /^https?:\/\/(?!app\.example\.com\/)/, what)
    }
  }
}

/** And it names nobody else anywhere. */
function judgeWhole(answer: RawAnswer, what: string): void {
  judge(answer, what)
  for (const cookie of answer.all('set-cookie')) {
    assert.match(cookie, /^__Host-Http-dw-[\da-f]{8}/, what)
    assert.doesNotMatch(cookie, /domain=/i, what)
  }
  // Within a sealed value or a random one, chance spells any four letters now and then.
  const foreign = /(?<![\w-]{6})(?:evil|jndi)|<script|X-Injected/
  assert.doesNotMatch(answer.body + JSON.stringify(answer.headers), foreign, what)
}

for (const from of ['127.0.0.1', '127.0.0.2']) {
  describe(from === '127.0.0.1' ? 'from a peer we trust' : 'from a peer nobody trusts', () => {
    for (const [place, headersFor] of Object.entries(places)) {
      test(place, async () => {
        for (const value of corpus.forwardedHost) {
          for (const target of targets) {
            const bytes = bytesOf({ target, headers: [...headersFor(value), ...navigation] })
            const { result, seen } = await world.watch(() => send(world.port, bytes, { answers: 1, from }))
            const what = `${target} ${JSON.stringify(value)}`
            assert.ok(result.answers[0] !== undefined, `${what} ${result.ended}`)
            judgeWhole(result.answers[0], what)
            assert.equal(seen.length, 0, `${what} reached the upstream`)
          }
        }
        assert.deepEqual(world.errors(), [])
      })
    }

    test('signed in: the upstream is told the name of the file, or nothing', async () => {
      for (const [place, headersFor] of Object.entries(places)) {
        for (const value of corpus.forwardedHost) {
          const bytes = bytesOf({ target: '/x', headers: [...headersFor(value), ['Cookie', session]] })
          const { seen } = await world.watch(() => send(world.port, bytes, { answers: 1, from }))
          for (const { headers } of seen) {
            for (const [name, said] of headers) {
              if (/host/i.test(name)) assert.equal(said.toLowerCase(), host, `${place} ${value}`)
              assert.doesNotMatch(said, /evil/, `${place} ${value}`)
            }
          }
        }
      }
    })
  })
}

test('to an ingress: another host is no, and is never where people are sent', async () => {
  for (const gateway of gatewayWires) {
    for (const value of corpus.forwardedHost.filter((each) => !/[\r\n]/.test(each))) {
      const question = gateway.ask({ host: value, uri: '/x', headers: navigation })
      const { answers } = await send(world.forwardAuthPort, bytesOf(question), { answers: 1 })
      assert.notEqual(answers[0]?.status, 200)
      if (answers[0] !== undefined) judge(answers[0], `${gateway.name} ${JSON.stringify(value)}`)
    }
  }
})

test('our pages are served at our own address alone', async () => {
  for (const target of ['/_doorward/login', '/_doorward/session', '/_doorward/renew', '/_doorward/callback?state=x']) {
    const own = await send(world.port, bytesOf(request(target, { headers: navigation })))
    assert.notEqual(own.answers[0]?.status, 421)
    for (const foreign of ['evil.com', 'app.example.com:8443', 'app.example.com.', 'localhost']) {
      const bytes = bytesOf({ target, headers: [['Host', foreign], ...navigation] })
      const [answer] = (await send(world.port, bytes)).answers
      assert.equal(answer?.status, 421, `${target} at ${foreign}`)
      assert.equal(answer?.header('set-cookie'), undefined)
    }
  }
})

describe('X-Forwarded-Host and X-Forwarded-Proto', () => {
  const ask = async (from: string, headers: readonly HeaderLine[]) => {
    const bytes = bytesOf({ target: '/x', headers: [...headers, ['Cookie', session]] })
    const { result, seen } = await world.watch(() => send(world.port, bytes, { answers: 1, from }))
    return [result.answers[0]?.status, seen[0]?.headers.find(([name]) => name === 'X-Forwarded-Proto')?.[1]]
  }

  test('are the word of a peer we trust', async () => {
    assert.deepEqual(
      await ask('127.0.0.1', [
        ['Host', 'gw.internal'],
        ['X-Forwarded-Host', host],
      ]),
      [200, 'https'],
    )
    assert.deepEqual(
      await ask('127.0.0.1', [
        ['Host', host],
        ['X-Forwarded-Host', 'evil.com'],
      ]),
      [421, undefined],
    )
    assert.deepEqual(
      await ask('127.0.0.1', [
        ['Host', host],
        ['X-Forwarded-Proto', 'http'],
      ]),
      [401, undefined],
    )
    assert.deepEqual(
      await ask('127.0.0.1', [
        ['Host', host],
        ['X-Forwarded-Proto', 'https, http'],
      ]),
      [400, undefined],
    )
  })

  test('are no word at all of anybody else', async () => {
    assert.deepEqual(
      await ask('127.0.0.2', [
        ['Host', 'evil.com'],
        ['X-Forwarded-Host', host],
      ]),
      [421, undefined],
    )
    assert.deepEqual(
      await ask('127.0.0.2', [
        ['Host', host],
        ['X-Forwarded-Host', 'evil.com'],
      ]),
      [200, 'https'],
    )
    assert.deepEqual(
      await ask('127.0.0.2', [
        ['Host', host],
        ['X-Forwarded-Proto', 'http'],
      ]),
      [200, 'https'],
    )
  })
})
