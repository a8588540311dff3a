/** Signing in with GitHub: OAuth 2.0 without OpenID Connect. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type { Browser, Visit } from '../support/browser.ts'
import { hours, minutes } from '../support/clock.ts'
import { freePort } from '../support/free-port.ts'
import { type ConfigKeys, type GatewayOptions, sessionCookieOf, startGateway, until } from '../support/gateway.ts'
import { type FakeGitHub, startGitHub } from '../support/github.ts'

interface Options extends GatewayOptions {
  readonly provider?: ConfigKeys
  readonly routes?: readonly ConfigKeys[]
}

async function startWithGitHub(t: TestContext, { provider, routes, ...options }: Options = {}) {
  const port = await freePort()
  const gitHub = await startGitHub([`http://127.0.0.1:${port}/_doorward/callback`])
  t.after(gitHub.close)
  const gateway = await startGateway(t, {
    ...options,
    port,
    config: ({ application }) => ({
      provider: { ...gitHubAt(gitHub), allowedOrgs: ['ACME'], ...provider },
      routes: routes?.map((route) => ({ ...route, upstream: application })) ?? [
        { path: '/devs/*', allow: { groups: ['acme/devs'] }, upstream: application },
        { allow: 'signedIn', upstream: application },
      ],
    }),
  })
  return { gateway, gitHub }
}

const gitHubAt = ({ issuer, clientId, clientSecret }: FakeGitHub): ConfigKeys => ({
  kind: 'github',
  issuer,
  clientId,
  clientSecret,
})

const signInAs = (browser: Browser, page: Visit, login: string) => browser.submit(page, { login })

async function signedInAs(
  { gateway }: Awaited<ReturnType<typeof startWithGitHub>>,
  login: string,
  address = '/',
): Promise<{ browser: Browser; visit: Visit }> {
  const browser = gateway.browser()
  const visit = await signInAs(browser, await browser.navigate(gateway.origin + address), login)
  return { browser, visit }
}

describe('a sign-in with GitHub', () => {
  for (const store of ['memory', 'cookie'] as const) {
    test(`leads back, with number, name, verified address, organisations and teams (store ${store})`, async (t) => {
      const world = await startWithGitHub(t, { store })
      const { visit } = await signedInAs(world, 'ada', '/devs/?q=1')
      assert.equal(visit.status, 200, visit.text)
      assert.equal(visit.url, `${world.gateway.origin}/devs/?q=1`)
      const { headers } = world.gateway.application.last()
      assert.equal(headers['x-auth-subject'], '4711')
      assert.equal(headers['x-auth-user'], 'ada')
      assert.equal(headers['x-auth-email'], 'Ada@example.com')
      assert.equal(headers['x-auth-groups'], 'acme,acme/devs', 'an invitation to Umbrella is no membership')
      const { asked } = world.gitHub
      assert.equal(asked.get('code_challenge_method'), 'S256')
      assert.equal(asked.get('scope'), 'read:user user:email read:org')
      assert.equal(asked.get('redirect_uri'), world.gateway.own('callback'))
      assert.doesNotMatch(world.gateway.logText(), /gho_|the-secret-of-the-app/)
    })
  }

  test('takes no address that is unverified, or not the primary one', async (t) => {
    const world = await startWithGitHub(t, { provider: { allowedOrgs: undefined, anyoneMaySignIn: true } })
    await signedInAs(world, 'bob')
    assert.equal(world.gateway.application.last().headers['x-auth-email'], undefined)
    world.gitHub.users.get('bob')!.emails = [
      { email: 'bob@evil.example', primary: false, verified: true },
      { email: 'bob@example.com', primary: true, verified: false },
    ]
    await signedInAs(world, 'bob')
    assert.equal(world.gateway.application.last().headers['x-auth-email'], undefined)
  })

  test('reads every page of a list', async (t) => {
    const world = await startWithGitHub(t)
    const teams = Array.from({ length: 250 }, (_, index) => `acme/team-${index}`)
    world.gitHub.users.get('ada')!.teams = [...teams, 'acme/devs']
    const { visit } = await signedInAs(world, 'ada', '/devs/')
    assert.equal(visit.status, 200)
    assert.equal(world.gitHub.calls.get('/api/v3/user/teams'), 3)
  })

  test('never takes its token to an address outside the API', async (t) => {
    const world = await startWithGitHub(t)
    let stolen = 0
    world.gitHub.instead = (path, response) => {
      if (path === '/steal') stolen++
      if (path !== '/api/v3/user/teams') return false
      response.writeHead(200, { link: `<${world.gitHub.issuer}/steal>; rel="next"` }).end('[]')
      return true
    }
    const { visit } = await signedInAs(world, 'ada')
    assert.equal(visit.status, 502)
    assert.equal(stolen, 0)
  })
})

describe('who may not come in', () => {
  test('learns it, and may choose another account', async (t) => {
    const world = await startWithGitHub(t)
    const { browser, visit } = await signedInAs(world, 'bob')
    assert.equal(visit.status, 403)
    assert.match(visit.text, /This account may not sign in here/)
    assert.equal(sessionCookieOf(browser), undefined)
    const again = await browser.click(visit, 'Sign in again')
    assert.match(again.text, /Sign in to GitHub/, 'GitHub knows bob still, and has to ask')
    assert.equal((await signInAs(browser, again, 'ada')).status, 200)
  })

  test('comes in by a verified address on the list', async (t) => {
    const world = await startWithGitHub(t, {
      provider: { allowedOrgs: undefined, allowedEmails: ['ada@example.com', 'bob@example.com'] },
    })
    assert.equal((await signedInAs(world, 'ada')).visit.status, 200)
    assert.equal((await signedInAs(world, 'bob')).visit.status, 403, 'bob never verified his')
  })

  test('is told of an organisation that wants single sign-on first', async (t) => {
    const world = await startWithGitHub(t)
    const user = world.gitHub.users.get('ada')!
    user.memberships = []
    user.leftOut = [21955855]
    const { visit } = await signedInAs(world, 'ada')
    assert.equal(visit.status, 403)
    assert.match(visit.text, /GitHub left out one organisation with single sign-on\. Open http.*settings\/applications/)
    assert.ok(world.gateway.lines().some(({ organisations }) => String(organisations) === '21955855'))
  })
})

describe('an answer that is none', () => {
  test('a code that GitHub refuses with status 200 begins anew once', async (t) => {
    const world = await startWithGitHub(t)
    let times = 0
    world.gitHub.onCallback = (query) => {
      if (times++ === 0) query.set('code', 'wrong')
    }
    const { visit } = await signedInAs(world, 'ada')
    assert.equal(visit.status, 200)
    assert.equal(times, 2)
  })

  test('another issuer is refused before the code is sent anywhere', async (t) => {
    const world = await startWithGitHub(t)
    world.gitHub.onCallback = (query) => query.set('iss', 'https://evil.example')
    const { visit } = await signedInAs(world, 'ada')
    assert.equal(visit.status, 502)
    assert.equal(world.gitHub.calls.get('/login/oauth/access_token'), undefined)
    const told = world.gateway.lines().find(({ event }) => event === 'login_failed')
    assert.match(String(told?.detail), /invalid issuer: expected http:.*\/login\/oauth, got https:\/\/evil\.example/)
  })

  test('a wrong secret is the operator’s business', async (t) => {
    const world = await startWithGitHub(t, { provider: { clientSecret: 'another-secret' } })
    const { visit } = await signedInAs(world, 'ada')
    assert.equal(visit.status, 502)
    assert.doesNotMatch(visit.text, /client_secret/)
    const told = world.gateway.lines().find(({ event }) => event === 'login_failed')
    assert.match(String(told?.detail), /incorrect_client_credentials.*check clientId and clientSecret/)
  })

  test('fewer scopes than asked for, a rate limit, a fault: each says what it is', async (t) => {
    const world = await startWithGitHub(t)
    world.gitHub.grants = () => ['read:user']
    assert.equal((await signedInAs(world, 'ada')).visit.status, 502)
    world.gitHub.grants = (scopes) => scopes
    world.gitHub.instead = (path, response) => {
      if (path !== '/api/v3/user') return false
      response.writeHead(403, { 'x-ratelimit-remaining': '0' }).end('{"message":"API rate limit exceeded"}')
      return true
    }
    assert.equal((await signedInAs(world, 'ada')).visit.status, 503)
    world.gitHub.instead = (path, response) => {
      if (path !== '/login/oauth/access_token') return false
      response.writeHead(502).end('<html>')
      return true
    }
    assert.equal((await signedInAs(world, 'ada')).visit.status, 503)
    const details = world.gateway.lines().flatMap(({ event, detail }) => (event === 'login_failed' ? [detail] : []))
    assert.match(
      details.join('\n'),
      /did not grant user:email read:org\n.*rate limit is used up.*\n.*GitHub answered 502/,
    )
  })
})

describe('a session of GitHub', () => {
  for (const store of ['memory', 'cookie'] as const) {
    for (const expiring of [false, true]) {
      const kind = `${expiring ? 'expiring' : 'endless'} tokens, store ${store}`
      test(`is asked after half an hour, and ends with the membership (${kind})`, async (t) => {
        const world = await startWithGitHub(t, { store })
        world.gitHub.expiring = expiring
        const { browser, visit } = await signedInAs(world, 'ada')
        assert.equal(visit.status, 200, visit.text)
        const { gateway, gitHub } = world
        const get = () => browser.navigate(`${gateway.origin}/x`, { follow: 0 })
        gitHub.users.get('ada')!.teams = ['acme/ops']
        gateway.clock.move(31 * minutes)
        assert.equal((await get()).status, 200)
        assert.equal(gateway.application.last().headers['x-auth-groups'], 'acme,acme/ops')
        gitHub.users.get('ada')!.memberships = []
        gitHub.users.get('ada')!.teams = []
        gateway.clock.move(29 * minutes)
        await get()
        await until(async () => (await get()).status === 302, 'who left acme is sent to sign in')
      })
    }
  }

  test('outlives whatever ails GitHub, and never its revocation', async (t) => {
    const world = await startWithGitHub(t, { session: { refreshEvery: '5m' } })
    const { browser } = await signedInAs(world, 'ada')
    const { gateway, gitHub } = world
    const get = () => browser.navigate(`${gateway.origin}/x`, { follow: 0 })
    const troubles: readonly (readonly [number, Record<string, string>, string])[] = [
      [502, {}, '<html>'],
      [429, { 'retry-after': '60' }, '{}'],
      [403, { 'x-ratelimit-remaining': '0' }, '{}'],
      [403, {}, '{"message":"You have exceeded a secondary rate limit"}'],
      [200, {}, 'not JSON'],
      [404, {}, '{"message":"Not Found"}'],
    ]
    for (const [status, headers, body] of troubles) {
      gitHub.instead = (path, response) => {
        if (!path.startsWith('/api/')) return false
        response.writeHead(status, headers).end(body)
        return true
      }
      gateway.clock.move(6 * minutes)
      assert.equal((await get()).status, 200, `${status} ${body}`)
      assert.equal(gateway.application.last().headers['x-auth-groups'], 'acme,acme/devs')
    }
    gitHub.instead = () => false
    gitHub.revoke('ada')
    gateway.clock.move(6 * minutes)
    assert.equal((await get()).status, 302)
  })

  test('spends a refresh token when its access token is about to end, and keeps the new one whatever follows', async (t) => {
    const world = await startWithGitHub(t, { session: { idle: '24h', lifetime: '24h' } })
    const { gateway, gitHub } = world
    gitHub.expiring = true
    const { browser } = await signedInAs(world, 'ada')
    const redeemed = () => gitHub.calls.get('/login/oauth/access_token') ?? 0
    const get = async () => {
      assert.equal((await browser.navigate(`${gateway.origin}/x`, { follow: 0 })).status, 200)
    }
    gateway.clock.move(31 * minutes)
    await get()
    assert.equal(redeemed(), 1, 'a living token is asked, not spent')
    gateway.clock.move(7 * hours)
    gitHub.instead = (path, response) => {
      if (!path.startsWith('/api/')) return false
      response.writeHead(502).end()
      return true
    }
    await get()
    assert.equal(redeemed(), 2)
    gitHub.instead = () => false
    gateway.clock.move(8 * hours)
    await get()
    assert.equal(redeemed(), 3, 'the refresh token of the faulty renewal was kept')
  })

  test('ends here alone, and the page says that GitHub’s goes on', async (t) => {
    const world = await startWithGitHub(t)
    const { browser, visit } = await signedInAs(world, 'ada')
    const out = await browser.navigate(world.gateway.own('logout'), { from: visit.url, form: {} })
    assert.match(out.text, /You are signed out/)
    assert.match(out.text, /You may still be signed in at GitHub|You may still be signed in at 127\.0\.0\.1/)
    assert.equal(sessionCookieOf(browser), undefined)
  })

  test('as someone else asks GitHub for another account', async (t) => {
    const world = await startWithGitHub(t, {
      routes: [{ path: '/ops/*', allow: { groups: ['acme/ops'] } }, { allow: 'signedIn' }],
    })
    const { browser, visit } = await signedInAs(world, 'ada', '/ops/')
    assert.equal(visit.status, 403)
    const other = await browser.click(visit, 'Sign in as someone else')
    assert.match(other.text, /Sign in to GitHub/)
  })
})
