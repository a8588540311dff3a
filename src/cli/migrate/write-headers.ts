/** What applications are told: identity headers, tokens, and the headers of the alpha file. */
import { type Draft, value } from './draft.ts'
import type { Settings } from './given.ts'
import type { Alpha, AlphaHeader } from './read-alpha.ts'

export interface RouteHeaders {
  readonly headers: Readonly<Record<string, string>>
  readonly place: string
}

/** A token in a header takes a store that keeps it. */
export const holdsToken = ({ headers }: RouteHeaders): boolean =>
  Object.values(headers).some((template) => /\{(?:accessToken|idToken)\}/.test(template))

/** @param forwardAuthAlone then what they add to the answer reaches the application as well */
export function headersOf(
  draft: Draft,
  settings: Settings,
  alpha: Alpha | undefined,
  forwardAuthAlone: boolean,
): RouteHeaders {
  const injected = (alpha?.headers ?? []).filter(({ on, place }) => {
    if (on === 'request' || forwardAuthAlone) return true
    draft.leave({ place, why: 'headers for browsers are not made; applications get theirs by `headers`' })
    return false
  })
  if (injected.length > 0)
    return {
      headers: Object.assign({}, ...injected.map((one) => templateOf(draft, one))),
      place: 'injectRequestHeaders',
    }
  const preferEmail = settings.on('prefer-email-to-user')
  const isGitHub = settings.text('provider') === 'github'
  const token = settings.on('pass-access-token')
  const bearer = settings.on('pass-authorization-header') || settings.on('set-authorization-header')
  const headers = {
    ...(isGitHub && { 'X-Forwarded-User': '{username}', 'X-Auth-Request-User': '{username}' }),
    ...(preferEmail && { 'X-Forwarded-User': '{email}' }),
    ...(token && { 'X-Forwarded-Access-Token': '{accessToken}' }),
    ...(token && settings.on('set-xauthrequest') && { 'X-Auth-Request-Access-Token': '{accessToken}' }),
    ...(bearer && { Authorization: 'Bearer {idToken}' }),
  }
  const place = settings.place(
    'prefer-email-to-user',
    'pass-access-token',
    'pass-authorization-header',
    'set-authorization-header',
  )
  return { headers, place: place || (isGitHub ? 'their user of GitHub is the login' : '') }
}

/** The whole set of theirs, or none: which of it an application reads is its own business. */
export function writeIdentityHeaders(draft: Draft, settings: Settings, alpha: Alpha | undefined): void {
  draft.gap()
  const place = settings.place('pass-user-headers', 'set-xauthrequest')
  const byHand = (alpha?.headers ?? []).length > 0
  const wanted = settings.on('pass-user-headers', true) || settings.on('set-xauthrequest')
  if (byHand || !wanted || alpha !== undefined) {
    draft.line(0, 'identityHeaders: none', byHand ? 'the routes name them' : place || 'the alpha file names none')
  } else draft.line(0, 'identityHeaders: oauth2-proxy', place || 'their default')
}

const claims: Readonly<Record<string, string>> = {
  user: '{sub}',
  email: '{email}',
  groups: '{groups}',
  preferred_username: '{username}',
  access_token: '{accessToken}',
  id_token: '{idToken}',
}

function templateOf(draft: Draft, { name, values, place }: AlphaHeader): Readonly<Record<string, string>> {
  // Names of ours are removed from every request in any case, so a header without values has nothing left to do.
  if (values.length === 0) return {}
  const [first, ...more] = values
  if (first === undefined || more.length > 0) {
    const why =
      first === undefined
        ? 'a fixed value or a password: let the application know it itself'
        : 'several values: name one'
    draft.leave({ place: `${name}, ${place}`, why })
    return {}
  }
  return { [name]: first.prefix + (claims[first.claim] ?? `{claim:${first.claim}}`) }
}

export function writeRouteHeaders(draft: Draft, { headers, place }: RouteHeaders): void {
  if (Object.keys(headers).length > 0) draft.line(2, `headers: ${value(headers)}`, place)
}
