import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { createBrowser } from '../support/browser.ts'
import { start } from './process.ts'

test('the demo takes the next port, lets two people in as it says, and ends on Ctrl-C', {
  timeout: 30_000,
}, async (t) => {
  const squatter = createServer()
  squatter.listen(0, '127.0.0.1')
  await once(squatter, 'listening')
  const { port: taken } = squatter.address() as AddressInfo

  const demo = start(t, ['demo', '--port', String(taken)])
  const [, address] = await demo.says(/Open (http:\/\/127\.0\.0\.1:\d+) and sign in/)
  await demo.says(/Ctrl-C ends everything/)
  squatter.close()
  assert.notEqual(new URL(address!).port, String(taken))
  assert.match(demo.stderr(), new RegExp(`port ${taken} is taken, so this is port ${new URL(address!).port}`))

  const people = [...demo.stdout().matchAll(/^ {4}(\w+) +(\w+) +(everything.*)$/gm)]
  assert.deepEqual(
    people.map(([, user]) => user),
    ['ada', 'bob'],
  )
  for (const [, username, password, sees] of people) {
    const browser = createBrowser()
    assert.equal((await browser.navigate(`${address}/public`)).status, 200)
    const login = await browser.navigate(address!)
    const home = await browser.submit(login, { username: username!, password: password! })
    assert.deepEqual([home.url, home.status], [`${address}/`, 200])
    const admin = await browser.navigate(`${address}/admin`)
    assert.equal(admin.status, sees === 'everything, the admin page too' ? 200 : 403)
    await browser.close()
  }

  demo.child.kill('SIGINT')
  assert.equal(await demo.ended(), 0)
  assert.match(demo.stderr(), /nothing is left running\n$/)
  await assert.rejects(fetch(address!))
})
