/** The demo world as a person sees it, in a real browser. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Page } from 'playwright-core'
import { loadConfig } from '../../src/config/load.ts'
import { startDemoWorld } from '../../src/dev/demo.ts'
import { startServer } from '../../src/server.ts'
import { seriousFindings } from '../support/axe.ts'
import { openChromium } from '../support/chromium.ts'
import { freePort } from '../support/free-port.ts'
import { until } from '../support/gateway.ts'

/** Where to leave a picture of each step, for people to look at. */
const folder = process.env.DOORWARD_SCREENSHOTS

async function startDemo(t: TestContext): Promise<string> {
  const port = await freePort()
  const world = await startDemoWorld({ port })
  const directory = mkdtempSync(path.join(tmpdir(), 'doorward-demo-'))
  const file = path.join(directory, 'config.yaml')
  writeFileSync(file, world.configText)
  const lines: string[] = []
  const destination = { write: (line: string) => void lines.push(line), dropped: () => 0, flush() {}, async close() {} }
  const server = await startServer({
    source: { load: (more) => loadConfig(file, {}, more) },
    destination,
    watch: false,
  })
  t.after(async () => {
    await server.close()
    await world.close()
    rmSync(directory, { recursive: true })
    const errors = lines.filter((line) => line.includes('"level":"error"'))
    assert.deepEqual(errors, [])
  })
  return world.publicUrl
}

test('sign in, look around, sign out, come back as somebody else', { timeout: 120_000 }, async (t) => {
  const browser = await openChromium(t)
  if (browser === undefined) return
  const origin = await startDemo(t)
  const page = await browser.newPage({ viewport: { width: 1100, height: 900 } })
  const complaints: string[] = []
  page.on('console', (message) => {
    // Pages that refuse on purpose are told on the console too, and so is the clock that ends with its session.
    const isMeant = /status of 40[03]|net::ERR_INCOMPLETE_CHUNKED_ENCODING/.test(message.text())
    if (message.type() === 'error' && !isMeant) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  const look = async (name: string) => {
    if (folder !== undefined) {
      mkdirSync(folder, { recursive: true })
      await page.screenshot({ path: path.join(folder, `demo-${name}.png`), fullPage: true })
    }
    assert.deepEqual(await seriousFindings(page), [], name)
  }

  await page.goto(`${origin}/?from=a-bookmark`)
  assert.equal(await heading(page), 'Who are you today?')
  await look('1-login')
  await page.getByRole('button', { name: /Ada Lovelace/ }).click()
  assert.equal(page.url(), `${origin}/?from=a-bookmark`)
  assert.equal(await heading(page), 'Hello, ada')
  assert.match(await page.locator('table').innerText(), /X-Auth-Groups\s+\/staff,\/admins/i)
  assert.doesNotMatch(await page.locator('table').innerText(), /cookie/i)
  const clock = page.locator('#clock')
  await until(async () => /\d/.test(await clock.innerText()), 'the clock ticks')
  const first = await clock.innerText()
  await until(async () => (await clock.innerText()) !== first, 'the clock goes on', 3000)
  await page.getByLabel('Say something').fill('is this on?')
  await page.getByRole('button', { name: 'Send' }).click()
  await until(async () => /is this on\?/.test(await page.locator('#echoed').innerText()), 'the echo')
  await look('2-home')
  await page.getByRole('link', { name: 'Public page' }).click()
  assert.match(await page.locator('main').innerText(), /did not say who you are/)
  await look('3-public')
  await page.getByRole('link', { name: 'Admin page' }).click()
  assert.equal(await heading(page), 'The admin page')
  await look('4-admin')

  await page.getByRole('link', { name: 'Home' }).click()
  await page.getByRole('button', { name: 'Sign out' }).click()
  assert.equal(await heading(page), 'You are signed out')
  await look('5-signed-out')
  await page.goBack()
  assert.notEqual(await heading(page), 'Hello, ada', 'the Back button shows nothing of before')

  await page.goto(`${origin}/admin/`)
  await page.getByRole('button', { name: /Bob Wheeler/ }).click()
  assert.equal(await heading(page), 'You may not see this page')
  assert.match(await page.locator('main').innerText(), /bob/)
  assert.match(await page.locator('main').innerText(), /\/admins/)
  await look('6-forbidden')
  await page.getByRole('button', { name: 'Sign in as someone else' }).click()
  await page.getByRole('button', { name: /Ada Lovelace/ }).click()
  assert.equal(page.url(), `${origin}/admin/`)
  assert.equal(await heading(page), 'The admin page')
  await page.goto(`${origin}/_doorward/callback?code=x&state=y`)
  await look('7-callback')
  assert.deepEqual(complaints, [])
})

const heading = (page: Page): Promise<string> => page.locator('h1').innerText()
