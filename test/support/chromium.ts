import { existsSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { type Browser, chromium } from 'playwright-core'

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
const required = (process.env.DOORWARD_REQUIRE ?? '').split(/[\s,]+/).includes('chromium')

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

/**
 * The machine's Chromium, closed when the test ends. Without one the test is skipped with a notice that names
 * what is missing; where the environment variable DOORWARD_REQUIRE lists `chromium` it fails instead.
 */
export async function openChromium(t: TestContext): Promise<Browser | undefined> {
  if (!existsSync(executablePath)) {
    const notice = `no Chromium at ${executablePath}: install the package chromium, or name one in CHROMIUM`
    if (required) throw new Error(notice)
    t.skip(notice)
    return undefined
  }
  const browser = await chromium.launch({ executablePath, args, headless: true })
  t.after(() => browser.close())
  return browser
}
