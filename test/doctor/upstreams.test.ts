/** Applications that are not there, or speak something else than the file says. */

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { upstreams } from '../../src/cli/doctor/upstreams.ts'
import { startApplication } from '../support/application.ts'
import { freePort } from '../support/free-port.ts'
import { openRawUpstream } from '../support/upstream.ts'
import { configOf, patientWith } from './sound-patient.ts'
import { openTally } from './tally.ts'

const tally = openTally('upstreams')
const certificate = (name: string) => fileURLToPath(new URL(`../proxy/certificates/${name}`, import.meta.url))

const examine = (t: TestContext, upstream: unknown) =>
  upstreams.examine(patientWith(configOf(t, { allowInsecureHttp: true, routes: [{ allow: 'signedIn', upstream }] })))

test('plain http', async (t) => {
  const application = await startApplication()
  t.after(() => application.close())
  tally.healthy(await examine(t, application.url))
  tally.planted('upstream-without-tls', await examine(t, application.url.replace('http:', 'https:')))
  application.on('/', (_request, response) => {
    response.writeHead(301, { location: 'https://app.example.com/' }).end()
  })
  tally.planted('upstream-redirects-to-https', await examine(t, application.url))
  application.on('/', (_request, response) => void response.writeHead(302, { location: '/login' }).end())
  tally.healthy(await examine(t, application.url))
  application.on('/', (_request, response) => void response.writeHead(500).end())
  tally.healthy(await examine(t, application.url))
})

test('https', async (t) => {
  const key = readFileSync(certificate('server.key.pem'))
  const server = https.createServer({ key, cert: readFileSync(certificate('server.pem')) }, (_request, response) => {
    response.end('fine')
  })
  await once(server.listen(0, '0.0.0.0'), 'listening')
  t.after(() => void server.close())
  const { port } = server.address() as AddressInfo
  const ca = certificate('ca.pem')
  tally.healthy(await examine(t, { url: `https://localhost:${port}`, ca }))
  tally.planted('upstream-certificate', await examine(t, `https://localhost:${port}`))
  tally.planted('upstream-certificate', await examine(t, { url: `https://127.0.0.2:${port}`, ca }))
  tally.planted('upstream-expects-tls', await examine(t, `http://localhost:${port}`))
})

test('nginx and Go say in words that they want TLS', async (t) => {
  const said = 'Client sent an HTTP request to an HTTPS server.\n'
  const upstream = await openRawUpstream((socket) => {
    socket.end(`HTTP/1.0 400 Bad Request\r\ncontent-length: ${said.length}\r\n\r\n${said}`)
  })
  t.after(() => upstream.close())
  tally.planted('upstream-expects-tls', await examine(t, upstream.url.origin))
})

test('nobody there', async (t) => {
  tally.planted('upstream-unreachable', await examine(t, `http://127.0.0.1:${await freePort()}`))
  tally.planted('upstream-unreachable', await examine(t, 'http://grafana.invalid:3000'))
  tally.planted('upstream-unreachable', await examine(t, 'unix:/nowhere/app.sock'))
  const mute = await openRawUpstream((socket) => socket.destroy())
  t.after(() => mute.close())
  tally.planted('upstream-unreachable', await examine(t, mute.url.origin))
})
