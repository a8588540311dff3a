/** Signing in and out through a gateway, and who is turned away how. */
import assert from 'node:assert/strict'
import { type Browser, type Hop, signIn } from '../support/browser.ts'
import { minutes } from '../support/clock.ts'
import { signInAt } from '../support/gateway.ts'
import { cookieHeader, type GatewayUnderTest } from './gateway-under-test.ts'
import type { Question } from './question.ts'

const address = '/reports/q3?from=2026-01-01&to=a%2Fb%26c&empty=&n=%C3%A9'

async function landsWhereItBegan(gateway: GatewayUnderTest): Promise<void> {
  const browser = gateway.world.browser()
  const page = await browser.navigate(gateway.origin + address)
  assert.match(page.text, /Who are you today/)
  const { result: visit, reached } = await gateway.during(() => signIn(browser, page, 'bob'))
  assert.equal(visit.status, 200, visit.text)
  assert.equal(visit.url, gateway.origin + address)
  assert.deepEqual(
    reached.map(({ url }) => url),
    [address],
  )
}

/** Where a script is led, a fetch follows; it must come to a 401 that can be read. */
async function scriptsGet401(gateway: GatewayUnderTest): Promise<void> {
  const browser = gateway.world.browser()
  const { result: answer, reached } = await gateway.during(() => fetched(browser, `${gateway.origin}/api/items?x=1`))
  assert.equal(answer.status, 401)
  assert.match(answer.headers.get('content-type') ?? '', /^application\/json/)
  const { error } = JSON.parse(answer.body)
  assert.equal(typeof error, 'string')
  assert.equal(reached.length, 0)
}

async function fetched(browser: Browser, url: string, hops = 0): Promise<Awaited<ReturnType<Browser['fetch']>>> {
  const visit = await browser.fetch(url, { headers: { accept: 'application/json' } })
  const location = visit.headers.get('location')
  if (location === null || visit.status < 300 || visit.status > 399) return visit
  assert.ok(hops < 2, 'a script goes round in circles')
  return fetched(browser, new URL(location, url).href, hops + 1)
}

async function forbiddenIsNoLoop(gateway: GatewayUnderTest): Promise<void> {
  const browser = gateway.world.browser()
  await signInAt(gateway.world, browser, 'bob')
  const { result: visit, reached } = await gateway.during(() => browser.navigate(`${gateway.origin}/admin/users`))
  assert.equal(visit.status, 403)
  assert.equal(visit.hops.length, 1)
  assert.equal(reached.length, 0)
  const script = await browser.fetch(`${gateway.origin}/admin/users`)
  assert.equal(script.status, 403)
  const admin = gateway.world.browser()
  assert.equal((await signInAt(gateway.world, admin, 'ada', '/admin/users')).status, 200)
}

async function signOutIsForGood(gateway: GatewayUnderTest): Promise<void> {
  const browser = gateway.world.browser()
  await signInAt(gateway.world, browser, 'bob', '/x')
  const cookie = cookieHeader(browser, gateway.origin)
  assert.equal((await gateway.ask({ target: '/x', cookie })).status, 200)
  const visit = await browser.navigate(gateway.world.own('logout'), { from: gateway.origin, form: {} })
  assert.match(visit.text, /You are signed out/)
  const { reached } = await gateway.during(async () => {
    assert.ok([302, 401].includes((await gateway.ask({ target: '/x', cookie })).status))
    assert.match((await browser.navigate(`${gateway.origin}/x`)).text, /Who are you today/)
  })
  assert.equal(reached.length, 0)
}

async function allowedNeedsNoCookie(gateway: GatewayUnderTest): Promise<void> {
  const { world } = gateway
  const browser = world.browser()
  await signInAt(world, browser, 'bob', '/x')
  // Idle is an hour: what slides it is at the server, nothing the browser has to take.
  for (let i = 0; i < 3; i++) {
    world.clock.move(40 * minutes)
    for (const visit of [await browser.fetch(`${gateway.origin}/x`), await browser.navigate(`${gateway.origin}/x`)]) {
      assert.equal(visit.status, 200, `after ${40 * (i + 1)} minutes`)
      assert.deepEqual(visit.setCookies, [])
      assert.equal(visit.hops.length, 1)
    }
  }
}

const headBytes = ({ headers }: Hop): number =>
  [...headers].reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0)

/** A sealed session is the largest head there is. It is also renewed on the way: on a navigation, by one hop. */
const sealedSessions: Question = {
  name: 'Sealed sessions (`store: cookie`) pass and are renewed, with heads under 4 KiB',
  async answer(gateway, t) {
    const world = await gateway.exchange(t, { store: 'cookie' })
    const browser = world.browser()
    const page = await browser.navigate(gateway.origin + address)
    const landed = await signIn(browser, page, 'zoë')
    assert.equal(landed.url, gateway.origin + address)
    const before = cookieHeader(browser, gateway.origin)
    world.clock.move(20 * minutes)
    assert.equal((await browser.fetch(`${gateway.origin}/x`)).status, 200, 'a script goes on as it is')
    const renewed = await browser.navigate(gateway.origin + address)
    assert.equal(renewed.url, gateway.origin + address)
    assert.equal(renewed.status, 200)
    assert.notEqual(cookieHeader(browser, gateway.origin), before)
    for (const hop of [...page.hops, ...landed.hops, ...renewed.hops]) {
      if (!hop.url.startsWith(gateway.origin)) continue
      assert.ok(headBytes(hop) < 4096, `${hop.url}: ${headBytes(hop)} bytes`)
    }
  },
}

export const signInQuestions: readonly Question[] = [
  { name: 'A browser signs in and lands on the address it asked for, query included', answer: landsWhereItBegan },
  { name: 'A script gets 401 and JSON', answer: scriptsGet401 },
  { name: 'Signed in but not allowed is 403, and no loop', answer: forbiddenIsNoLoop },
  { name: 'After sign-out a copied cookie is dead', answer: signOutIsForGood },
  { name: 'An allowed answer never needs Set-Cookie', answer: allowedNeedsNoCookie },
  sealedSessions,
]
