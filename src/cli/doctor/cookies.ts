/** Whether browsers keep our cookies and bring them back: scheme, names, and what of a session fits. */
import type { Config } from '../../config/config.ts'
import type { Examination, Patient } from './examination.ts'
import type { Finding } from './finding.ts'
import { cookieNamesOf, ownCookieTest } from './gateway-pages.ts'
import { meaningOf } from './outside-answer.ts'
import { askFromOutside, navigation } from './outside-ask.ts'
import { siteOf } from './protected-addresses.ts'

export const cookies: Examination = {
  name: 'cookies',
  async examine(patient) {
    const { through } = patient.asked
    const seen = through === undefined ? [] : await lookThrough(patient, through)
    return [...sharedNames(patient.config), ...seen]
  },
}

/** Cookies know no port (RFC 6265 8.5): one name for two origins of a host is one cookie for two sessions. */
function sharedNames({ publicUrls, session }: Config): readonly Finding[] {
  if (session.cookieName === undefined || session.cookieDomain !== undefined) return []
  const hosts = publicUrls.map(({ hostname }) => hostname)
  const shared = hosts.find((host, index) => hosts.indexOf(host) !== index)
  if (shared === undefined) return []
  return [
    {
      name: 'cookie-name-shared',
      severity: 'error',
      place: 'session.cookieName',
      cause: `${session.cookieName} is the cookie of several addresses of ${shared}, which browsers do not tell apart by port: each sign-in ends the other`,
      fix: 'remove session.cookieName: every address has a name of its own then',
    },
  ]
}

async function lookThrough(patient: Patient, through: URL): Promise<readonly Finding[]> {
  const { config, signal } = patient
  try {
    const answer = await askFromOutside(through, navigation, signal)
    const isMoved = meaningOf(answer, through, config).kind === 'moved'
    return [...(isMoved ? [] : wrongScheme(config, through)), ...(await clashes(patient, through))]
  } catch {
    // That nobody answers there is told of the gateway in front.
    return wrongScheme(config, through)
  }
}

async function clashes({ config, signal }: Patient, through: URL): Promise<readonly Finding[]> {
  const isOwn = ownCookieTest(config)
  for (const url of siteOf(config).open(through)) {
    const clash = cookieNamesOf(await askFromOutside(url, navigation, signal)).find(isOwn)
    if (clash !== undefined) return [clashing(url, clash)]
  }
  return []
}

function wrongScheme({ publicUrls }: Config, { hostname, protocol, origin }: URL): readonly Finding[] {
  const own = publicUrls.filter((url) => url.hostname === hostname)
  if (own.length === 0 || own.some((url) => url.protocol === protocol)) return []
  const [written] = own
  const isHttp = protocol === 'http:'
  return [
    {
      name: isHttp ? 'cookie-secure-on-http' : 'public-url-not-https',
      severity: 'error',
      place: 'publicUrl',
      cause: isHttp
        ? `people come to ${origin}, and publicUrl is ${written!.origin}: browsers take no Secure cookie over http`
        : `people come to ${origin}, and publicUrl is ${written!.origin}: cookies are not Secure, and no session is found`,
      fix: isHttp ? 'let the gateway send http to https' : `write publicUrl: ${origin}`,
    },
  ]
}

const clashing = (url: URL, name: string): Finding => ({
  name: 'cookie-name-clash',
  severity: 'error',
  place: url.origin + url.pathname,
  cause: `the application, or another gateway, sets the cookie ${name}, which is one of ours: whoever opens this page is signed out`,
  fix: 'write another session.cookieName here or there, or remove it: the usual name is unlike all others',
})
