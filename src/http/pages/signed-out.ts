import type { BrandConfig } from '../../config/config.ts'
import { type Html, html } from './html.ts'
import { actions, foreign, layout, linkButton } from './layout.ts'

export interface SignedOutPage {
  /** Set to the provider's label where its own session may still be alive: the next sign-in asks for no password. */
  readonly stillSignedInAt?: string | undefined
  /** Set to the provider's label where its session was ended too. */
  readonly alsoSignedOutAt?: string | undefined
  readonly signInHref: string
}

export function signedOutPage(brand: BrandConfig, page: SignedOutPage): Html {
  const { stillSignedInAt, alsoSignedOutAt, signInHref } = page
  return layout(brand, {
    heading: 'You are signed out',
    body: html`
<p>You are signed out of ${brand.name}.</p>
${alsoSignedOutAt !== undefined && html`<p>You are also signed out at ${foreign(alsoSignedOutAt)}.</p>`}
${
  stillSignedInAt !== undefined &&
  html`<p>You may still be signed in at ${foreign(stillSignedInAt)}. On a shared computer, sign out there too or close the
browser.</p>`
}
${actions(linkButton(signInHref, 'Sign in again'))}`,
  })
}
