import type { BrandConfig } from '../../config/config.ts'
import { type Html, html } from './html.ts'
import { actions, layout, linkButton } from './layout.ts'

export interface FormNotSentPage {
  /** Login that comes back to the page with the form, never to the address it was sent to. */
  readonly signInHref: string
  readonly requestId: string
}

/** A form came after the session had ended: nothing was sent on, nothing is kept, nothing is replayed later. */
export function formNotSentPage(brand: BrandConfig, { signInHref, requestId }: FormNotSentPage): Html {
  return layout(brand, {
    heading: 'Your form was not sent',
    requestId,
    body: html`
<p>Your session ended before you sent it. What you typed did not reach the application, and it is not kept here.</p>
<h2>To keep what you typed</h2>
<p>Use the Back button of your browser now. The form is usually still filled in: copy the text, then sign in and send
it again.</p>
${actions(linkButton(signInHref, 'Sign in and open the page again'))}`,
  })
}
