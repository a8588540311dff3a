import type { BrandConfig } from '../../src/config/config.ts'
import { type ErrorCode, statusOf } from '../../src/core/errors.ts'
import { errorPage } from '../../src/http/pages/error.ts'
import { forbiddenPage } from '../../src/http/pages/forbidden.ts'
import { formNotSentPage } from '../../src/http/pages/form-not-sent.ts'
import type { Html } from '../../src/http/pages/html.ts'
import { loginUnknownPage } from '../../src/http/pages/login-unknown.ts'
import { loopPage } from '../../src/http/pages/loop.ts'
import { signInPage } from '../../src/http/pages/sign-in.ts'
import { signOutConfirmPage } from '../../src/http/pages/sign-out-confirm.ts'
import { signedOutPage } from '../../src/http/pages/signed-out.ts'

export const plainBrand: BrandConfig = {
  name: 'Doorward',
  logo: undefined,
  color: undefined,
  background: undefined,
  contact: undefined,
}

const circle =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><circle cx="4" cy="4" r="4" fill="#e2a400"/></svg>'
export const paintedBrand: BrandConfig = {
  name: 'Lighthouse Analytics',
  logo: `data:image/svg+xml;base64,${Buffer.from(circle).toString('base64')}`,
  color: '#ffd21f',
  background: '#fff3c4',
  contact: 'Questions? Ask the platform team, room 3.14 or platform@example.com.',
}

const requestId = '01JD3X8Q5V7K2M9R4T6W'
const login = '/_doorward/login?return_to=%2Freports'
const logout = { action: '/_doorward/logout', fields: { return_to: '/reports', again: 'login' } }

/** Every page of ours, filled with `text` wherever outsiders choose it. */
export function samplePages(brand: BrandConfig, text = 'Ada Lovelace'): Record<string, Html> {
  const identity = { name: text, username: text, email: text }
  const error = (code: ErrorCode, retryHref?: string, signInHref?: string) =>
    [`error-${statusOf(code)}-${code}`, errorPage(brand, { code, requestId, retryHref, signInHref })] as const
  return {
    'sign-in': signInPage(brand, {
      reason: 'session_expired',
      providers: [
        { label: text, href: login },
        { label: 'GitHub', href: login },
      ],
    }),
    'sign-in-one': signInPage(brand, { providers: [{ label: 'Keycloak', href: login }] }),
    forbidden: forbiddenPage(brand, {
      identity,
      provider: text,
      unmet: [
        { requirement: 'groups', wanted: 'be a member of one of: /admins, /operators' },
        { requirement: 'realmRoles', wanted: text },
      ],
      detail: text,
      requestId,
      signInAsSomeoneElse: logout,
      backHref: '/',
    }),
    'form-not-sent': formNotSentPage(brand, { signInHref: login, requestId }),
    'signed-out': signedOutPage(brand, { stillSignedInAt: text, signInHref: login }),
    'signed-out-everywhere': signedOutPage(brand, { alsoSignedOutAt: text, signInHref: login }),
    'sign-out-confirm': signOutConfirmPage(brand, { username: text, signOut: logout, stayHref: '/' }),
    'login-unknown': loginUnknownPage(brand, { signInHref: login, requestId }),
    loop: loopPage(brand, {
      findings: [
        { kind: 'secure_cookie_over_http', origin: text },
        { kind: 'other_domain', host: text, cookieDomain: 'example.com' },
        { kind: 'cookies_blocked' },
        { kind: 'clock_skew', seconds: 240 },
      ],
      requestId,
      retryHref: login,
    }),
    ...Object.fromEntries([
      error('upstream_unreachable', '/reports'),
      error('provider_unreachable', '/reports'),
      error('host_unknown'),
      error('login_expired', undefined, login),
      error('internal', '/'),
    ]),
  }
}
