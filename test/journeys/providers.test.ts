/** Several providers at once: the choice, routes that need one of them, and answers of the wrong one (mix-up). */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { signIn } from '../support/browser.ts'
import { freePort } from '../support/free-port.ts'
import { clientId, clientSecret, flowCookiesOf, sessionCookieOf, startGateway } from '../support/gateway.ts'
import { startGitHub } from '../support/github.ts'
import { startTestIdp } from '../support/idp.ts'
import { openRogueProvider } from '../support/rogue-provider.ts'

const clientFor = (origin: string, name: string) => ({
  clientId,
  clientSecret,
  redirectUris: [`${origin}/_doorward/callback/${name}`],
  postLogoutRedirectUris: [`${origin}/_doorward/signed-out`],
})

/** Two embedded providers with people of the same names, and one that lies. */
async function startWithProviders(t: TestContext) {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const partners = await startTestIdp({ host: 'localhost', clients: [clientFor(origin, 'partners')] })
  const rogue = await openRogueProvider()
  t.after(() => Promise.all([partners.close(), rogue.close()]))
  const gateway = await startGateway(t, {
    port,
    config: ({ issuer, application }) => ({
      provider: undefined,
      providers: {
        corp: { issuer, clientId, clientSecret, label: 'Corporate login' },
        partners: { issuer: partners.issuer, clientId, clientSecret, label: 'Partners' },
        rogue: { issuer: rogue.issuer, clientId: rogue.clientId, clientSecret: rogue.clientSecret },
      },
      routes: [
        { path: '/corp/*', allow: 'signedIn', provider: 'corp', upstream: application },
        { path: '/partners/*', allow: { groups: ['/staff'] }, provider: 'partners', upstream: application },
        { allow: 'signedIn', upstream: application },
      ],
    }),
  })
  await gateway.idp.addClient(clientFor(origin, 'corp'))
  return { gateway, partners, rogue }
}

describe('several providers', () => {
  test('the page offers each by its label, and the chosen one signs in', async (t) => {
    const { gateway, partners } = await startWithProviders(t)
    const browser = gateway.browser()
    const page = await browser.navigate(`${gateway.origin}/x?q=1`)
    assert.equal(page.status, 200)
    assert.match(page.text, /Choose how\..*Sign in with Corporate login.*Sign in with Partners.*Sign in with rogue/s)
    const login = await browser.click(page, 'Sign in with Partners')
    assert.ok(login.url.startsWith(partners.issuer), login.url)
    const visit = await signIn(browser, login, 'ada')
    assert.equal(visit.url, `${gateway.origin}/x?q=1`)
    const session = JSON.parse((await browser.fetch(gateway.own('session'))).body)
    assert.match(JSON.stringify(session), /"ada"/)
  })

  test('a route that names one goes straight there, and turns sessions of the other away', async (t) => {
    const { gateway, partners } = await startWithProviders(t)
    const browser = gateway.browser()
    const login = await browser.navigate(`${gateway.origin}/corp/`)
    assert.ok(login.url.startsWith(gateway.issuer), 'no choice where there is none')
    assert.equal((await signIn(browser, login, 'ada')).status, 200)
    const refused = await browser.navigate(`${gateway.origin}/partners/`)
    assert.equal(refused.status, 403, 'an ada of another provider')
    assert.match(refused.text, /needs a sign-in with partners/i)
    assert.match(refused.text, /Signed in with Corporate login/)
    const other = await browser.click(refused, 'Sign in as someone else')
    assert.ok(other.url.startsWith(partners.issuer), other.url)
    const visit = await signIn(browser, other, 'ada')
    assert.equal(visit.url, `${gateway.origin}/partners/`)
    assert.equal(visit.status, 200)
    assert.equal((await browser.navigate(`${gateway.origin}/corp/`)).status, 403)
  })

  test('each callback address belongs to one of them', async (t) => {
    const { gateway, rogue } = await startWithProviders(t)
    const browser = gateway.browser()
    const from = `${gateway.own('login')}?provider=rogue&rd=/x`
    for (const page of ['callback/corp', 'callback/partners', 'callback', 'callback/nobody']) {
      const begun = await browser.navigate(from, { follow: 0 })
      const answer = rogue.authorize(new URL(begun.headers.get('location') ?? ''))
      const elsewhere = new URL(gateway.own(page))
      elsewhere.search = answer.search
      const visit = await browser.navigate(elsewhere.href)
      assert.equal(visit.status, 400, page)
      assert.match(visit.text, /did not start in this browser/)
    }
    assert.equal(rogue.calls.token, 0, 'a code of another provider is never taken to the one that began')
    assert.equal(sessionCookieOf(browser), undefined)
    assert.ok(flowCookiesOf(browser).length > 0)
    const begun = await browser.navigate(from, { follow: 0 })
    const answer = rogue.authorize(new URL(begun.headers.get('location') ?? ''))
    assert.equal((await browser.navigate(answer.href)).status, 200)
  })

  test('an answer that names another issuer is refused before its code goes anywhere', async (t) => {
    const { gateway, rogue } = await startWithProviders(t)
    const browser = gateway.browser()
    const isses: readonly (string | undefined)[] = [gateway.issuer, `${rogue.issuer}/`, '', undefined]
    for (const iss of isses) {
      const begun = await browser.navigate(`${gateway.own('login')}?provider=rogue&rd=/x`, { follow: 0 })
      const answer = rogue.authorize(new URL(begun.headers.get('location') ?? ''))
      if (iss === undefined) answer.searchParams.delete('iss')
      else answer.searchParams.set('iss', iss)
      assert.equal((await browser.navigate(answer.href)).status, 502, String(iss))
    }
    assert.equal(rogue.calls.token, 0)
  })

  test('the choice between GitHub and a company’s own', async (t) => {
    const port = await freePort()
    const origin = `http://127.0.0.1:${port}`
    const gitHub = await startGitHub([`${origin}/_doorward/callback/github`])
    t.after(gitHub.close)
    const gateway = await startGateway(t, {
      port,
      config: ({ issuer, application }) => ({
        provider: undefined,
        providers: {
          corp: { issuer, clientId, clientSecret, label: 'Corporate login' },
          github: {
            kind: 'github',
            issuer: gitHub.issuer,
            clientId: gitHub.clientId,
            clientSecret: gitHub.clientSecret,
            label: 'GitHub',
            allowedOrgs: 'acme',
          },
        },
        routes: [
          { path: '/own/*', allow: { groups: ['/staff'] }, provider: 'corp', upstream: application },
          { allow: 'signedIn', upstream: application },
        ],
      }),
    })
    await gateway.idp.addClient(clientFor(origin, 'corp'))
    const browser = gateway.browser()
    const page = await browser.navigate(`${origin}/x`)
    const login = await browser.click(page, 'Sign in with GitHub')
    assert.equal((await browser.submit(login, { login: 'ada' })).status, 200)
    assert.equal(gitHub.asked.get('redirect_uri'), gateway.own('callback/github'))
    const refused = await browser.navigate(`${origin}/own/`)
    assert.equal(refused.status, 403)
    assert.match(refused.text, /Signed in with GitHub/)
    const out = await browser.navigate(gateway.own('logout'), { from: page.url, form: {} })
    assert.match(out.text, /You may still be signed in at GitHub/)
    const again = await browser.navigate(`${origin}/x`)
    const corp = await signIn(browser, await browser.click(again, 'Sign in with Corporate login'), 'ada')
    assert.equal(corp.status, 200)
    assert.equal(gateway.application.last().headers['x-auth-groups'], '/staff,/admins')
  })
})
