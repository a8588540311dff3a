import type { BrandConfig } from '../../config/config.ts'
import type { Identity } from '../../core/identity.ts'
import type { Unmet } from '../../core/verdict.ts'
import { type Html, html } from './html.ts'
import { actions, foreign, layout, linkButton, type PostForm, postButton } from './layout.ts'

export interface ForbiddenPage {
  /** Undefined where nobody is signed in. */
  readonly identity: Pick<Identity, 'username' | 'email' | 'name'> | undefined
  /** The provider's label; undefined where there is only one and its name says nothing. */
  readonly provider?: string | undefined
  readonly unmet: readonly Unmet[]
  /** One more sentence of the verdict. */
  readonly detail?: string | undefined
  readonly requestId: string
  /** The logout that leads to a new sign-in and back to this page. */
  readonly signInAsSomeoneElse: PostForm
  /** A page this person may see, where one is known. */
  readonly backHref?: string | undefined
}

/** Known, and not allowed: who you are here, what is missing, and the two ways on. */
export function forbiddenPage(brand: BrandConfig, page: ForbiddenPage): Html {
  return layout(brand, {
    heading: 'You may not see this page',
    requestId: page.requestId,
    body: html`
<p>${page.identity === undefined ? 'You are not signed in.' : 'You are signed in, but this account is not allowed here.'}</p>
${page.identity !== undefined && who(page.identity, page.provider)}
${page.detail !== undefined && html`<p>${foreign(page.detail)}</p>`}
${missing(page.unmet)}
<p>Sign in with another account, or ask the people who run this site for access and quote the request below.</p>
${actions(
  postButton(page.signInAsSomeoneElse, 'Sign in as someone else'),
  page.backHref !== undefined && linkButton(page.backHref, 'Go back', false),
)}`,
  })
}

function who(identity: NonNullable<ForbiddenPage['identity']>, provider: string | undefined): Html {
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['Name', identity.name],
    ['Account', identity.username],
    ['E-mail', identity.email],
    ['Signed in with', provider],
  ]
  return html`<dl>${rows.map(
    ([term, value]) => value !== undefined && html`<div><dt>${term}</dt><dd>${foreign(value)}</dd></div>`,
  )}</dl>`
}

function missing(unmet: readonly Unmet[]): Html | undefined {
  if (unmet.length === 0) return undefined
  return html`<h2>To see it you have to</h2><ul>${unmet.map(({ wanted }) => html`<li>${foreign(wanted)}</li>`)}</ul>`
}
