import type { BrandConfig } from '../../config/config.ts'
import { type ErrorCode, sentenceOf, statusOf } from '../../core/errors.ts'
import { type Html, html } from './html.ts'
import { actions, foreign, layout, linkButton } from './layout.ts'

export interface ErrorPage {
  readonly code: ErrorCode
  readonly requestId: string
  /** The same page once more: only where asking again is safe (GET) and may help. */
  readonly retryHref?: string | undefined
  /** Start of a new sign-in, for the codes that are about one. */
  readonly signInHref?: string | undefined
  /** The provider's own words, or ours about this account, bounded and printable: they often name the cause. */
  readonly said?: string | undefined
}

/** Every failure of the error table as a page: what happened, what to do next, and the id to quote. */
export function errorPage(brand: BrandConfig, { code, requestId, retryHref, signInHref, said }: ErrorPage): Html {
  return layout(brand, {
    heading: headings[code] ?? headingByStatus[statusOf(code)] ?? 'That did not work',
    requestId,
    body: html`
<p>${sentenceOf(code)}</p>
${said !== undefined && html`<p>${code !== 'login_not_allowed' && 'It said: '}${foreign(said)}</p>`}
<p>${next[code] ?? nextByStatus[statusOf(code)] ?? 'If it stays this way, tell the people who run this site and quote the request below.'}</p>
${
  (retryHref !== undefined || signInHref !== undefined) &&
  actions(
    signInHref !== undefined && linkButton(signInHref, 'Sign in again'),
    retryHref !== undefined && linkButton(retryHref, 'Try again', signInHref === undefined),
  )
}`,
  })
}

const headingByStatus: Readonly<Record<number, string>> = {
  400: 'This request was refused',
  403: 'This request was refused',
  404: 'There is nothing here',
  405: 'That is not possible here',
  413: 'That was too large',
  421: 'No such site here',
  500: 'That did not work',
  502: 'The application is not answering',
  503: 'Not available right now',
  504: 'The application took too long',
}

const headings: Partial<Record<ErrorCode, string>> = {
  gateway_token_refused: 'You could not be recognised',
  login_expired: 'Please sign in again',
  login_denied: 'You were not signed in',
  login_not_allowed: 'You were not signed in',
  login_failed: 'The sign-in did not work',
  provider_unreachable: 'Signing in is not possible right now',
  overloaded: 'Very busy right now',
  session_too_large: 'The sign-in did not work',
}

const nextByStatus: Readonly<Record<number, string>> = {
  400: 'Check the address, or go back and follow the link again.',
  403: 'Go back, and start again from a page of this site.',
  404: 'Check the address. A link to this page may be old.',
  405: 'Go back, and use the buttons of the page you came from.',
  413: 'Go back, and send less or a smaller file.',
  421: 'Check the name in the address bar. If it is right, the people who run this site have to add it.',
  502: 'It may be starting or being updated. Wait a moment and try again.',
  503: 'Wait a moment and try again. Nothing you did is lost.',
  504: 'It may be busy. Wait a moment and try again.',
}

const next: Partial<Record<ErrorCode, string>> = {
  gateway_token_refused:
    'Reload the page. If it stays this way, sign out at the gateway in front and in again, or tell the people who run this site and quote the request below.',
  login_expired: 'You come back to the page you wanted.',
  login_denied: 'Sign in again, or ask the people who run this site to give you access.',
  login_not_allowed: 'Sign in with another account, or ask the people who run this site to let this one in.',
  login_failed: 'Sign in again. If it fails once more, tell the people who run this site and quote the request below.',
  provider_unreachable: 'Wait a moment and try again. People who are already signed in can go on working.',
  session_too_large: 'This is not your doing. Tell the people who run this site and quote the request below.',
  return_to_refused: 'Open the page you want directly, and sign in from there.',
}
