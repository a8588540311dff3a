/** Routes with `cors:` in proxy mode: whose CORS headers stand on the answers of the application. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { freePort } from '../support/free-port.ts'
import { signedIn, startGateway, type World } from '../support/gateway.ts'

const allowed = 'https://app.example'
const foreign = 'https://evil.example'
const cors = { origins: [allowed], credentials: true }

const config = ({ application }: World) => ({
  routes: [
    { path: '/answer/*', allow: 'signedIn', upstream: application, cors },
    {
      path: '/exposing/*',
      allow: 'public',
      upstream: application,
      cors: { origins: [allowed], exposeHeaders: ['etag'] },
    },
    { path: '/pass/*', allow: 'signedIn', upstream: application, cors: { ...cors, preflight: 'pass' } },
    { path: '/fixed', allow: 'public', respond: { headers: { Vary: 'Cookie' } }, cors: { origins: [allowed] } },
    { allow: 'signedIn', upstream: application },
  ],
})

/** What an application says that lets everybody read everything. */
const careless = {
  'access-control-allow-origin': '*',
  'access-control-allow-credentials': 'true',
  'access-control-expose-headers': 'x-total',
  vary: 'Accept-Encoding',
}

async function start(t: Parameters<typeof startGateway>[0]) {
  const gateway = await startGateway(t, { config })
  for (const path of ['/answer/x', '/exposing/x', '/pass/x', '/x'])
    gateway.application.on(path, (_request, response) => void response.writeHead(200, careless).end('data'))
  const browser = await signedIn(gateway)
  return {
    gateway,
    async ask(path: string, origin?: string) {
      const headers = origin === undefined ? {} : { origin }
      const answer = await browser.fetch(gateway.origin + path, { headers })
      assert.equal(answer.status, 200, answer.text)
      return {
        origin: answer.headers.get('access-control-allow-origin'),
        credentials: answer.headers.get('access-control-allow-credentials'),
        exposed: answer.headers.get('access-control-expose-headers'),
        vary: answer.headers.get('vary'),
      }
    },
  }
}

describe('CORS headers on what the application answers', () => {
  test('are ours for an allowed origin, in place of its own', async (t) => {
    const { ask } = await start(t)
    assert.deepEqual(await ask('/answer/x', allowed), {
      origin: allowed,
      credentials: 'true',
      exposed: 'x-total',
      vary: 'Accept-Encoding, Origin',
    })
    assert.deepEqual(await ask('/exposing/x', allowed), {
      origin: allowed,
      credentials: null,
      exposed: 'etag',
      vary: 'Accept-Encoding, Origin',
    })
  })

  test('let no other origin read, whatever the application says; and caches are told', async (t) => {
    const { ask } = await start(t)
    for (const origin of [foreign, 'null', undefined]) {
      const { origin: said, credentials, vary } = await ask('/answer/x', origin)
      assert.deepEqual([said, credentials, vary], [null, null, 'Accept-Encoding, Origin'], origin)
    }
  })

  test('are those of the application where preflights pass, and where the route says nothing', async (t) => {
    const { ask } = await start(t)
    for (const path of ['/pass/x', '/x'])
      assert.deepEqual(
        await ask(path, allowed),
        { origin: '*', credentials: 'true', exposed: 'x-total', vary: 'Accept-Encoding' },
        path,
      )
  })

  test('stand on a fixed answer too', async (t) => {
    const { ask } = await start(t)
    assert.deepEqual(await ask('/fixed', allowed), {
      origin: allowed,
      credentials: null,
      exposed: null,
      vary: 'Cookie, Origin',
    })
  })

  test('stand on the 502 of an application that is down, so that a script can read it', async (t) => {
    const upstream = `http://127.0.0.1:${await freePort()}`
    const gateway = await startGateway(t, {
      config: { routes: [{ allow: 'public', upstream, cors: { origins: [allowed] } }] },
    })
    const answer = await gateway.browser().fetch(`${gateway.origin}/x`, { headers: { origin: allowed } })
    assert.deepEqual([answer.status, answer.headers.get('access-control-allow-origin')], [502, allowed])
  })
})

test('a preflight that passes to the application carries no credentials of ours', async (t) => {
  const gateway = await startGateway(t, {
    config: ({ application }: World) => ({
      routes: [
        {
          allow: 'signedIn',
          upstream: application,
          basicAuth: { username: 'gateway', password: { env: 'UPSTREAM_PASSWORD' } },
          cors: { ...cors, preflight: 'pass' },
        },
      ],
    }),
    environment: { UPSTREAM_PASSWORD: 'pass' },
  })
  const headers = { origin: allowed, 'access-control-request-method': 'GET' }
  const ask = async (browser: ReturnType<typeof gateway.browser>, method: string) => {
    await browser.fetch(`${gateway.origin}/x`, { method, headers })
    return gateway.application.last().headers.authorization
  }
  assert.equal(await ask(gateway.browser(), 'OPTIONS'), undefined)
  assert.match(String(await ask(await signedIn(gateway), 'GET')), /^Basic /)
})
