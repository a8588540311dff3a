/** Answers that take their time end with whoever they were for. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { type TestContext, test } from 'node:test'
import { createOpenTunnels } from '../../src/http/open-tunnels.ts'
import { createSession } from '../../src/session/lifetimes.ts'
import { person } from '../policy/fixtures.ts'
import { hours } from '../support/clock.ts'
import { signedIn, startGateway } from '../support/gateway.ts'
import { openStream } from '../support/kubernetes-world.ts'

const size = 2 * 1024 * 1024

/** An application with an event stream, a download of known length that halts half-way, and a slow page. */
async function openWorld(t: TestContext, path: string, headers: Readonly<Record<string, string>>) {
  const gateway = await startGateway(t)
  let sent: ServerResponse | undefined
  gateway.application.on(path, (_request, response) => {
    sent = response
    response.writeHead(200, headers).write(Buffer.alloc(10, 'x'))
  })
  const browser = await signedIn(gateway)
  const cookie = browser.cookies.header(new URL(gateway.origin))!
  const stream = await openStream(gateway.origin + path, { cookie })
  await stream.next()
  return {
    gateway,
    stream,
    application: sent!,
    signOut: () => browser.navigate(gateway.own('logout'), { from: gateway.origin, form: {}, follow: 0 }),
  }
}

/** Longer than the gateway takes between two looks for sessions that ran out. */
const sweep = () => new Promise((resolve) => setTimeout(resolve, 1200))

const liveOf = (id: string) => ({
  session: { ...createSession({ identity: person(), tokens: {} }, 0, { idle: 1, lifetime: 1 }), id },
  seenAt: 0,
})

for (const [what, path, headers] of [
  ['an event stream', '/events', { 'content-type': 'text/event-stream' }],
  ['a download', '/download', { 'content-length': String(size) }],
] as const) {
  test(`${what} is cut when its session signs out, and looks incomplete`, async (t) => {
    const { stream, application, signOut } = await openWorld(t, path, headers)
    const gone = once(application, 'close')
    await signOut()
    assert.equal(await stream.ended(), 'cut')
    await gone
  })
}

test('an event stream is cut when its session has been idle for too long', async (t) => {
  const { gateway, stream } = await openWorld(t, '/events', { 'content-type': 'text/event-stream' })
  gateway.clock.move(2 * hours)
  assert.equal(await stream.ended(), 'cut')
})

test('a download that has begun is let finish when its session runs out by itself', async (t) => {
  const { gateway, stream, application } = await openWorld(t, '/download', { 'content-length': String(size) })
  gateway.clock.move(2 * hours)
  await sweep()
  application.end(Buffer.alloc(size - 10, 'y'))
  assert.equal(await stream.ended(), 'whole')
})

test('an answer that is over is let go of', () => {
  const register = createOpenTunnels()
  let closed = 0
  const answer = { close: () => void closed++ }
  const live = liveOf('one')
  const over = [
    register.addAnswer(answer, { live, until: undefined }, true),
    register.addAnswer(answer, { live: undefined, until: 1 }, true),
  ]
  for (const release of over) release()
  register.endSession('one')
  register.sweep(() => true, 2)
  assert.equal(closed, 0)
  register.addAnswer(answer, { live, until: undefined }, false)
  register.endCovered(({ session }) => session.id === 'one')
  assert.equal(closed, 1)
  register.endSession('one')
  assert.equal(closed, 2)
})
