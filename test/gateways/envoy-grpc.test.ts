/** Envoy asking over gRPC, with the file of its page: the questions of all gateways, and what only gRPC can do. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { minutes } from '../support/clock.ts'
import { signInAt } from '../support/gateway.ts'
import { requirePart } from '../support/real-part.ts'
import { envoyGrpc, envoyGrpcMap, envoyGrpcOpen } from './envoy-grpc.ts'
import type { GatewayProduct } from './gateway-product.ts'
import { type GatewayUnderTest, startGatewayUnderTest } from './gateway-under-test.ts'
import { navigation, type Question } from './question.ts'
import { failureQuestions } from './questions-failure.ts'
import { identityQuestions } from './questions-identity.ts'
import { pathQuestions } from './questions-paths.ts'
import { signInQuestions } from './questions-sign-in.ts'
import { streamQuestions } from './questions-streams.ts'

/** What the application got of one request. */
async function receivedOf(gateway: GatewayUnderTest, question: Parameters<GatewayUnderTest['ask']>[0]) {
  const { result, reached } = await gateway.during(() => gateway.ask(question))
  assert.equal(result.status, 200, result.body)
  assert.equal(reached.length, 1)
  return { answer: result, headers: reached[0]!.headers }
}

async function credentialsStay(gateway: GatewayUnderTest): Promise<void> {
  const cookie = await gateway.cookieOf('bob')
  const bare = await receivedOf(gateway, { target: '/x', cookie })
  assert.equal(bare.headers.cookie, undefined)
  assert.equal(bare.headers['x-auth-user'], 'bob')
  const among = await receivedOf(gateway, { target: '/x', cookie: `theme=dark; ${cookie}; lang=de` })
  assert.equal(among.headers.cookie, 'theme=dark; lang=de')
  const lines = await receivedOf(gateway, { target: '/x', cookie, headers: [['Cookie', 'theme=dark']] })
  assert.equal(lines.headers.cookie, 'theme=dark')
  const open = await receivedOf(gateway, { target: '/public/x', cookie, headers: [['Authorization', 'Basic eDp5']] })
  assert.deepEqual([open.headers.cookie, open.headers.authorization], [undefined, undefined])
}

async function sealedSessionsRenewAtOnce(gateway: GatewayUnderTest, t: TestContext): Promise<void> {
  const world = await gateway.exchange(t, { store: 'cookie' })
  const browser = world.browser()
  await signInAt(world, browser, 'bob', '/x')
  world.clock.move(20 * minutes)
  gateway.world.application.on('/own', (_request, response) => {
    response.writeHead(200, { 'set-cookie': ['a=1', 'b=2'] }).end()
  })
  const visit = await browser.fetch(`${gateway.origin}/own`)
  assert.equal(visit.status, 200)
  const names = visit.setCookies.map(({ header }) => header.split('=', 1)[0]!)
  assert.deepEqual(names.filter((name) => name.length === 1).sort(), ['a', 'b'], 'those of the application stay')
  assert.ok(
    names.some((name) => name.startsWith('__Host-Http-dw-')),
    `ours comes with it: ${names}`,
  )
  const next = await browser.fetch(`${gateway.origin}/x`)
  assert.equal(next.status, 200)
  assert.deepEqual(next.setCookies, [], 'and was good')
}

async function everyCookieOfARefusalArrives(gateway: GatewayUnderTest): Promise<void> {
  const cookie = await gateway.cookieOf('bob')
  const names = cookie.split('; ').map((pair) => pair.split('=', 1)[0]!)
  const broken = names.map((name) => `${name}=${'A'.repeat(80)}`).join('; ')
  const answer = await gateway.ask({ target: '/x', cookie: broken, headers: navigation })
  assert.equal(answer.status, 302)
  assert.equal(answer.all('location').length, 1)
  assert.match(answer.header('cache-control') ?? '', /no-store/)
  const cleared = answer.all('set-cookie')
  assert.ok(cleared.length > 0)
  for (const line of cleared) assert.match(line, /^[^=]+=; .*Max-Age=0/i)
}

const own: readonly Question[] = [
  { name: 'Our cookies and the client’s Authorization stay outside', answer: credentialsStay },
  { name: 'A sealed session is renewed with the answer itself', answer: sealedSessionsRenewAtOnce },
  { name: 'A refusal clears what it has to', answer: everyCookieOfARefusalArrives },
]

const everywhere: readonly Question[] = [...signInQuestions, ...identityQuestions, ...streamQuestions, ...own]
const suites: readonly (readonly [GatewayProduct, readonly Question[]])[] = [
  [envoyGrpc, [...everywhere, ...pathQuestions, ...failureQuestions]],
  [envoyGrpcMap, everywhere],
]

for (const [product, questions] of suites) {
  test(product.name, async (t) => {
    const command = requirePart(t, product.part)
    if (command === undefined) return
    const gateway = await startGatewayUnderTest(t, product, command)
    for (const { name, answer } of questions) await t.test(name, { timeout: 30_000 }, (t) => answer(gateway, t))
  })
}

/** Whatever goes wrong inside Doorward is a no, and not a failed call that a file like this lets pass. */
test(envoyGrpcOpen.name, async (t) => {
  const command = requirePart(t, envoyGrpcOpen.part)
  if (command === undefined) return
  const gateway = await startGatewayUnderTest(t, envoyGrpcOpen, command)
  await t.test('Envoy is no trusted proxy', async (t) => {
    await gateway.exchange(t, { config: { trustedProxies: ['192.0.2.1'] } })
    const { result, reached } = await gateway.during(() => gateway.ask({ target: '/public/x' }))
    assert.deepEqual([result.status, reached.length], [403, 0])
  })
  await t.test('more headers than Doorward reads', async (t) => {
    await gateway.exchange(t, { config: { limits: { headerBytes: '8KiB' } } })
    const headers = [['X-Long', 'x'.repeat(9000)] as const]
    const { result, reached } = await gateway.during(() => gateway.ask({ target: '/public/x', headers }))
    assert.deepEqual([result.status, reached.length], [403, 0])
  })
})
