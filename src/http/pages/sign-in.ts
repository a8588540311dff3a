import type { BrandConfig } from '../../config/config.ts'
import type { Reason } from '../../core/verdict.ts'
import { type Html, html } from './html.ts'
import { foreign, layout } from './layout.ts'

export interface SignInPage {
  readonly providers: readonly SignInProvider[]
  /** Why the person is here again; says nothing for a first visit. */
  readonly reason?: Reason | undefined
}

export interface SignInProvider {
  /** `label` of the file: what people call the service. */
  readonly label: string
  /** Where the login starts; carries the address to return to. */
  readonly href: string
}

/** Where to sign in: shown with several providers, or where the file says `auto: false`. */
export function signInPage(brand: BrandConfig, { providers, reason }: SignInPage): Html {
  const only = providers.length === 1 ? providers[0] : undefined
  return layout(brand, {
    heading: 'Sign in',
    body: html`
<p>${(reason && sentences[reason]) ?? 'Please sign in to go on.'}${!only && ' Choose how.'}</p>
<ul class="actions stack">${providers.map(
      ({ label, href }) =>
        html`<li><a class="button${only !== undefined && ' primary'}" href="${href}">Sign in with ${foreign(label)}</a></li>`,
    )}</ul>`,
  })
}

const sentences: Partial<Record<Reason, string>> = {
  session_expired: 'You were signed out because your session ended. Sign in again and you come back to the same page.',
  step_up: 'This page asks for a stronger or more recent sign-in. Sign in again and you come back to it.',
  other_provider: 'This page is for people who sign in another way.',
}
