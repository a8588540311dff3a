/** What may come back from the provider's side of the browser, and whose it is. Tokens: test/oidc/callback.test.ts. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { flowCookiesOf, reachCallback, sessionCookieOf, startGateway } from '../support/gateway.ts'

describe('a callback that is not ours', () => {
  const strange: readonly { readonly name: string; readonly change: (query: URLSearchParams) => URLSearchParams }[] = [
    { name: 'no-params', change: () => new URLSearchParams() },
    { name: 'state-missing', change: without('state') },
    { name: 'state-unknown', change: (query) => replaced(query, 'state', 'x'.repeat(48)) },
    { name: 'state-duplicate', change: (query) => doubled(query, 'state', 'evil') },
    { name: 'state-duplicate, good last', change: (query) => new URLSearchParams(`state=evil&${query}`) },
    {
      name: 'case-params',
      change: (query) => new URLSearchParams(`STATE=${query.get('state')}&Code=${query.get('code')}`),
    },
    { name: 'state-forged, longer', change: (query) => replaced(query, 'state', `${query.get('state')}A`) },
    { name: 'state-forged, shorter', change: (query) => replaced(query, 'state', query.get('state')!.slice(0, -1)) },
    { name: 'state-forged, a bit flipped', change: (query) => replaced(query, 'state', flipped(query.get('state')!)) },
    { name: 'error-no-state', change: () => new URLSearchParams('error=access_denied') },
  ]

  test('gets a page, and makes no token request; the flow stays usable', async (t) => {
    const gateway = await startGateway(t)
    const browser = gateway.browser()
    const { callback } = await reachCallback(gateway, browser, '/wanted')
    for (const { name, change } of strange) {
      const address = new URL(callback)
      address.search = change(new URLSearchParams(callback.searchParams)).toString()
      const visit = await browser.navigate(address.href)
      assert.equal(visit.status, 400, name)
      assert.match(visit.text, /Please sign in again/, name)
      assert.equal(visit.headers.get('cache-control'), 'no-store')
    }
    // semicolon-separator, state-in-fragment (a browser keeps the fragment): one parameter with a strange value.
    const semicolon = await browser.navigate(gateway.own(`callback?code=x;state=${callback.searchParams.get('state')}`))
    assert.equal(semicolon.status, 400)
    assert.equal(gateway.idp.counts.token, 0)
    assert.equal(sessionCookieOf(browser), undefined)
    assert.equal((await browser.navigate(callback.href)).url, `${gateway.origin}/wanted`)
  })

  test('gets a page in another browser too: nobody is signed in as somebody else by a link', async (t) => {
    const gateway = await startGateway(t)
    const { callback } = await reachCallback(gateway, gateway.browser(), '/wanted', 'bob')
    const victim = gateway.browser()
    const visit = await victim.navigate(callback.href)
    assert.equal(visit.status, 400)
    assert.equal(gateway.idp.counts.token, 0)
    assert.deepEqual(victim.cookies.all(), [])
  })

  test('is refused before it is parsed where it is huge', async (t) => {
    const gateway = await startGateway(t)
    for (const size of [64 * 1024, 1024 * 1024]) {
      const visit = await gateway.browser().fetch(gateway.own(`callback?code=x&state=${'s'.repeat(size)}`))
      assert.ok([400, 414, 431].includes(visit.status), String(visit.status))
    }
  })

  test('with HEAD, POST, OPTIONS or PUT is 405 and uses nothing up', async (t) => {
    const gateway = await startGateway(t)
    const browser = gateway.browser()
    const { callback } = await reachCallback(gateway, browser, '/wanted')
    for (const method of ['HEAD', 'OPTIONS', 'PUT', 'DELETE']) {
      const visit = await browser.fetch(callback.href, { method, from: gateway.origin })
      assert.equal(visit.status, 405, method)
      assert.equal(visit.headers.get('allow'), 'GET')
    }
    for (const type of ['application/x-www-form-urlencoded', 'application/json', 'multipart/form-data', 'text/plain']) {
      const body = callback.searchParams.toString()
      const visit = await browser.fetch(callback.href, { method: 'POST', headers: { 'content-type': type }, body })
      assert.equal(visit.status, 405, type)
    }
    assert.equal(gateway.idp.counts.token, 0)
    assert.equal((await browser.navigate(callback.href)).url, `${gateway.origin}/wanted`)
  })
})

function without(name: string) {
  return (query: URLSearchParams) => {
    query.delete(name)
    return query
  }
}

function replaced(query: URLSearchParams, name: string, value: string): URLSearchParams {
  query.set(name, value)
  return query
}

function doubled(query: URLSearchParams, name: string, value: string): URLSearchParams {
  query.append(name, value)
  return query
}

const flipped = (text: string): string => `${text.slice(0, 10)}${text[10] === 'A' ? 'B' : 'A'}${text.slice(11)}`

describe('what the provider says', () => {
  test('access_denied is a page with a way to try again, not a loop', async (t) => {
    const gateway = await startGateway(t)
    const browser = gateway.browser()
    const { callback } = await reachCallback(gateway, browser, '/wanted')
    const visit = await browser.navigate(errorOf(callback, 'access_denied', 'you may not').href)
    assert.equal(visit.status, 403)
    assert.match(visit.text, /did not let you in/)
    assert.match(visit.text, /you may not/)
    assert.deepEqual(flowCookiesOf(browser), [])
    assert.equal((await browser.click(visit, 'Sign in again')).url, `${gateway.origin}/wanted`)
  })

  test('is shown as text and logged as text', async (t) => {
    const gateway = await startGateway(t)
    const nasty = ['<script>alert(1)</script>', '<img src=x onerror=alert(1)>', '\r\nSet-Cookie: x=1', '\x1b[2J']
    for (const description of nasty) {
      const browser = gateway.browser()
      const { callback } = await reachCallback(gateway, browser, '/wanted')
      const visit = await browser.navigate(errorOf(callback, 'zzz', description).href)
      assert.equal(visit.status, 502)
      assert.doesNotMatch(visit.body, /<script|<img/)
      assert.ok(!visit.body.includes('\x1b'))
      assert.ok(!visit.setCookies.some(({ header }) => header.startsWith('x=')))
    }
    assert.ok(!gateway.logText().includes('\x1b'))
  })

  test('error and code together, a code twice, a foreign iss: refused without a token request', async (t) => {
    const gateway = await startGateway(t)
    const changes: readonly ((query: URLSearchParams) => void)[] = [
      (query) => query.set('error', 'access_denied'),
      (query) => query.append('code', 'other'),
      (query) => query.append('iss', 'https://evil.example'),
      (query) => query.set('iss', 'https://evil.example'),
      (query) => query.set('iss', `${gateway.issuer}/`),
      (query) => query.delete('iss'),
      (query) => query.delete('code'),
      (query) => query.set('response', 'a.b.c'),
    ]
    for (const change of changes) {
      const browser = gateway.browser()
      const { callback } = await reachCallback(gateway, browser, '/wanted')
      change(callback.searchParams)
      const visit = await browser.navigate(callback.href)
      assert.ok(visit.status === 502 || visit.status === 403, `${change}: ${visit.status}`)
      assert.equal(sessionCookieOf(browser), undefined)
      assert.deepEqual(flowCookiesOf(browser), [], 'the flow is used up')
    }
    assert.equal(gateway.idp.counts.token, 0)
  })

  test('a code it does not know means one new start, and the original page in the end', async (t) => {
    const gateway = await startGateway(t)
    const browser = gateway.browser()
    const { callback } = await reachCallback(gateway, browser, '/wanted')
    callback.searchParams.set('code', '../../%00')
    const visit = await browser.navigate(callback.href)
    assert.equal(visit.url, `${gateway.origin}/wanted`)
    assert.equal(gateway.idp.counts.token, 2)
  })
})

function errorOf(callback: URL, error: string, description: string): URL {
  const address = new URL(callback)
  address.searchParams.delete('code')
  address.searchParams.set('error', error)
  address.searchParams.set('error_description', description)
  return address
}
