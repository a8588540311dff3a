import type { BrandConfig } from '../../config/config.ts'
import { styleOf } from './style.ts'

export interface PolicySources {
  /** `sha256-…` of the style sheet. */
  readonly styleHash: string
  /** Origins a form's answer may redirect to: Chromium holds `form-action` against redirects too. */
  readonly formAction: readonly string[]
  /** Origins that may show it in a frame; nobody unless said. */
  readonly framedBy?: readonly string[]
}

/** Content-Security-Policy of our pages (CSP level 3; ASVS 3.4.3): nothing runs, nothing is loaded. */
export function contentSecurityPolicy({ styleHash, formAction, framedBy = [] }: PolicySources): string {
  return [
    "default-src 'none'",
    `style-src '${styleHash}'`,
    'img-src data:',
    `form-action ${["'self'", ...formAction].join(' ')}`,
    "base-uri 'none'",
    `frame-ancestors ${framedBy.join(' ') || "'none'"}`,
  ].join('; ')
}

export interface PageHeaderOptions {
  readonly brand: BrandConfig
  /** How the browser reaches us: Strict-Transport-Security means nothing over plain http (RFC 6797 7.2). */
  readonly scheme: 'http' | 'https'
  /** The providers' authorization and end-session origins. */
  readonly formAction?: readonly string[]
  /** Origins that may show the page in a frame; nobody unless said. */
  readonly framedBy?: readonly string[]
}

/** All headers of an HTML page of ours, names in lower case. A page is never stored: it names a person or a moment. */
export function pageHeaders(options: PageHeaderOptions): Record<string, string> {
  const { brand, scheme, formAction = [], framedBy = [] } = options
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': contentSecurityPolicy({ styleHash: styleOf(brand).hash, formAction, framedBy }),
    'cache-control': 'no-store',
    // Not `no-referrer`: browsers would post our own forms with `Origin: null` (Fetch 3.2), which the CSRF check refuses.
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    // It knows no list of origins; where one is given, frame-ancestors stands alone.
    ...(framedBy.length === 0 && { 'x-frame-options': 'DENY' }),
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    ...(scheme === 'https' && { 'strict-transport-security': 'max-age=31536000' }),
  }
}
