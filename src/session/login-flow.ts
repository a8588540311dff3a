import type { Clock } from '../core/clock.ts'
import { constantTimeEqual, randomToken } from '../core/encoding.ts'
import type { SealingKeys } from '../keys/sealing.ts'
import { cookiesWithPrefix, duplicated, type NamedCookie, readCookie } from './cookie-header.ts'
import { type CookieSpec, crossSiteSpec, expireCookie, writeCookie } from './cookie-spec.ts'
import { type LoginState, readState, writeState } from './login-state.ts'
import type { SetCookies } from './session.ts'

/** What is asked of the provider, and where the person goes afterwards. */
export interface LoginRequest {
  /** An address of ours, checked by `safeReturnTo`. */
  readonly returnTo: string
  /** Name of the provider in the file. */
  readonly provider: string
  /** How many logins in a row this is; see sign-in-marker.ts. */
  readonly attempt: number
  /** Step-up: what the ID token must say. */
  readonly acr?: readonly string[]
  /** Step-up: seconds. */
  readonly maxAge?: number
}

/** One login under way, known to the browser that began it and to nobody else. */
export interface LoginFlow extends LoginRequest {
  readonly state: string
  readonly nonce: string
  /** PKCE (RFC 7636 4.1), 256 bits. */
  readonly codeVerifier: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
}

export type FoundFlow =
  /** The state is not ours, or its cookie did not come back: make no token request. */
  | { readonly kind: 'unknown' }
  /** Authentic, but older than ten minutes: may begin anew towards the same target. */
  | { readonly kind: 'expired'; readonly flow: LoginFlow }
  | { readonly kind: 'live'; readonly flow: LoginFlow }

/** Logins under way, one cookie each, so that parallel tabs do not disturb each other. */
export interface LoginFlows {
  /** Begins a login. The cookies also remove the oldest flows above five. */
  begin(cookieHeader: string | undefined, request: LoginRequest): { flow: LoginFlow; setCookies: SetCookies }
  /** The flow a callback belongs to. @param state as the query gave it, foreign input */
  read(cookieHeader: string | undefined, state: string): FoundFlow
  /** Attempt count and age of a state we issued, also where its cookie is missing. */
  readState(state: string): LoginState | undefined
  /** Removes the cookie of a flow that is done. @param state foreign input */
  end(state: string): SetCookies
}

/** Milliseconds a flow may take. */
const flowLifetime = 600_000
/** Seconds a browser keeps the cookie: longer than the flow, so that a late callback is recognised and restarted. */
const cookieLifetime = 3_600
const maxFlows = 5
/** Characters of all flow cookies together; an ingress reads header lines of 8 KiB. */
const maxFlowCharacters = 4_000
/** Cookies looked at, and removed, per answer: bounded work and headers for a browser that brings hundreds. */
const maxConsidered = 20
const maxRemoved = 10
const longestReturnTo = 2_000

export function createLoginFlows(deps: {
  readonly keys: SealingKeys
  readonly spec: CookieSpec
  readonly clock: Clock
}): LoginFlows {
  const { keys, clock } = deps
  // The callback is a cross-site navigation.
  const spec = crossSiteSpec(deps.spec)
  const { binding, names } = spec
  const nameOf = (state: string): string => names.loginPrefix + state.slice(0, 8)
  const open = ({ name, value }: NamedCookie): LoginFlow | undefined => {
    const opened = keys.open('login', `${binding} ${name}`, value)
    return opened === undefined ? undefined : readFlow(opened.bytes)
  }

  return {
    begin(cookieHeader, request) {
      const createdAt = clock.now()
      const state = writeState(keys, binding, { attempt: request.attempt, issuedAt: createdAt })
      const returnTo = shorten(request.returnTo)
      const flow = { ...request, returnTo, state, nonce: randomToken(), codeVerifier: randomToken(), createdAt }
      const name = nameOf(state)
      const value = keys.seal('login', `${binding} ${name}`, Buffer.from(JSON.stringify(flow)))
      const others = cookiesWithPrefix(cookieHeader ?? '', names.loginPrefix, maxConsidered)
      const removed = surplus(others, open, value.length).map((cookie) => expireCookie(spec, cookie))
      return { flow, setCookies: [writeCookie(spec, name, value, cookieLifetime), ...removed] }
    },
    read(cookieHeader, state) {
      if (cookieHeader === undefined || readState(keys, binding, state) === undefined) return { kind: 'unknown' }
      const name = nameOf(state)
      const value = readCookie(cookieHeader, name)
      if (value === undefined || value === duplicated) return { kind: 'unknown' }
      const flow = open({ name, value })
      if (flow === undefined || !constantTimeEqual(flow.state, state)) return { kind: 'unknown' }
      return { kind: clock.now() - flow.createdAt < flowLifetime ? 'live' : 'expired', flow }
    },
    readState: (state) => readState(keys, binding, state),
    end: (state) => (readState(keys, binding, state) === undefined ? [] : [expireCookie(spec, nameOf(state))]),
  }
}

/** Names of the flow cookies that have to go to make room for one more: unreadable ones first, then the oldest. */
function surplus(
  cookies: readonly NamedCookie[],
  open: (cookie: NamedCookie) => LoginFlow | undefined,
  added: number,
): readonly string[] {
  const newestFirst = cookies
    .map((cookie) => ({ ...cookie, createdAt: open(cookie)?.createdAt ?? 0 }))
    .sort((a, b) => b.createdAt - a.createdAt)
  let characters = added
  const removed = newestFirst.filter(({ name, value, createdAt }, position) => {
    characters += name.length + value.length
    return createdAt === 0 || position >= maxFlows - 1 || characters > maxFlowCharacters
  })
  return [...new Set(removed.map(({ name }) => name))].filter(isCookieName).slice(-maxRemoved)
}

/** What came as a cookie name goes back as one only where no header could be broken by it. */
const isCookieName = (name: string): boolean => /^[\w-]{1,100}$/.test(name)

/** A target too long for a cookie loses its query, then its path: the person still arrives at the right site. */
function shorten(returnTo: string): string {
  if (returnTo.length <= longestReturnTo) return returnTo
  const path = returnTo.split(/[?#]/, 1)[0] ?? ''
  return path.length <= longestReturnTo ? path : new URL('/', returnTo).href
}

/** Our own text under our own key, yet maybe of another version. */
function readFlow(bytes: Buffer): LoginFlow | undefined {
  const value: unknown = JSON.parse(bytes.toString())
  if (typeof value !== 'object' || value === null) return undefined
  const { state, nonce, codeVerifier, returnTo, provider, attempt, createdAt, acr, maxAge } =
    value as Partial<LoginFlow>
  if (typeof state !== 'string' || typeof nonce !== 'string' || typeof codeVerifier !== 'string') return undefined
  if (typeof returnTo !== 'string' || typeof provider !== 'string') return undefined
  if (typeof attempt !== 'number' || typeof createdAt !== 'number') return undefined
  const flow = { state, nonce, codeVerifier, returnTo, provider, attempt, createdAt }
  return {
    ...flow,
    ...(Array.isArray(acr) ? { acr: acr.filter((item) => typeof item === 'string') } : {}),
    ...(typeof maxAge === 'number' ? { maxAge } : {}),
  }
}
