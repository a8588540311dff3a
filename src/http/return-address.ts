import { hrefOf, originOf, type Target } from '../core/target.ts'

/** Our own pages, as addresses a browser can be sent to. */
export interface OwnPages {
  /** Where a person who asked for `target` signs in. */
  login(target: Target): string
  /** The hop that seals a session's cookie anew and comes back. */
  renew(target: Target): string
  /** Tells a person that the form was not sent, then lets them sign in and return to `returnTo`. */
  formNotSent(target: Target): string
  /** Where a sign-out form is sent. */
  logout(target: Target | undefined): string
}

/**
 * @param origins of publicUrl; the first serves hosts that have no public address of their own (parent-domain
 *   cookie)
 */
export function ownPages(origins: readonly string[], basePath: string): OwnPages {
  const originFor = (target: Target | undefined) => {
    const own = target === undefined ? '' : originOf(target)
    return origins.includes(own) ? own : origins[0]!
  }
  const page = (name: string, target: Target, returnTo: string, more = '') =>
    `${originFor(target)}${basePath}/${name}?rd=${encodeURIComponent(returnTo)}${more}`
  return {
    login: (target) => page('login', target, hrefOf(target)),
    renew: (target) => page('renew', target, hrefOf(target)),
    formNotSent: (target) => page('login', target, hrefOf(target), '&form=not-sent'),
    logout: (target) => `${originFor(target)}${basePath}/logout`,
  }
}
