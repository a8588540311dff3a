/** Anybody can open a callback address: what is remembered of that takes no room from the sessions. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfigText } from '../../src/config/read.ts'
import { resolveConfig } from '../../src/config/resolve.ts'
import { openProcess } from '../../src/http/process.ts'
import { createSession } from '../../src/session/lifetimes.ts'
import { host, person } from '../policy/fixtures.ts'
import { movableClock } from '../support/clock.ts'

const file = `
version: 1
publicUrl: https://${host}
provider: { issuer: "http://127.0.0.1:9", clientId: app }
routes: [{ allow: signedIn, upstream: "http://127.0.0.1:9" }]
`

test('a flood of callback states pushes no session out', async () => {
  const { config } = resolveConfig(parseConfigText(file, 'doorward.yaml', {}), { env: {}, networkInterfaces: {} })
  const clock = movableClock()
  const destination = { write() {}, dropped: () => 0, flush() {}, async close() {} }
  const running = await openProcess(config, destination, clock, { usedStates: 8, memoryEntries: 8 })
  const { serving, flights } = running.parts
  const [site] = serving().sessions.sites
  const session = createSession({ identity: person(), tokens: {} }, clock.now(), config.session)
  const [cookie] = (await site!.store.create(session))[0]!.split(';', 1)
  const answer = { status: 303, headers: {}, body: '' }
  for (let state = 0; state < 50; state++) await flights.once(`state ${state}`, async () => answer)
  assert.equal((await flights.once('state 49', async () => answer)).kind, 'replayed', 'states are remembered')
  // A new configuration has opened no session yet: it reads what the store holds.
  running.swap(config)
  const found = await serving().sessions.sites[0]!.store.find(cookie)
  assert.equal(found.kind, 'live')
  await running.close()
})
