/** TLS on the public listener, where nothing in front ends it. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import tls, { type SecureVersion } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { ConfigError } from '../../src/config/problems.ts'
import { parseConfigText } from '../../src/config/read.ts'
import { resolveConfig } from '../../src/config/resolve.ts'
import { signIn } from '../support/browser.ts'
import { startGateway } from '../support/gateway.ts'

const certificates = fileURLToPath(new URL('../proxy/certificates/', import.meta.url))

/** A folder with a pair in it that can be replaced, as a renewal does. */
function openFolder(t: TestContext) {
  const folder = mkdtempSync(path.join(tmpdir(), 'doorward-tls-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const [certificate, key] = [path.join(folder, 'tls.crt'), path.join(folder, 'tls.key')]
  const put = (pair: 'server' | 'client') => {
    copyFileSync(`${certificates}${pair}.pem`, certificate)
    copyFileSync(`${certificates}${pair}.key.pem`, key)
  }
  put('server')
  return { certificate, key, put, keys: { certificate, key: { file: key } } }
}

async function handshake(port: number, version?: SecureVersion) {
  const range = version && { minVersion: version, maxVersion: version }
  // The oldest versions are below what OpenSSL itself offers, unless it is told to.
  const ciphers = version === undefined ? {} : { ciphers: 'DEFAULT@SECLEVEL=0' }
  const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...range, ...ciphers })
  await once(socket, 'secureConnect')
  return socket
}

const open = async (t: TestContext, more: { errorsExpected?: true } = {}) => {
  const folder = openFolder(t)
  const publicUrl = (port: number) => `https://localhost:${port}`
  const routes = ({ application }: { application: string }) => [{ allow: 'signedIn', upstream: application }]
  const config = (world: { application: string }) => ({ tls: folder.keys, routes: routes(world) })
  return { folder, gateway: await startGateway(t, { publicUrl, config, ...more }) }
}

test('tls: people sign in over it, with the cookies of https', async (t) => {
  const { gateway } = await open(t)
  const browser = gateway.browser()
  const home = await signIn(browser, await browser.navigate(`${gateway.origin}/page?of=mine`), 'ada')
  assert.equal(home.url, `${gateway.origin}/page?of=mine`)
  const { headers } = gateway.application.last()
  assert.equal(headers['x-forwarded-proto'], 'https')
  assert.equal(headers['x-auth-user'], 'ada')
  assert.ok(home.hops.some(({ setCookies }) => setCookies.some(({ header }) => header.startsWith('__Host-'))))
})

test('tls: 1.2 is the oldest, and plain HTTP is not answered', async (t) => {
  const { gateway } = await open(t)
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) (await handshake(gateway.port, version)).destroy()
  await assert.rejects(handshake(gateway.port, 'TLSv1.1'), /protocol version|alert/i)
  await assert.rejects(fetch(`http://127.0.0.1:${gateway.port}/`))
})

test('tls: a renewed certificate is taken, and connections go on', async (t) => {
  const { folder, gateway } = await open(t)
  const before = await handshake(gateway.port)
  t.after(() => before.destroy())
  const serial = before.getPeerCertificate().serialNumber

  folder.put('client')
  assert.equal(await gateway.server.reload(), true, gateway.logText())
  const after = await handshake(gateway.port)
  t.after(() => after.destroy())
  assert.notEqual(after.getPeerCertificate().serialNumber, serial)

  const answer = once(before, 'data')
  before.write(`GET /_doorward/session HTTP/1.1\r\nHost: localhost:${gateway.port}\r\n\r\n`)
  assert.match(String((await answer)[0]), /^HTTP\/1\.1 401 /)
})

test('tls: half of a renewal changes nothing', async (t) => {
  const { folder, gateway } = await open(t, { errorsExpected: true })
  copyFileSync(`${certificates}client.pem`, folder.certificate)
  assert.equal(await gateway.server.reload(), false)
  const socket = await handshake(gateway.port)
  assert.match(String(socket.getPeerCertificate().subjectaltname), /localhost/)
  socket.destroy()
})

test('tls: check tells what is wrong with the files', (t) => {
  const folder = openFolder(t)
  const said = (publicUrl = 'https://localhost') => {
    const file = { publicUrl, tls: folder.keys, routes: [{ allow: 'public', upstream: 'http://127.0.0.1:3000' }] }
    try {
      const text = parseConfigText(JSON.stringify(file), 'doorward.yaml', {})
      const { config, warnings } = resolveConfig(text, { env: {}, networkInterfaces: {} })
      assert.ok(
        [folder.certificate, folder.key].every((each) => config.files.includes(each)),
        'both are watched',
      )
      return warnings.map(({ path: at, message }) => `${at}: ${message}`)
    } catch (error) {
      assert.ok(error instanceof ConfigError)
      return error.problems.map(({ path: at, message }) => `${at}: ${message}`)
    }
  }
  assert.deepEqual(said(), [])
  assert.deepEqual(said('https://app.example.com'), [
    'tls.certificate: is not for app.example.com, which publicUrl names',
  ])
  assert.deepEqual(said('http://localhost'), ['tls: is set, and publicUrl says http'])
  copyFileSync(`${certificates}client.key.pem`, folder.key)
  assert.deepEqual(said(), ['tls.key: does not belong to the first certificate of tls.certificate'])
  writeFileSync(folder.key, readFileSync(folder.certificate))
  assert.deepEqual(said(), ['tls.key: is not a private key in PEM'])
  writeFileSync(folder.certificate, 'hello')
  assert.deepEqual(said(), ['tls.certificate: is not a certificate in PEM'])
  rmSync(folder.certificate)
  assert.deepEqual(said(), [`tls.certificate: the file ${folder.certificate} does not exist`])
})

test('tls: the file of the page is one that starts', (t) => {
  const folder = openFolder(t)
  const page = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8')
  const block = /^```yaml\n([^`]*^tls:[^`]*)^```/m.exec(page)?.[1] ?? ''
  const file = block.replaceAll('/etc/doorward/', `${path.dirname(folder.key)}/`)
  const whole = `${file}routes:\n  - { allow: public, upstream: "http://127.0.0.1:3000" }\n`
  const { config } = resolveConfig(parseConfigText(whole, 'doorward.yaml', {}), { env: {}, networkInterfaces: {} })
  assert.match(config.tls?.certificate ?? '', /BEGIN CERTIFICATE/)
})
