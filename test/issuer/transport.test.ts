import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { internalAddress } from '../../src/issuer/internal-url.ts'
import { openTransport, ProviderUnreachable, type TransportOptions } from '../../src/issuer/transport.ts'

async function openWorld(t: TestContext, listener: RequestListener, changes: Partial<TransportOptions> = {}) {
  const server = createServer(listener)
  const issuer = `http://127.0.0.1:${await listen(t, server)}`
  const transport = openTransport({
    issuer,
    internalUrl: undefined,
    caFile: undefined,
    timeout: 200,
    allowInsecureHttp: false,
    ...changes,
  })
  t.after(transport.close)
  return { issuer, transport, server }
}

async function listen(t: TestContext, server: Server | TlsServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  return address.port
}

const faultOf = async (attempt: Promise<unknown>) => {
  try {
    await attempt
  } catch (error) {
    if (error instanceof ProviderUnreachable) return error.fault
    throw error
  }
  return 'none'
}

test('faults of the wire have names, and are over in time', async (t) => {
  const { issuer, transport, server } = await openWorld(t, (request, response) => {
    if (request.url === '/silent') return
    if (request.url === '/reset') return void request.socket.destroy()
    response.writeHead(200)
    if (request.url === '/large') return void response.end('x'.repeat(1024 * 1024 + 1))
    if (request.url === '/drip') return void response.write('x')
    response.end('x'.repeat(1024 * 1024))
  })
  assert.equal((await (await transport.fetch(`${issuer}/limit`)).text()).length, 1024 * 1024)
  const started = performance.now()
  assert.equal(await faultOf(transport.fetch(`${issuer}/silent`)), 'timeout')
  assert.equal(await faultOf(transport.fetch(`${issuer}/drip`)), 'timeout')
  assert.equal(await faultOf(transport.fetch(`${issuer}/reset`)), 'reset')
  assert.equal(await faultOf(transport.fetch(`${issuer}/large`)), 'too_large')
  assert.ok(performance.now() - started < 2000)
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  assert.equal(await faultOf(transport.fetch(`${issuer}/x`)), 'refused')
})

test('the detail names the place and never the query', async (t) => {
  const { issuer, transport } = await openWorld(t, (request) => void request.socket.destroy())
  await assert.rejects(
    transport.fetch(`${issuer}/token?code=sesame`),
    (error: Error) => error.message.startsWith(`${issuer}/token: `) && !error.message.includes('sesame'),
  )
})

test('a compressed answer is not unpacked', async (t) => {
  const bomb = gzipSync(Buffer.alloc(10 * 1024 * 1024))
  let asked: string | undefined
  const { issuer, transport } = await openWorld(t, (request, response) => {
    asked = String(request.headers['accept-encoding'])
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb)
  })
  const body = await (await transport.fetch(issuer)).arrayBuffer()
  assert.deepEqual([asked, body.byteLength], ['identity', bomb.length])
})

test('plain http is for loopback, internalUrl, or those who wrote it', async (t) => {
  const open = (changes: Partial<TransportOptions>) => {
    const options = { issuer: 'https://sso.example', internalUrl: undefined, caFile: undefined, timeout: 100 }
    const transport = openTransport({ ...options, allowInsecureHttp: false, ...changes })
    t.after(transport.close)
    return transport
  }
  const url = new URL('http://idp.internal:8080/x')
  assert.equal(open({}).allows(url), false)
  assert.equal(await faultOf(open({}).fetch(url)), 'insecure')
  assert.equal(open({ allowInsecureHttp: true }).allows(url), true)
  assert.equal(open({ internalUrl: new URL('http://idp.internal:8080/') }).allows(url), true)
  assert.equal(open({}).allows(new URL('http://localhost:1/x')), true)
  assert.equal(open({ allowInsecureHttp: true }).allows(new URL('ftp://localhost/x')), false)
})

test('a private CA: its file may appear after the start, and is read then', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'doorward-'))
  t.after(() => rm(folder, { recursive: true }))
  const certificates = new URL('../proxy/certificates/', import.meta.url)
  const [key, cert] = ['server.key.pem', 'server.pem'].map((name) => readFileSync(new URL(name, certificates)))
  const server = createTlsServer({ key: key!, cert: cert! }, (_, response) => void response.end('ok'))
  const issuer = `https://localhost:${await listen(t, server)}`
  const caFile = path.join(folder, 'ca.pem')
  const open = (file: string | undefined) => {
    const options = { issuer, internalUrl: undefined, caFile: file, timeout: 2000, allowInsecureHttp: false }
    const transport = openTransport(options)
    t.after(transport.close)
    return transport
  }
  assert.equal(await faultOf(open(undefined).fetch(issuer)), 'tls')
  const transport = open(caFile)
  assert.equal(await faultOf(transport.fetch(issuer)), 'ca_file')
  await copyFile(new URL('client.pem', certificates), caFile)
  assert.equal(await faultOf(transport.fetch(issuer)), 'tls')
  await copyFile(new URL('ca.pem', certificates), caFile)
  assert.equal(await (await transport.fetch(issuer)).text(), 'ok')
})

test('internalUrl names the server, a prefix of it, or the realm', () => {
  const to = (issuer: string, internal: string, path: string) =>
    internalAddress(new URL(path, issuer), new URL(issuer), new URL(internal)).href
  const realm = 'https://sso.example/realms/main'
  assert.equal(to(realm, 'http://kc:8080', '/realms/main/token?a=b'), 'http://kc:8080/realms/main/token?a=b')
  assert.equal(to(realm, 'http://kc:8080/realms/main', '/realms/main/token'), 'http://kc:8080/realms/main/token')
  assert.equal(to(realm, 'http://kc:8080/auth', '/realms/main/token'), 'http://kc:8080/auth/realms/main/token')
  const prefixed = 'https://example/auth/realms/main'
  assert.equal(to(prefixed, 'http://kc:8080/auth', '/auth/realms/main/token'), 'http://kc:8080/auth/realms/main/token')
  assert.equal(to(prefixed, 'http://kc:8080/realms/main', '/auth/realms/main/x'), 'http://kc:8080/realms/main/x')
  // Another origin, or another realm's path, is left as it is.
  assert.equal(
    to(realm, 'http://kc:8080', 'https://other.example/realms/main/x'),
    'https://other.example/realms/main/x',
  )
  assert.equal(to(realm, 'http://kc:8080/auth', '/realms/mainly/x'), 'http://kc:8080/realms/mainly/x')
  // A path that looks like another server is a path.
  assert.equal(
    to(realm, 'http://kc:8080', 'https://sso.example//elsewhere.example/token?a=b'),
    'http://kc:8080//elsewhere.example/token?a=b',
  )
  assert.equal(
    to('https://sso.example/x', 'https://sso.example/y', '/.//elsewhere:1/z'),
    'https://sso.example//elsewhere:1/z',
  )
})
