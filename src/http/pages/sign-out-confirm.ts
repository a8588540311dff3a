import type { BrandConfig } from '../../config/config.ts'
import { type Html, html } from './html.ts'
import { actions, foreign, layout, linkButton, type PostForm, postButton } from './layout.ts'

export interface SignOutConfirmPage {
  readonly username?: string | undefined
  readonly signOut: PostForm
  readonly stayHref: string
}

/** Asked where a link from elsewhere leads to logout: another site must not end a session by itself. */
export function signOutConfirmPage(brand: BrandConfig, { username, signOut, stayHref }: SignOutConfirmPage): Html {
  return layout(brand, {
    heading: 'Sign out?',
    body: html`
<p>${username === undefined ? 'You are signed in' : html`You are signed in as <strong>${foreign(username)}</strong>`}
at ${brand.name}. What you have not saved there may be lost.</p>
${actions(postButton(signOut, 'Sign out'), linkButton(stayHref, 'Stay signed in', false))}`,
  })
}
