/** A running gateway takes a new file, or keeps the old one; and it goes away without breaking what runs. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import http from 'node:http'
import { describe, test } from 'node:test'
import { routesTo, sessionCookieOf, sessionSecret, signedIn, startGateway, until } from '../support/gateway.ts'

describe('reload', () => {
  test('a new route is served from the next request on; sessions of store memory stay', async (t) => {
    const gateway = await startGateway(t)
    const browser = await signedIn(gateway)
    assert.equal((await gateway.browser().fetch(`${gateway.origin}/news`)).status, 401)
    gateway.write({
      routes: [{ path: '/news', allow: 'public', respond: { body: 'new' } }, ...routesTo(gateway.application.url)],
    })
    assert.equal(await gateway.server.reload(), true)
    assert.equal((await gateway.browser().fetch(`${gateway.origin}/news`)).body, 'new')
    assert.equal((await browser.fetch(`${gateway.origin}/x`)).status, 200)
    await browser.navigate(gateway.own('logout'), { from: gateway.origin, form: {}, follow: 0 })
    assert.equal(await gateway.server.reload(), true)
    assert.equal((await browser.fetch(`${gateway.origin}/x`)).status, 401, 'and those that ended stay ended')
  })

  for (const store of ['memory', 'cookie'] as const) {
    test(`a logout is not forgotten by a reload (${store})`, async (t) => {
      const gateway = await startGateway(t, { store })
      const browser = await signedIn(gateway)
      const cookie = browser.cookies.header(new URL(gateway.origin))!
      await browser.navigate(gateway.own('logout'), { from: gateway.origin, form: {}, follow: 0 })
      assert.equal(await gateway.server.reload(), true)
      assert.equal((await gateway.browser().fetch(`${gateway.origin}/x`, { headers: { cookie } })).status, 401)
    })

    test(`a new secret seals, the old one still opens while it is listed (${store})`, async (t) => {
      const gateway = await startGateway(t, { store })
      const browser = await signedIn(gateway)
      const next = 'another-key-text-for-journeys-98765'
      gateway.write({ session: { store, secret: [next, sessionSecret] } })
      assert.equal(await gateway.server.reload(), true)
      const before = sessionCookieOf(browser)?.value
      assert.equal((await browser.fetch(`${gateway.origin}/x`)).status, 200)
      if (store === 'cookie') assert.notEqual(sessionCookieOf(browser)?.value, before, 'sealed anew on the way')
      const stranger = await signedIn(gateway, 'bob')
      gateway.write({ session: { store, secret: next } })
      assert.equal(await gateway.server.reload(), true)
      assert.equal((await stranger.fetch(`${gateway.origin}/x`)).status, 200)
      if (store === 'cookie') assert.equal((await browser.fetch(`${gateway.origin}/x`)).status, 200)
    })
  }

  test('a bad file changes nothing, and is logged and counted', async (t) => {
    const gateway = await startGateway(t, { errorsExpected: true })
    const browser = await signedIn(gateway)
    for (const text of ['routes: [', '{}', JSON.stringify({ version: 1, publicUrl: 'http://127.0.0.1', rotues: [] })]) {
      writeFileSync(gateway.file, text)
      assert.equal(await gateway.server.reload(), false)
      assert.equal((await browser.fetch(`${gateway.origin}/x`)).status, 200)
    }
    assert.match(await gateway.metrics(), /reload\w*\{[^}]*failed[^}]*\} 3/)
    const status = await (await fetch(new URL('/status', gateway.server.addresses.operations))).json()
    assert.match(JSON.stringify(status), /reloadProblem/)
    assert.ok(gateway.lines().some(({ level, msg }) => level === 'error' && msg.includes('the running one stays')))
    assert.ok(!gateway.logText().includes(sessionSecret))
    gateway.write({})
    assert.equal(await gateway.server.reload(), true)
    assert.doesNotMatch(
      await (await fetch(new URL('/status', gateway.server.addresses.operations))).text(),
      /reloadProblem/,
    )
  })

  test('a hundred reloads under requests: none fails', async (t) => {
    const gateway = await startGateway(t)
    const browser = await signedIn(gateway)
    let reloading = true
    let asked = 0
    const failures: string[] = []
    const ask = async () => {
      while (reloading) {
        const visit = await browser.fetch(`${gateway.origin}/x`)
        asked++
        if (visit.status !== 200) failures.push(`${visit.status} ${visit.text}`)
      }
    }
    const askers = Array.from({ length: 4 }, ask)
    for (let round = 0; round < 100; round++) {
      gateway.write({ brand: { name: `Round ${round}` } })
      const before = asked
      assert.equal(await gateway.server.reload(), true)
      // A reload takes no turn of the event loop: without this all hundred would be over before the second request.
      await until(() => asked >= before + 2, 'requests are answered')
    }
    reloading = false
    await Promise.all(askers)
    assert.deepEqual(failures, [])
    assert.equal(gateway.server.config.brand.name, 'Round 99')
  })

  for (const store of ['memory', 'cookie'] as const) {
    test(`the list of secrets rotates under requests: nobody is signed out (${store})`, async (t) => {
      const gateway = await startGateway(t, { store })
      const browsers = [await signedIn(gateway), await signedIn(gateway, 'bob'), await signedIn(gateway)]
      let rotating = true
      const failures: string[] = []
      const asked = browsers.map(() => 0)
      const askers = browsers.map(async (browser, index) => {
        while (rotating) {
          const visit = await browser.fetch(`${gateway.origin}/x`)
          if (visit.status !== 200) failures.push(`${visit.status} ${visit.text}`)
          asked[index]!++
        }
      })
      const secretOf = (round: number) => `key number ${round} of a long row, 0f8b1c9d7e6a5f4b`
      let secrets = [sessionSecret]
      for (let round = 0; round < 8; round++) {
        const before = [...asked]
        secrets = [secretOf(round), secrets[0]!]
        gateway.write({ session: { store, secret: secrets } })
        assert.equal(await gateway.server.reload(), true)
        // As people do it: the old key goes once everybody has been here.
        await until(() => asked.every((count, index) => count > before[index]! + 1), 'everybody has been here')
      }
      rotating = false
      await Promise.all(askers)
      assert.deepEqual(failures, [])
    })
  }

  test('a key that only a start can take is named', async (t) => {
    const gateway = await startGateway(t)
    gateway.write({ basePath: '/_other' })
    assert.equal(await gateway.server.reload(), true)
    assert.ok(gateway.lines().some(({ level, key }) => level === 'warn' && key === 'basePath'))
    assert.equal((await gateway.browser().fetch(gateway.own('session'))).status, 401, 'our pages are where they were')
    const browser = await signedIn(gateway)
    assert.equal((await browser.fetch(`${gateway.origin}/x`)).status, 200, 'and sign-in still finds them')
  })
})

describe('shutdown', () => {
  test('is told first, then what runs finishes, then nothing is accepted', async (t) => {
    const gateway = await startGateway(t, { config: { limits: { drainDelay: '100ms', drainTimeout: '5s' } } })
    const browser = await signedIn(gateway)
    let finish = (): void => {}
    gateway.application.on('/slow', (_request, response) => {
      response.writeHead(200).write('begun ')
      finish = () => void response.end('and done')
    })
    const cookie = browser.cookies.header(new URL(gateway.origin))!
    const request = http.get(`${gateway.origin}/slow`, { agent: false, headers: { cookie } })
    const [response] = (await once(request, 'response')) as [http.IncomingMessage]
    const readyz = new URL('/readyz', gateway.server.addresses.operations)
    assert.equal((await fetch(readyz)).status, 200)
    const closed = gateway.server.close()
    assert.equal((await fetch(readyz)).status, 503)
    assert.equal((await browser.fetch(`${gateway.origin}/x`)).status, 200, 'new requests are served during the delay')
    await until(async () => {
      const refused = await fetch(`${gateway.origin}/public/`).then(
        () => false,
        () => true,
      )
      return refused
    }, 'the listener is closed')
    finish()
    let text = ''
    for await (const chunk of response) text += chunk
    assert.equal(text, 'begun and done')
    await closed
  })

  test('waits for no request longer than drainTimeout', async (t) => {
    const gateway = await startGateway(t, { config: { limits: { drainTimeout: '100ms' } } })
    gateway.application.on('/public/endless', (_request, response) => void response.writeHead(200).write('begun '))
    const request = http.get(`${gateway.origin}/public/endless`, { agent: false })
    const [response] = (await once(request, 'response')) as [http.IncomingMessage]
    response.on('error', () => {})
    response.resume()
    const began = performance.now()
    await gateway.server.close()
    assert.ok(performance.now() - began < 1500)
  })
})
