/** Whether the gateway lets people reach the pages they are sent to, and gives them the cookies of those. */
import type { Config } from '../../config/config.ts'
import { createOwnCookieTest } from '../../session/cookie-name.ts'
import { specsOf } from '../../session/open.ts'
import type { Patient } from './examination.ts'
import type { Finding } from './finding.ts'
import { meaningOf } from './outside-answer.ts'
import { askFromOutside, navigation, type OutsideAnswer } from './outside-ask.ts'

/** @param location of the sign-in page, as a browser was sent there; opening it begins a login that nobody goes on with */
export async function openSignIn({ config, signal }: Patient, location: URL): Promise<readonly Finding[]> {
  const answer = await askFromOutside(location, navigation, signal)
  const place = location.origin + location.pathname
  const { kind } = meaningOf(answer, location, config)
  const isProviderDown = answer.status === 503 || answer.status === 502
  if (isProviderDown) return []
  if (
    answer.status === 404 ||
    kind === 'unauthorised' ||
    kind === 'refused' ||
    kind === 'sign-in' ||
    kind === 'unavailable'
  ) {
    return [hidden(place, config, answer.status)]
  }
  const begins = answer.status >= 300 && answer.status < 400
  return begins && !cookieNamesOf(answer).some(ownCookieTest(config)) ? [cookiesDropped(place)] : []
}

/** Names of the cookies an answer sets. */
export const cookieNamesOf = ({ headers }: OutsideAnswer): readonly string[] =>
  (headers['set-cookie'] ?? []).map((line) => line.slice(0, Math.max(0, line.indexOf('='))).trim())

export const ownCookieTest = (config: Config): ((name: string) => boolean) =>
  createOwnCookieTest(specsOf(config).map(({ names }) => names))

const hidden = (place: string, { basePath }: Config, status: number): Finding => ({
  name: 'gateway-hides-pages',
  severity: 'error',
  place,
  cause: `people are sent to this page to sign in, and the gateway answers ${status} there`,
  fix: `let the gateway send ${basePath}/ to the public listener (listen), without asking about it`,
})

const cookiesDropped = (place: string): Finding => ({
  name: 'gateway-drops-cookies',
  severity: 'error',
  place,
  cause: 'the sign-in begins, and the cookie that it set did not come through the gateway',
  fix: 'let the gateway pass on every Set-Cookie of this page, unchanged, and cache nothing of it',
})
