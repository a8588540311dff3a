import type { BrandConfig } from '../../config/config.ts'
import { type Html, html } from './html.ts'
import { actions, foreign, layout, linkButton } from './layout.ts'

/** What the requests of the circle showed. The page puts them in the order given: likeliest first. */
export type LoopFinding =
  | { readonly kind: 'secure_cookie_over_http'; readonly origin: string }
  | { readonly kind: 'other_domain'; readonly host: string; readonly cookieDomain: string }
  | { readonly kind: 'cookies_blocked' }
  | { readonly kind: 'clock_skew'; readonly seconds: number }

export interface LoopPage {
  readonly findings: readonly LoopFinding[]
  readonly requestId: string
  /** A fresh start with the count at zero. */
  readonly retryHref: string
}

/** Login succeeded several times and the next request came without a session: stop, and say why. */
export function loopPage(brand: BrandConfig, { findings, requestId, retryHref }: LoopPage): Html {
  const explained = (findings.length === 0 ? [{ kind: 'cookies_blocked' } as const] : findings).map(explain)
  return layout(brand, {
    heading: 'Signing in goes round in circles',
    requestId,
    body: html`
<p>You signed in, but your browser came back without the proof of it. It was stopped here so that it does not go on
for ever.</p>
<h2>Likely cause</h2>
<ul>${explained.map(({ cause }) => html`<li>${cause}</li>`)}</ul>
<h2>What you can do</h2>
<ul>${explained.map(({ visitor }) => html`<li>${visitor}</li>`)}</ul>
<h2>For the people who run this site</h2>
<ul>${explained.map(({ operator }) => html`<li>${operator}</li>`)}</ul>
${actions(linkButton(retryHref, 'Try once more'))}`,
  })
}

interface Explanation {
  readonly cause: Html
  readonly visitor: Html
  readonly operator: Html
}

function explain(finding: LoopFinding): Explanation {
  switch (finding.kind) {
    case 'secure_cookie_over_http':
      return {
        cause: html`This page was opened at ${foreign(finding.origin)}, without encryption. The sign-in is kept for
https alone.`,
        visitor: html`Open the address with https:// in front.`,
        operator: html`Redirect http to https before this gateway. If the visitor did use https, the proxy in front does
not say so: add its address to <code>trustedProxies</code>, or correct <code>publicUrl</code>.`,
      }
    case 'other_domain':
      return {
        cause: html`You came to ${foreign(finding.host)}, and the sign-in is kept for ${foreign(finding.cookieDomain)}.`,
        visitor: html`Start at ${foreign(finding.cookieDomain)} instead.`,
        operator: html`Make <code>publicUrl</code> name the address people use, or set <code>session.cookieDomain</code>
to a domain that both share.`,
      }
    case 'cookies_blocked':
      return {
        cause: html`The browser did not send our cookie back.`,
        visitor: html`Allow cookies for this site, also in private windows and inside other pages, and then try again.`,
        operator: html`Check that nothing in front of this gateway removes <code>Set-Cookie</code> or <code>Cookie</code>,
and that its limit for headers is at least 8 KiB.`,
      }
    case 'clock_skew':
      return {
        cause: html`The clocks differ by about ${finding.seconds} seconds, so a sign-in is over before it begins.`,
        visitor: html`Check that date and time of your device are set automatically.`,
        operator: html`Compare the clocks of this gateway and of the sign-in service, and let NTP set both.`,
      }
  }
}
