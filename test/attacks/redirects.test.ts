/** The lists `openRedirect…`: a return address is followed to the end of the sign-in, and is one of ours. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { corpus } from '../support/corpus.ts'
import { ask, type RawAnswer } from './wire.ts'
import { cookiesOf, navigation, openWorld, origin, request, type World } from './world.ts'

let world: World
before(async () => {
  world = await openWorld({ routes: '  - { allow: optional, upstream: "{upstream}" }' })
})
after(() => world.close())

const base = '/_doorward'
const rd = (value: string) => `rd=${encodeURIComponent(value.toWellFormed())}`
const get = (target: string, cookie?: string) =>
  ask(world.port, request(target, { headers: navigation, ...(cookie !== undefined && { cookie }) }))
const self = corpus.openRedirectSelf.map((value) => value.replaceAll('{AUTH}', base))
const refused = [...corpus.openRedirect, ...self]

/** Login, provider, callback: where a person really ends. */
async function endOfLogin(value: string): Promise<RawAnswer> {
  const left = await get(`${base}/login?${rd(value)}`)
  assert.equal(left.status, 302, value)
  const to = new URL(left.header('location')!)
  assert.equal(to.origin, new URL(world.rogue.issuer).origin)
  assert.equal(to.searchParams.get('redirect_uri'), `${origin}${base}/callback`)
  const back = world.rogue.authorize(to)
  return get(back.pathname + back.search, cookiesOf(left))
}

/** Path, query and fragment as written; only the host may be spelled anew. */
function serialised(value: string): string {
  const url = new URL(value, origin)
  return url.href
}

describe('at the end of a sign-in', () => {
  test('a foreign address is the front page', async () => {
    for (const value of refused) {
      const end = await endOfLogin(value)
      assert.deepEqual([end.status, end.header('location')], [303, `${origin}/`], JSON.stringify(value))
    }
    assert.deepEqual(world.errors(), [])
  })

  test('an address of ours is kept to the letter', async () => {
    for (const value of corpus.openRedirectAllowed) {
      assert.equal((await endOfLogin(value)).header('location'), serialised(value), value)
    }
  })

  test('two addresses are not both believed', async () => {
    const left = await get(`${base}/login?rd=/a&rd=https://evil.com`)
    const back = world.rogue.authorize(new URL(left.header('location')!))
    const end = await get(back.pathname + back.search, cookiesOf(left))
    assert.equal(new URL(end.header('location')!).origin, origin)
  })
})

describe('signed in already', () => {
  test('login and renew lead to the front page in place of a foreign address', async () => {
    const session = await world.signIn()
    for (const page of ['login', 'renew']) {
      for (const value of refused) {
        const answer = await get(`${base}/${page}?${rd(value)}`, session)
        assert.deepEqual([answer.status, answer.header('location')], [303, `${origin}/`], `${page} ${value}`)
      }
      for (const value of corpus.openRedirectAllowed) {
        const answer = await get(`${base}/${page}?${rd(value)}`, session)
        assert.equal(answer.header('location'), serialised(value), `${page} ${value}`)
      }
    }
  })

  test('logout leads through the provider to our own page, which names our own addresses', async () => {
    const session = await world.signIn()
    const first = await get(`${base}/logout?${rd('https://evil.com')}`, session)
    const provider = new URL(first.header('location')!)
    assert.equal(provider.origin, new URL(world.rogue.issuer).origin)
    assert.equal(provider.searchParams.get('post_logout_redirect_uri'), `${origin}${base}/signed-out`)
    for (const value of refused) {
      const left = new URL((await get(`${base}/logout?${rd(value)}`)).header('location')!)
      assert.equal(left.origin, origin)
      const page = await get(left.pathname + left.search)
      assert.match(
        page.body,
        /href="https:\/\/app\.example\.com\/_doorward\/login\?rd=https%3A%2F%2Fapp\.example\.com%2F"/,
      )
      assert.doesNotMatch(page.body, /evil/)
    }
  })
})

describe('elsewhere', () => {
  test('a state, or a flow cookie, that is an address leads nowhere', async () => {
    const { token } = world.rogue.calls
    for (const value of refused) {
      const state = encodeURIComponent(value.toWellFormed())
      const cookie = `__Host-Http-dw-00000000-login-x=${state}`
      for (const page of [`callback?code=x&state=${state}`, `signed-out?state=${state}`]) {
        const answer = await get(`${base}/${page}`, cookie)
        assert.equal(answer.header('location'), undefined, page)
        assert.doesNotMatch(answer.body, /evil/)
      }
    }
    assert.equal(world.rogue.calls.token, token, 'no code was redeemed')
  })

  test('headers that name an address are not followed', async () => {
    const sendable = refused.filter((each) => /^[\x21-\x7e]+$/.test(each))
    for (const value of sendable.filter((_, index) => index % 4 === 0)) {
      const headers = ['X-Forwarded-Uri', 'X-Auth-Request-Redirect', 'X-Original-URL', 'Referer'].map(
        (name) => [name, value] as const,
      )
      const answer = await ask(world.port, request(`${base}/login`, { headers: [...navigation, ...headers] }))
      const back = world.rogue.authorize(new URL(answer.header('location')!))
      const end = await get(back.pathname + back.search, cookiesOf(answer))
      assert.equal(end.header('location'), `${origin}/`, value)
    }
  })
})
