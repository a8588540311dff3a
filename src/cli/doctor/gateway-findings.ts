/** What the doctor says of a gateway in front of Doorward. */
import type { Config } from '../../config/config.ts'
import type { Finding, Severity } from './finding.ts'
import type { Probe } from './gateway-probes.ts'
import type { Meaning } from './outside-answer.ts'

const placeOf = (url: URL): string => url.origin + url.pathname

export const unreachable = (url: URL, why: string): Finding => ({
  name: 'gateway-unreachable',
  // Somebody named the address: that nobody answers there is no health.
  severity: 'error',
  place: placeOf(url),
  cause: `it cannot be asked from here: ${why}`,
  fix: 'run the doctor where browsers are: `doorward doctor --through` needs the file, and no cluster',
})

/** It can be seen on open pages alone: behind a sign-in a stranger's header goes nowhere. */
export const passingUnseen = (url: URL): Finding => ({
  name: 'gateway-passes-unseen',
  severity: 'unseen',
  place: url.origin,
  cause: 'whether a forged identity header reaches the application was not seen: no address is open to everybody',
  fix: 'send one while signed in, and look at what the application receives; docs/gateways has the lines that remove it',
})

export const notAsked: Finding = {
  name: 'gateway-unseen',
  severity: 'unseen',
  place: 'the gateway in front',
  cause: 'nobody looked from outside whether it asks for every address',
  fix: 'add --through with a protected address as browsers reach it',
}

export const hostUnknown = (url: URL, { publicUrls }: Config): Finding => ({
  name: 'through-host-unknown',
  severity: 'error',
  place: '--through',
  cause: `the file knows no host ${url.host}; publicUrl is ${publicUrls.map(({ origin }) => origin).join(' and ')}`,
  fix: 'give an address of publicUrl, or add the host to publicUrl or to a route',
})

export const notProtected = (url: URL, route: string | undefined): Finding => ({
  name: 'through-not-protected',
  severity: 'unseen',
  place: '--through',
  cause:
    route === undefined
      ? `no route of the file has ${placeOf(url)}`
      : `route ${route} leaves ${placeOf(url)} open to everybody`,
  fix: 'give an address that needs a sign-in: only there an open door can be told from a closed one',
})

export const failsOpen = (url: URL, said: string): Finding => ({
  name: 'gateway-fails-open',
  severity: 'error',
  place: placeOf(url),
  cause: `without a cookie the answer is ${said}, and none of Doorward's: somebody else answered a protected address`,
  fix: 'let the gateway ask Doorward for this address too (docs/gateways), and let nothing lead around it',
})

export const talkedPast = (url: URL, { name, fix }: Probe, needed: readonly string[]): Finding => ({
  name,
  severity: 'error',
  place: placeOf(url),
  cause: `whoever sends ${needed.join(', ')} gets in without signing in`,
  fix,
})

export const identityPassed = (url: URL): Finding => ({
  name: 'gateway-passes-identity-header',
  severity: 'error',
  place: placeOf(url),
  cause: 'an identity header that a stranger wrote reached the application as it was',
  fix: 'let the gateway copy every identity header from the answer of Doorward, also where it is empty (docs/gateways)',
})

export function signIn(url: URL, meaning: Meaning, { publicUrls }: Config): readonly Finding[] {
  const place = placeOf(url)
  switch (meaning.kind) {
    case 'sign-in':
      return schemeOf(place, meaning.location, publicUrls)
    case 'unauthorised':
      return [
        {
          name: 'gateway-drops-sign-in',
          severity: 'error',
          place,
          cause: 'a browser gets 401 and is not sent to sign in',
          fix: 'let the gateway pass on the redirect, or the Location of a 401; and Accept and Sec-Fetch-* on the way there',
        },
      ]
    case 'refused':
      return [
        {
          name: 'gateway-refuses',
          severity: 'error',
          place,
          cause: 'everybody is refused before they can sign in',
          fix: 'look at trustedProxies, at the endpoint the gateway asks (/auth/...), and at the headers it sends along',
        },
      ]
    case 'unavailable':
      return [
        {
          name: 'gateway-cannot-ask',
          severity: 'error',
          place,
          cause:
            'the gateway answers with an error of its own: it does not reach Doorward, or does not take its answer',
          fix: 'let it ask the address of forwardAuth, at the endpoint made for it: /auth/nginx for nginx, which knows no redirect',
        },
      ]
    default:
      return []
  }
}

/** What the gateway says of the scheme comes back in the address to return to. */
function schemeOf(place: string, location: URL, publicUrls: readonly URL[]): readonly Finding[] {
  const back = location.searchParams.get('rd') ?? ''
  const [, scheme, host] = /^(https?):\/\/([^/?#]+)/.exec(back) ?? []
  const own = publicUrls.find((url) => url.host === host || url.hostname === host?.replace(/:\d+$/, ''))
  if (scheme === undefined || own === undefined || own.protocol === `${scheme}:`) return []
  return [
    {
      name: 'gateway-says-wrong-scheme',
      severity: 'error',
      place,
      cause: `the gateway says that browsers come by ${scheme}, and publicUrl is ${own.origin}: no session is found`,
      fix: `let it send X-Forwarded-Proto: ${own.protocol.slice(0, -1)} (nginx: also in X-Original-URL, in place of $scheme)`,
    },
  ]
}

export const scriptRedirected = (url: URL): Finding => ({
  name: 'gateway-redirects-scripts',
  severity: 'warning',
  place: placeOf(url),
  cause: 'a script that fetches data is sent to sign in like a page, and reads the page of another site or nothing',
  fix: 'let the gateway pass on Accept, X-Requested-With and Sec-Fetch-* to Doorward, which answers 401 then',
})

export const headerLimit = (url: URL, bytes: number, status: number): Finding => ({
  name: 'gateway-header-limit',
  severity: 'warning',
  place: placeOf(url),
  cause: `a request with ${bytes} bytes of cookies is ${status === 0 ? 'cut off' : `answered ${status}`}: too large for it`,
  fix: 'allow 8 KiB for a header line and 32 KiB for all (nginx: large_client_header_buffers 4 8k), or use session.store: redis',
})

/** An authority that this machine does not know is nothing to tell of: browsers of people may know it. */
const certificateFaults: readonly (readonly [RegExp, what: string, fix: string])[] = [
  [/EXPIRED/, 'no longer valid', 'renew it; a renewed one is often in place, and the gateway has to be reloaded'],
  [/NOT_YET_VALID/, 'not valid yet', 'compare the clocks of this machine and of whoever issued it'],
  [/ALTNAME/, 'for another name', 'get one that names this host; a gateway without one shows its own default'],
]

export function certificate(url: URL, fault: string | undefined): readonly Finding[] {
  const [, what, fix] = certificateFaults.find(([pattern]) => pattern.test(fault ?? '')) ?? []
  if (what === undefined || fix === undefined) return []
  const cause = `browsers refuse the certificate of the gateway, which is ${what} (${fault})`
  return [{ name: 'gateway-certificate', severity: 'error', place: placeOf(url), cause, fix }]
}

export const endpointPublic = (url: URL, severity: Severity): Finding => ({
  name: 'forward-auth-public',
  severity,
  place: placeOf(url),
  cause:
    severity === 'error'
      ? 'strangers can ask the forward-auth listener, and it believes what they say was asked for'
      : 'strangers reach the forward-auth listener; it turned this one away',
  fix: 'route only the public listener to the outside; the one of forwardAuth is for the gateway alone',
})
