/** Our own pages read forms of two short fields: one that comes byte by byte must not hold its connection. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { startGateway } from '../support/gateway.ts'

const form = 'application/x-www-form-urlencoded'

for (const page of ['logout', 'backchannel-logout'])
  test(`a form that never ends is answered by ${page} in time, and the connection closes`, async (t) => {
    const gateway = await startGateway(t, { config: { limits: { headersTimeout: '1s' } } })
    const socket = connect(gateway.port, '127.0.0.1').setEncoding('latin1')
    socket.on('error', () => {})
    const lines = [
      `Host: ${new URL(gateway.origin).host}`,
      `Origin: ${gateway.origin}`,
      `Content-Type: ${form}`,
      'Content-Length: 1000',
    ]
    socket.write(`POST /_doorward/${page} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
    const dripping = setInterval(() => socket.write('a'), 50)
    socket.once('close', () => clearInterval(dripping))
    let text = ''
    socket.on('data', (chunk: string) => {
      text += chunk
    })
    await once(socket, 'close', { signal: AbortSignal.timeout(10_000) })
    assert.match(text, /^HTTP\/1\.1 408 /)
    assert.match(text, /\r\nconnection: close\r\n/i)
    assert.equal(text.split('HTTP/1.1').length, 2)
  })

test('a client that asks first may send its form', async (t) => {
  const gateway = await startGateway(t)
  const socket = connect(gateway.port, '127.0.0.1').setEncoding('latin1')
  t.after(() => socket.destroy())
  const lines = [
    `Host: ${new URL(gateway.origin).host}`,
    `Content-Type: ${form}`,
    'Content-Length: 14',
    'Connection: close',
  ]
  socket.write(`POST /_doorward/backchannel-logout HTTP/1.1\r\n${lines.join('\r\n')}\r\nExpect: 100-continue\r\n\r\n`)
  const [first] = await once(socket, 'data', { signal: AbortSignal.timeout(5_000) })
  assert.equal(first, 'HTTP/1.1 100 Continue\r\n\r\n')
  socket.write('logout_token=x')
  const [second] = await once(socket, 'data', { signal: AbortSignal.timeout(5_000) })
  assert.match(second, /^HTTP\/1\.1 400 /)
})
