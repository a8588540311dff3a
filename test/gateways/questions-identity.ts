/** Who the application believes is there: measured in what reached it. */
import assert from 'node:assert/strict'
import { subjectOf } from '../../src/dev/idp-users.ts'
import type { HeaderLine } from '../attacks/wire.ts'
import type { Received } from '../support/application.ts'
import { corpus } from '../support/corpus.ts'
import { signInAt } from '../support/gateway.ts'
import type { GatewayUnderTest } from './gateway-under-test.ts'
import { navigation, type Question } from './question.ts'

const names = ['x-auth-user', 'x-auth-subject', 'x-auth-email', 'x-auth-groups'] as const
const bob = ['bob', subjectOf('bob'), 'bob@example.com', '/staff']
const nobody = ['', '', '', '']

/** Every header that some reader takes for one of ours: any case, `_` as `-`. */
function believed({ rawHeaders }: Received): readonly (readonly string[])[] {
  const lines = rawHeaders.flatMap((name, i): HeaderLine[] => (i % 2 === 0 ? [[name, rawHeaders[i + 1]!]] : []))
  const folded = (name: string) => name.toLowerCase().replaceAll('_', '-')
  return names.map((name) => lines.filter(([own]) => folded(own) === name).map(([, value]) => value))
}

/** One line each; of nobody it may be missing or empty. */
function assertIdentity(received: Received, identity: readonly string[], what: string): void {
  const seen = believed(received)
  for (const [i, values] of seen.entries()) {
    assert.ok(values.length <= 1, `${what}: ${names[i]} reached the application ${values.length} times: ${values}`)
  }
  assert.deepEqual(
    seen.map(([value = '']) => value),
    identity,
    what,
  )
}

async function identityArrives(gateway: GatewayUnderTest): Promise<void> {
  const { world } = gateway
  const browser = world.browser()
  await signInAt(world, browser, 'zoë', '/x')
  const encoded = encodeURIComponent('zoë')
  const groups = `/staff,/${encodeURIComponent('größe')}`
  assertIdentity(world.application.last(), [encoded, subjectOf('zoë'), 'zoe@example.com', groups], 'zoë')
  await gateway.ask({ target: '/x', as: 'bob' })
  assertIdentity(world.application.last(), bob, 'bob')
  await gateway.ask({ target: '/public/x' })
  assertIdentity(world.application.last(), nobody, 'nobody')
}

const mallory = (...spellings: readonly string[]): HeaderLine[] => spellings.map((name) => [name, 'mallory'])

const forgeries: Readonly<Record<string, readonly HeaderLine[]>> = {
  plain: mallory('X-Auth-User', 'X-Auth-Subject', 'X-Auth-Email', 'X-Auth-Groups'),
  'lower case': mallory('x-auth-user', 'x-auth-groups'),
  'upper case': mallory('X-AUTH-USER', 'X-AUTH-GROUPS'),
  'odd case': mallory('x-aUtH-uSeR', 'X-auth-GROUPS'),
  twice: mallory('X-Auth-User', 'X-Auth-User', 'x-auth-user'),
  'an empty one before it': [['X-Auth-User', ''], ...mallory('X-Auth-User')],
  underscores: mallory('X_Auth_User', 'X_AUTH_GROUPS', 'x_auth_email'),
  'one underscore': mallory('X-Auth_User', 'X_Auth-Groups'),
  'named hop-by-hop': [['Connection', 'x-auth-user, x-auth-groups'], ...mallory('X-Auth-User', 'X-Auth-Groups')],
  'named hop-by-hop, and close': [['Connection', 'close, X-Auth-User, X-Auth-Subject, X-Auth-Email']],
  'our carriers named hop-by-hop': [['Connection', 'x-forwarded-uri, x-original-url, x-forwarded-method, cookie']],
}

const cases: readonly (readonly [what: string, headers: readonly HeaderLine[]])[] = [
  ...Object.entries(forgeries),
  ...corpus.headerSmuggling.map(({ name, value, also = [] }) => {
    const lines = [{ name, value }, ...also].map((line): HeaderLine => [line.name, line.value])
    return [`${name}: ${value}`, lines] as const
  }),
]

async function forgeriesFail(gateway: GatewayUnderTest): Promise<void> {
  const entitled: Readonly<Record<string, readonly string[]>> = { '/x?bob': bob, '/public/x': nobody }
  const asked = [{ target: '/x' }, { target: '/x?bob', as: 'bob' }, { target: '/public/x' }]
  await gateway.cookieOf('bob')
  let passed = 0
  for (const [what, headers] of cases) {
    const { reached } = await gateway.during(() =>
      Promise.all(asked.map((question) => gateway.tryToAsk({ ...question, headers }))),
    )
    for (const received of reached) {
      const identity = entitled[received.url]
      assert.ok(identity !== undefined, `${what}: ${received.url} reached the application`)
      assertIdentity(received, identity, `${what} at ${received.url}`)
    }
    passed += reached.length
  }
  assert.ok(passed > cases.length, 'a gateway that refuses everything has not been asked')
}

