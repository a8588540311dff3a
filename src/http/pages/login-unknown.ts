import type { BrandConfig } from '../../config/config.ts'
import { type Html, html } from './html.ts'
import { actions, layout, linkButton } from './layout.ts'

export interface LoginUnknownPage {
  readonly signInHref: string
  readonly requestId: string
}

/** A callback without the cookie of its flow: perhaps forged, mostly a stale tab or a bookmark. No code is redeemed. */
export function loginUnknownPage(brand: BrandConfig, { signInHref, requestId }: LoginUnknownPage): Html {
  return layout(brand, {
    heading: 'Please sign in again',
    requestId,
    body: html`
<p>This sign-in did not start in this browser, or it was started too long ago. You are not signed in by it.</p>
<p>This happens after using the Back button, opening a saved sign-in address, or when the browser does not keep
cookies.</p>
${actions(linkButton(signInHref, 'Sign in again'))}`,
  })
}
