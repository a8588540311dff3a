import { z } from 'zod'
import { quoted, Refused } from './refused.ts'
import { byteSize, duration } from './schema-quantities.ts'
import { choice, oneOrMore, secretRef, text } from './schema-values.ts'

/** RFC 6265 4.1.1, less what any parser could stumble over. */
const cookieName = () =>
  text((written) =>
    /^[A-Za-z0-9_.-]{1,64}$/.test(written)
      ? written
      : new Refused(
          `${quoted(written)} is not a cookie name`,
          'use letters, digits, dot, dash and underscore, at most 64',
        ),
  )

const cookieDomain = () =>
  text((written) => {
    const domain = written.toLowerCase()
    if (domain.startsWith('.')) return new Refused('starts with a dot', `write ${domain.slice(1)}`)
    const named = /^(?=.{1,253}$)[a-z0-9-]+(?:\.[a-z0-9-]+)+$/.test(domain) && !/^[\d.]+$/.test(domain)
    return named
      ? domain
      : new Refused(`${quoted(written)} is not a domain`, 'write the parent of all your hosts: example.com')
  })

export const sessionSchema = z.strictObject({
  secret: oneOrMore(secretRef())
    .optional()
    .meta({
      description:
        'Key text that protects sessions: at least 32 characters, used as it is. Make one with `openssl rand -hex 32`. ' +
        'A list rotates: the first seals, all open. Without it (store `memory` alone) a key is made up at every start.',
      examples: [{ file: '/run/secrets/session' }, { env: 'SESSION_SECRET' }],
    }),
  store: choice(['memory', 'cookie', 'redis'])
    .prefault('memory')
    .meta({
      description:
        'Where sessions live. `memory`: in this process; one replica; they end with it. `cookie`: sealed in the browser; ' +
        'needs `secret`; any number of replicas. `redis`: in the Redis that `redis` names; needs `secret`; any number of replicas.',
    }),
  idle: duration({ least: 60_000 }).prefault('1h').meta({
    description:
      'The session ends after this long without a request, or sooner where the provider says so (Keycloak: SSO Session Idle).',
  }),
  lifetime: duration({ least: 60_000 })
    .prefault('12h')
    .meta({
      description:
        'The session ends this long after login, whatever happens, or sooner where the provider says so (Keycloak: SSO Session Max).',
      examples: ['7d'],
    }),
  refreshEvery: duration({ least: 10_000 })
    .optional()
    .meta({
      description:
        "How often groups and other claims are renewed from the provider. Unset: at 80 % of the access token's life. Never later than the refresh token needs.",
      examples: ['5m'],
    }),
  cookieName: cookieName().optional().meta({
    description:
      'Name of the session cookie. Unset: made from issuer, client and origin, so that gateways never collide.',
  }),
  cookieDomain: cookieDomain()
    .optional()
    .meta({
      description:
        'One login for all hosts under this domain. Every host under it can then read the cookie: leave it unset unless you need it.',
      examples: ['example.com'],
    }),
  sameSite: choice(['lax', 'strict', 'none']).prefault('lax').meta({
    description: 'SameSite of the cookie. `none` is for pages framed by other sites, and needs https.',
  }),
  cacheSize: byteSize(65_536).prefault('32MiB').meta({ description: 'Memory for opened sessions in this process.' }),
})
