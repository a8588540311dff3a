import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Page } from 'playwright-core'
import { pageHeaders } from '../../src/http/pages/headers.ts'
import { seriousFindings } from '../support/axe.ts'
import { openChromium } from '../support/chromium.ts'
import { paintedBrand, plainBrand, samplePages } from './samples.ts'

/** Where to leave a picture of each page, for people to look at. */
const folder = process.env.DOORWARD_SCREENSHOTS
/** A brand changes colours and the header alone: these pages hold every kind of part. */
const paintedSamples = ['sign-in', 'forbidden', 'loop']
const brands = { plain: plainBrand, painted: paintedBrand }

test('every page, light and dark, narrow and wide: no serious axe finding, no CSP violation, no sideways scrolling', {
  timeout: 120_000,
}, async (t) => {
  const browser = await openChromium(t)
  if (browser === undefined) return
  const origin = await servePages(t)
  for (const colorScheme of ['light', 'dark'] as const) {
    const page = await browser.newPage({ colorScheme })
    const complaints: string[] = []
    page.on('console', (message) => complaints.push(`${page.url()}: ${message.text()}`))
    for (const [brand, config] of Object.entries(brands)) {
      for (const name of Object.keys(samplePages(config))) {
        if (brand === 'painted' && !folder && !paintedSamples.includes(name)) continue
        await page.goto(`${origin}/${brand}/${name}`)
        const label = `${name}-${brand}-${colorScheme}`
        for (const width of [320, 1200]) {
          await page.setViewportSize({ width, height: 800 })
          assert.ok(await fits(page), `${label} scrolls sideways at ${width}`)
          if (folder !== undefined) await page.screenshot({ path: path.join(folder, `${label}-${width}.png`) })
        }
        assert.deepEqual(await seriousFindings(page), [], label)
      }
    }
    assert.deepEqual(complaints, [])
    await page.close()
  }
})

test('a form of ours is posted with our origin, so that the CSRF check can tell it from a foreign one', async (t) => {
  const browser = await openChromium(t)
  if (browser === undefined) return
  const origin = await servePages(t)
  const page = await browser.newPage()
  await page.goto(`${origin}/plain/forbidden`)
  const sent = page.waitForRequest((request) => request.method() === 'POST')
  await page.getByRole('button', { name: 'Sign in as someone else' }).click()
  const headers = await (await sent).allHeaders()
  assert.equal(headers.origin, origin)
  assert.equal(headers['sec-fetch-site'], 'same-origin')
})

async function servePages(t: TestContext): Promise<string> {
  const server = createServer((request, response) => {
    const [, brand, name] = request.url!.split('/') as [string, 'plain' | 'painted', string]
    const page = brands[brand] && samplePages(brands[brand])[name]
    response.writeHead(
      page === undefined ? 404 : 200,
      pageHeaders({ brand: brands[brand] ?? plainBrand, scheme: 'http' }),
    )
    response.end(String(page))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const fits = (page: Page) => page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth')
