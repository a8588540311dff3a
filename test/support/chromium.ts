import type { TestContext } from 'node:test'
import { type Browser, chromium } from 'playwright-core'
import { requirePart } from './real-part.ts'

/** Nothing that talks to the outside, and no sandbox: in a container there is no right to make one. */
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** The machine's Chromium, closed when the test ends; undefined, and the test skipped, where there is none. */
export async function openChromium(t: TestContext): Promise<Browser | undefined> {
  const executablePath = requirePart(t, 'chromium')
  if (executablePath === undefined) return undefined
  const browser = await chromium.launch({ executablePath, args, headless: true })
  t.after(() => browser.close())
  return browser
}
