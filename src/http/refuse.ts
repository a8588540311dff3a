import { bearerChallenge } from '../bearer/challenge.ts'
import type { BrandConfig } from '../config/config.ts'
import { type ErrorCode, GatewayError, sentenceOf, statusOf } from '../core/errors.ts'
import type { Identity } from '../core/identity.ts'
import { hrefOf, type Target } from '../core/target.ts'
import type { Challenge, Forbid, Login, Refusal, Unrouted } from '../core/verdict.ts'
import { corsHeaders } from '../policy/cors.ts'
import type { CompiledRoute } from '../policy/policy.ts'
import { type Answer, json, redirect, withHeaders } from './answer.ts'
import type { Asker } from './asker.ts'
import { errorPage } from './pages/error.ts'
import { forbiddenPage } from './pages/forbidden.ts'
import { formNotSentPage } from './pages/form-not-sent.ts'
import { pageHeaders } from './pages/headers.ts'
import type { Html } from './pages/html.ts'
import type { OwnPages } from './return-address.ts'

/** Who is asking, and through which door: all that shapes a refusal besides the verdict. */
export interface Asking {
  readonly asker: Asker
  readonly acceptsHtml: boolean
  readonly method: string
  /** Undefined where the request could not be read so far. */
  readonly target: Target | undefined
  readonly origin: string | undefined
  readonly requestId: string
  /** Undefined in proxy mode; in forward-auth what the gateway in front understands. */
  readonly gateway: { readonly loginStatus: 302 | 401; readonly knowsOnly401And403: boolean } | undefined
}

export interface RefusalParts {
  readonly brand: BrandConfig
  readonly pages: OwnPages
  readonly scheme: 'http' | 'https'
  /** Provider origins a form of ours may be redirected to. */
  readonly formAction: () => readonly string[]
  /** What somebody signed in with, as people call it; undefined where that tells nothing. */
  readonly signedInWith: (identity: Identity) => string | undefined
}

export interface Refuser {
  /** Says no. The only place that turns a refusal into a status, so all front doors say it alike. */
  refuse(verdict: Refusal, route: CompiledRoute | undefined, asking: Asking): Answer
  /** The same for a failure: planned ones by the error table, anything else as 500 without a word of detail. */
  fail(error: unknown, asking: Asking, route?: CompiledRoute): Answer
}