/** A gateway's own words in a client's mouth: what is asked about is what the application would get. */
async function wordsOfGatewaysFail(gateway: GatewayUnderTest): Promise<void> {
  const claims: HeaderLine[] = [
    ['X-Forwarded-Uri', '/public/x'],
    ['X-Forwarded-Method', 'OPTIONS'],
    ['X-Forwarded-Host', 'evil.example'],
    ['X-Forwarded-Proto', 'http'],
    ['X-Forwarded-Prefix', '/public'],
    ['X-Original-URL', `${gateway.origin}/public/x`],
    ['X-Original-URI', '/public/x'],
    ['X-Original-Method', 'OPTIONS'],
    ['X-Rewrite-URL', '/public/x'],
    ['X-Envoy-Original-Path', '/public/x'],
    ['X_Forwarded_Uri', '/public/x'],
    ['Path', '/public/x'],
    ['Method', 'OPTIONS'],
    ['Forwarded', 'host=evil.example;proto=http;for=203.0.113.9'],
  ]
  const { reached } = await gateway.during(async () => {
    for (const claim of claims) {
      for (const headers of [[claim], [claim, claim]]) {
        const answer = await gateway.tryToAsk({ target: '/x', headers })
        assert.notEqual(answer?.status, 200, claim[0])
        assert.notEqual((await gateway.tryToAsk({ target: '/admin/x', headers, as: 'bob' }))?.status, 200, claim[0])
      }
    }
    await gateway.tryToAsk({ target: '/x', headers: claims })
  })
  assert.deepEqual(reached, [])
}

async function addressIsMeasured(gateway: GatewayUnderTest): Promise<void> {
  assert.equal((await gateway.ask({ target: '/here/x', as: 'bob' })).status, 200)
  assert.equal((await gateway.ask({ target: '/here/x', as: 'bob', from: '127.0.0.3' })).status, 403)
  const claims: HeaderLine[][] = [
    [['X-Forwarded-For', '203.0.113.9']],
    [
      ['X-Forwarded-For', '203.0.113.9'],
      ['X-Forwarded-For', '203.0.113.9, 127.0.0.1'],
    ],
    [
      ['X-Real-IP', '203.0.113.9'],
      ['True-Client-IP', '203.0.113.9'],
      ['X_Forwarded_For', '203.0.113.9'],
    ],
    [['Connection', 'x-forwarded-for']],
  ]
  const { reached } = await gateway.during(async () => {
    for (const headers of claims) {
      const answer = await gateway.tryToAsk({ target: '/office/x', headers, as: 'bob' })
      assert.notEqual(answer?.status, 200, JSON.stringify(headers))
    }
  })
  assert.deepEqual(reached, [])
}

async function originIsHeard(gateway: GatewayUnderTest): Promise<void> {
  const post = (headers: readonly HeaderLine[]) =>
    gateway.ask({
      method: 'POST',
      target: '/order',
      as: 'bob',
      headers: [['Content-Length', '1'], ...headers],
      body: 'x',
    })
  assert.equal((await post([['Origin', gateway.origin]])).status, 200)
  assert.equal((await post([['Sec-Fetch-Site', 'same-origin']])).status, 200)
  for (const headers of [
    [['Origin', 'https://evil.example']],
    [['Origin', 'null']],
    [['Sec-Fetch-Site', 'cross-site']],
    [],
  ] as HeaderLine[][]) {
    const { result, reached } = await gateway.during(() => post(headers))
    assert.equal(result.status, 403, JSON.stringify(headers))
    assert.equal(reached.length, 0)
  }
  assert.ok(await beginsLogin(gateway, navigation))
  assert.ok(!(await beginsLogin(gateway, [...navigation, ['Sec-Purpose', 'prefetch']])), 'a prefetch begins no login')
  assert.ok(
    !(await beginsLogin(gateway, [...navigation.slice(0, 2), ['Sec-Fetch-Dest', 'iframe']])),
    'nor does a frame',
  )
}

/** Follows the way to the sign-in as far as it is ours. */
async function beginsLogin(gateway: GatewayUnderTest, headers: readonly HeaderLine[]): Promise<boolean> {
  let target = '/x'
  for (let hops = 0; hops < 4; hops++) {
    const location = (await gateway.ask({ target, headers })).header('location')
    if (location === undefined) return false
    if (location.startsWith(gateway.world.issuer)) return true
    target = location.slice(gateway.origin.length)
  }
  throw new Error('redirects without end')
}

export const identityQuestions: readonly Question[] = [
  { name: 'The application gets the identity headers, right', answer: identityArrives },
  { name: 'Forged identity headers are never believed, however spelled', answer: forgeriesFail },
  { name: 'A client that speaks like a gateway is not listened to', answer: wordsOfGatewaysFail },
  { name: 'The client’s address is measured, not claimed', answer: addressIsMeasured },
  { name: '`Origin` and `Sec-Fetch-*` reach Doorward', answer: originIsHeard },
]
