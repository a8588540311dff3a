import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { WebSocket } from 'ws'
import { parseConfigText } from '../../src/config/read.ts'
import { resolveConfig } from '../../src/config/resolve.ts'
import { demoConfigFile, startDemoWorld } from '../../src/dev/demo.ts'
import { startDemoApp } from '../../src/dev/demo-app.ts'
import { createBrowser } from '../support/browser.ts'

const identity = { 'x-auth-user': 'Zo%C3%AB <b>', 'x-auth-email': 'zoe@example.com', 'x-auth-groups': '/staff,/admins' }

test('it shows who is signed in and the headers it received, as text', async (t) => {
  const { browser, url } = await world(t)
  const home = await browser.navigate(url, { headers: identity })
  assert.match(home.text, /Hello, Zoë <b>.*E-mail zoe@example\.com.*Groups \/staff, \/admins/)
  assert.match(home.text, /x-auth-user Zo%C3%AB <b>/)
  assert.doesNotMatch(home.body, /<b>/)
  assert.match((await browser.navigate(url)).text, /Hello, stranger/)
  const who = await browser.fetch(`${url}/api/whoami`, { headers: identity })
  assert.deepEqual(JSON.parse(who.body).groups, ['/staff', '/admins'])
  assert.match((await browser.click(home, 'Admin page')).text, /Only members of \/admins/)
  assert.equal((await browser.navigate(`${url}/nothing`)).status, 404)
})

test('every page has a way out, and a public one says why it does not know who reads it', async (t) => {
  const { browser, url } = await world(t)
  for (const page of ['/', '/public/', '/admin/', '/nothing']) {
    const { body } = await browser.navigate(`${url}${page}`, { headers: identity })
    assert.equal(body.match(/action="\/_doorward\/logout"/g)?.length, 1, page)
  }
  const stranger = await browser.navigate(`${url}/public/`)
  assert.match(stranger.text, /public routes never read the session/)
  const who = await browser.fetch(`${url}/api/whoami`)
  assert.ok(who.body.endsWith('}\n'), 'a prompt begins on a line of its own')
})

test('it streams the time and echoes a websocket', async (t) => {
  const { url } = await world(t)
  const abort = new AbortController()
  const events = await fetch(`${url}/sse`, { signal: abort.signal })
  const { value } = await events.body!.getReader().read()
  assert.match(new TextDecoder().decode(value), /^data: \d{4}-.*\n\n$/)
  abort.abort()
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`)
  socket.on('open', () => socket.send('hello'))
  const said = await new Promise((resolve) => socket.once('message', (data) => resolve(String(data))))
  assert.equal(said, 'hello')
})

test('the file of the demo is one the gateway takes', () => {
  const text = demoConfigFile({
    publicPort: 4180,
    idpIssuer: 'http://localhost:4182',
    appUrl: 'http://127.0.0.1:4183',
    clientSecret: 'one that nobody replaced by a placeholder',
    operations: '127.0.0.1:4184',
  })
  const options = { env: {}, networkInterfaces: {} }
  const { config } = resolveConfig(parseConfigText(text, 'demo.yaml', {}), options)
  assert.equal(config.brand.name, 'Demo application')
  assert.deepEqual(
    config.routes.map(({ path, allow, accept }) => [path, allow, accept]),
    [
      ['/public/*', 'public', ['session']],
      ['/admin/*', { groups: ['/admins'] }, ['session']],
      ['/api/*', 'signedIn', ['session', 'bearer']],
      ['/*', 'signedIn', ['session']],
    ],
  )
})

test('the demo world closes with streams still open', async () => {
  const demo = await startDemoWorld({ port: 4180 })
  assert.match(demo.configText, /publicUrl: http:\/\/127\.0\.0\.1:4180\n/)
  const events = await fetch(`${demo.appUrl}/sse`)
  const rest = events.text().catch(() => 'cut')
  await demo.close()
  assert.equal(await rest, 'cut')
})

async function world(t: TestContext) {
  const app = await startDemoApp({ apiHint: 'curl …' })
  const browser = createBrowser()
  t.after(() => Promise.all([app.close(), browser.close()]))
  return { browser, url: app.url }
}