export function createRefuser(parts: RefusalParts): Refuser {
  const page = (status: number, html: Html, headers: Answer['headers'] = {}): Answer => ({
    status,
    headers: {
      ...pageHeaders({ brand: parts.brand, scheme: parts.scheme, formAction: parts.formAction() }),
      ...headers,
    },
    body: html.toString(),
  })

  function login(verdict: Login, route: CompiledRoute | undefined, asking: Asking): Answer {
    const target = asking.target!
    const { pages, brand } = parts
    if (asking.asker === 'navigation') {
      const address = verdict.reason === 'renew' ? pages.renew(target) : pages.login(target)
      return redirectThrough(asking, address)
    }
    if (asking.asker === 'form') {
      const signInHref = pages.login({ ...target, query: '' })
      const answer = page(401, formNotSentPage(brand, { signInHref, requestId: asking.requestId }))
      // nginx drops our page and follows the Location instead, so that must lead to the same words.
      return asking.gateway?.loginStatus === 401 ? withHeaders(answer, { location: pages.formNotSent(target) }) : answer
    }
    return notSignedIn(verdict, route, asking)
  }

  /** 401 for whoever cannot be sent through pages; `login_url` lets a script open the sign-in in a tab. */
  function notSignedIn(verdict: Login | Challenge, route: CompiledRoute | undefined, asking: Asking): Answer {
    const loginUrl = verdict.kind === 'login' && asking.target ? parts.pages.login(asking.target) : undefined
    const bearer = route?.acceptsBearer ? bearerChallenge(bearerError(verdict)) : undefined
    const session = loginUrl === undefined ? undefined : `Session realm="doorward", login_url="${loginUrl}"`
    const fallback = bearer === undefined && session === undefined ? [sessionChallenge['www-authenticate']] : []
    return json(
      401,
      {
        error: verdict.reason,
        message: sentenceOfVerdict(verdict),
        ...(loginUrl !== undefined && { login_url: loginUrl }),
        request_id: asking.requestId,
      },
      { 'www-authenticate': [bearer, session, ...fallback].filter((value) => value !== undefined) },
    )
  }

  function forbid(verdict: Forbid, asking: Asking): Answer {
    const insufficient = verdict.scopes
      ? { 'www-authenticate': bearerChallenge({ error: 'insufficient_scope', scopes: verdict.scopes }) }
      : {}
    if (asking.asker === 'client' && !asking.acceptsHtml) {
      const missing = verdict.unmet.map(({ requirement, wanted }) => ({ requirement, wanted }))
      const message = verdict.detail ?? 'signed in, but not allowed here'
      return json(403, { error: verdict.reason, message, missing, request_id: asking.requestId }, insufficient)
    }
    const { target } = asking
    const fields = target === undefined ? {} : { rd: hrefOf(target), next: 'login' }
    const html = forbiddenPage(parts.brand, {
      identity: verdict.identity,
      provider: verdict.identity && parts.signedInWith(verdict.identity),
      unmet: verdict.unmet,
      detail: verdict.detail,
      requestId: asking.requestId,
      signInAsSomeoneElse: { action: parts.pages.logout(target), fields },
    })
    return page(403, html, insufficient)
  }

  function unrouted({ reason, methods }: Unrouted, asking: Asking): Answer {
    const code = (
      { no_route: 'not_found', host_unknown: 'host_unknown', method_not_allowed: 'method_not_allowed' } as const
    )[reason]
    const answer = problem(code, asking, methods === undefined ? {} : { allow: methods.join(', ') })
    // A gateway must hear "no"; 404 or 405 from an auth service is an error in most of them.
    return asking.gateway === undefined ? answer : { ...answer, status: 403 }
  }

  /** A row of the error table as a page for people, or as JSON. */
  function problem(code: ErrorCode, asking: Asking, headers: Answer['headers'] = {}): Answer {
    const status = statusOf(code)
    if (asking.asker === 'client' && !asking.acceptsHtml) {
      return json(status, { error: code, message: sentenceOf(code), request_id: asking.requestId }, headers)
    }
    const mayRetry = asking.method === 'GET' && asking.target !== undefined && status >= 500
    const retryHref = mayRetry ? asking.target!.path + asking.target!.query : undefined
    return page(status, errorPage(parts.brand, { code, requestId: asking.requestId, retryHref }), headers)
  }

  return {
    refuse(verdict, route, asking) {
      return readable(answerOf(verdict, route, asking), route, asking)
    },
    fail(error, asking, route) {
      const known = error instanceof GatewayError ? error : new GatewayError('internal')
      const retry = known.retryAfter === undefined ? {} : { 'retry-after': String(known.retryAfter) }
      const answer = readable(problem(known.code, asking, retry), route, asking)
      return asking.gateway === undefined
        ? answer
        : { ...answer, status: statusForGateway(known.status, asking.gateway) }
    },
  }

  function answerOf(verdict: Refusal, route: CompiledRoute | undefined, asking: Asking): Answer {
    switch (verdict.kind) {
      case 'login':
        return login(verdict, route, asking)
      case 'challenge':
        return verdict.header !== undefined && asking.asker === 'navigation'
          ? problem('gateway_token_refused', asking, sessionChallenge)
          : notSignedIn(verdict, route, asking)
      case 'forbid':
        return forbid(verdict, asking)
      case 'unrouted':
        return unrouted(verdict, asking)
    }
  }
}

/** Lets the script that asked see what became of it; without CORS headers it is told of a network error. */
function readable(answer: Answer, route: CompiledRoute | undefined, { origin }: Asking): Answer {
  const cors = route?.cors && corsHeaders(route.cors, origin)
  return cors === undefined ? answer : withHeaders(answer, cors)
}

/** RFC 9110 11.6.1: no 401 without a challenge. */
const sessionChallenge = { 'www-authenticate': 'Session realm="doorward"' }

function redirectThrough({ gateway, requestId }: Asking, address: string): Answer {
  if (gateway?.loginStatus !== 401) return redirect(address)
  return json(
    401,
    { error: 'not_signed_in', login_url: address, request_id: requestId },
    {
      location: address,
      'www-authenticate': 'Session realm="doorward"',
    },
  )
}

/** Ambiguous or unreadable questions are "no" to a gateway; a store or provider that is down stays 503: closed. */
function statusForGateway(status: number, gateway: NonNullable<Asking['gateway']>): number {
  if (status >= 500) return gateway.knowsOnly401And403 && status !== 503 ? 500 : status
  return 403
}

function bearerError(verdict: Login | Challenge): Parameters<typeof bearerChallenge>[0] {
  const stepUp = verdict.reason === 'step_up'
  const error = stepUp ? 'insufficient_user_authentication' : verdict.kind === 'challenge' ? 'invalid_token' : undefined
  if (error === undefined || verdict.reason === 'not_signed_in') return {}
  return {
    error,
    ...(verdict.kind === 'challenge' && verdict.detail !== undefined && { description: verdict.detail }),
    ...(stepUp && verdict.acr !== undefined && { acr: verdict.acr }),
    ...(stepUp && verdict.maxAge !== undefined && { maxAge: verdict.maxAge }),
  }
}

function sentenceOfVerdict(verdict: Login | Challenge): string {
  if (verdict.kind === 'challenge' && verdict.detail !== undefined) return verdict.detail
  if (verdict.reason === 'session_expired') return 'the session has ended; sign in again'
  if (verdict.reason === 'step_up') return 'a stronger or more recent sign-in is needed'
  return 'not signed in'
}
