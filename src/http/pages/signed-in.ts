import type { BrandConfig } from '../../config/config.ts'
import { type Html, html } from './html.ts'
import { actions, layout, linkButton } from './layout.ts'

/**
 * The last hop of a login under `sameSite: strict`. A redirect would still belong to the journey that began at the
 * provider, and a browser leaves Strict cookies at home on all of it; a page of ours starts a journey of its own.
 */
export function signedInPage(brand: BrandConfig, { returnTo }: { readonly returnTo: string }): Html {
  return layout(brand, {
    heading: 'You are signed in',
    refresh: returnTo,
    body: html`
<p>You are being taken back to the page you wanted.</p>
${actions(linkButton(returnTo, 'Go on'))}`,
  })
}
