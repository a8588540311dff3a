import type { IncomingMessage, ServerResponse } from 'node:http'
import type Provider from 'oidc-provider'
import { type Html, html } from '../http/pages/html.ts'
import { postButton } from '../http/pages/layout.ts'
import type { IdpAccounts, IdpUser } from './idp-users.ts'
import { claimsOf } from './idp-users.ts'
import { sendPage } from './loopback.ts'
import { demoPage } from './page.ts'

const site = 'Demo sign-in service'
const colour = '#0f766e'

/** Answers `/interaction/…`: the login page and its form post. Consent is always given. */
export function createLoginPages(provider: Provider, accounts: IdpAccounts) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { prompt } = await provider.interactionDetails(request, response)
    if (prompt.name !== 'login') {
      await provider.interactionFinished(request, response, { consent: {} }, { mergeWithLastSubmission: true })
      return
    }
    if (request.method !== 'POST') return sendPage(response, 200, loginPage(accounts.all()))
    const form = await readForm(request)
    const user = accounts.byUsername(form.get('username') ?? '')
    if (user === undefined || user.password !== form.get('password')) {
      return sendPage(response, 401, loginPage(accounts.all(), 'Name and password do not belong together.'))
    }
    const login = { accountId: claimsOf(user).sub, amr: ['pwd'], acr: wantedAcr(prompt.details) ?? '1' }
    await provider.interactionFinished(request, response, { login }, { mergeWithLastSubmission: false })
  }
}

/** A login here reaches whatever class is asked for (OpenID Connect Core 5.5.1.1): step-up is one more password. */
function wantedAcr(details: Record<string, unknown>): string | undefined {
  const acr = details.acr as { value?: string; values?: readonly string[] } | undefined
  return acr?.value ?? acr?.values?.[0]
}

function loginPage(users: readonly IdpUser[], problem?: string): Html {
  return demoPage({
    site,
    colour,
    heading: 'Who are you today?',
    body: html`
${problem !== undefined && html`<p class="alert" role="alert">${problem}</p>`}
<p>This provider belongs to the demo and serves this machine alone.</p>
<div class="actions stack">${users.map(({ name, username, password, groups }) =>
      postButton({ action: '?', fields: { username, password } }, `${name} (${groups.join(', ') || 'no groups'})`),
    )}</div>
<hr>
<form method="post" action="?" class="password">
<label for="username">Name</label><input id="username" name="username" autocomplete="username" required>
<label for="password">Password</label><input id="password" name="password" type="password"
 autocomplete="current-password" required>
<div class="actions"><button class="button">Sign in</button></div>
</form>
<p class="note">Each password is the same as the name.</p>`,
  })
}

/** Asked before RP-initiated logout where no id_token_hint proves who wants it (OpenID Connect RP-Initiated Logout 6). */
export const logoutPage = (action: string, xsrf: string): Html =>
  demoPage({
    site,
    colour,
    heading: 'Sign out here too?',
    body: html`
<p>The application has signed you out and asks whether you want to leave the demo sign-in service as well.</p>
<div class="actions">${postButton({ action, fields: { xsrf, logout: 'yes' } }, 'Sign out')}${postButton(
      { action, fields: { xsrf } },
      'Stay signed in',
      false,
    )}</div>`,
  })

export const loggedOutPage = (): Html =>
  demoPage({ site, colour, heading: 'You are signed out', body: html`<p>You can close this page.</p>` })

export const problemPage = (error: string, description: string | undefined): Html =>
  demoPage({
    site,
    colour,
    heading: 'The request was refused',
    body: html`<p>${description}</p><p class="note"><code>${error}</code></p>`,
  })

async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  let body = ''
  for await (const chunk of request.setEncoding('utf8')) {
    body += chunk
    if (body.length > 10_000) throw new Error('the form is too large')
  }
  return new URLSearchParams(body)
}
