/** The session, its store, and how people sign in and out. */
import { type Draft, value } from './draft.ts'
import type { Settings } from './given.ts'
import { ourDuration, readGoDuration } from './go-duration.ts'
import type { SettingName } from './settings.ts'
import { makeOne, referenceText, writeSecret } from './write-secret.ts'

const week = 168 * 3_600_000
const shortest = { lifetime: 60_000, refreshEvery: 10_000 } as const

/** @param passesTokens headers hold tokens, which a cookie does not keep */
export function writeSession(draft: Draft, settings: Settings, passesTokens: boolean): void {
  const redis = settings.text('session-store-type') === 'redis'
  draft.gap()
  draft.line(0, 'session:')
  writeStore(draft, settings, redis, passesTokens)
  const hasSecret = writeSecret(draft, settings, {
    depth: 1,
    key: 'secret',
    text: 'cookie-secret',
    file: 'cookie-secret-file',
    fallback: '/run/secrets/session',
    what: 'the secret of sessions',
    least: 32,
  })
  if (!hasSecret) {
    draft.line(1, `secret: ${referenceText(draft, { file: '/run/secrets/session' })}`, `make one: ${makeOne}`)
    draft.need(`/run/secrets/session: the secret of sessions; make one with: ${makeOne}`)
  }
  writeLifetimes(draft, settings)
  writeCookie(draft, settings)
  if (redis) writeRedis(draft, settings)
}

function writeStore(draft: Draft, settings: Settings, redis: boolean, passesTokens: boolean): void {
  const place = settings.place('session-store-type') || 'their default'
  if (redis) draft.line(1, 'store: redis', place)
  else if (!passesTokens) draft.line(1, 'store: cookie', place)
  else {
    draft.remark(
      1,
      'A cookie keeps no tokens for headers. memory: one replica, and a restart ends sessions; else redis.',
    )
    draft.line(
      1,
      'store: memory',
      settings.place('pass-access-token', 'pass-authorization-header', 'set-authorization-header'),
    )
  }
}

function writeLifetimes(draft: Draft, settings: Settings): void {
  const lifetime = durationOf(draft, settings, 'cookie-expire') ?? week
  const place = settings.place('cookie-expire') || 'their default'
  if (lifetime === 0) {
    draft.leave({ place, why: 'no session lasts as long as a browser is open; lifetime stays 12h' })
  } else {
    const text = ourDuration(Math.max(lifetime, shortest.lifetime))
    draft.line(1, `lifetime: ${text}`, place)
    draft.line(1, `idle: ${text}`, 'theirs knows no idle time; a shorter one is safer')
  }
  const refresh = durationOf(draft, settings, 'cookie-refresh')
  if (refresh !== undefined && refresh > 0) {
    draft.line(
      1,
      `refreshEvery: ${ourDuration(Math.max(refresh, shortest.refreshEvery))}`,
      settings.place('cookie-refresh'),
    )
  }
}

function durationOf(draft: Draft, settings: Settings, name: SettingName): number | undefined {
  const written = settings.text(name)
  if (written === undefined) return undefined
  const read = readGoDuration(written)
  if (read === undefined) draft.leave({ place: settings.place(name), why: 'is no duration that can be read here' })
  return read
}

function writeCookie(draft: Draft, settings: Settings): void {
  const sameSite = settings.text('cookie-samesite')?.toLowerCase()
  if (sameSite !== undefined) draft.line(1, `sameSite: ${value(sameSite)}`, settings.place('cookie-samesite'))
  const [domain, ...more] = settings.list('cookie-domain').map((one) => one.replace(/^\./, '').replace(/:\d+$/, ''))
  if (domain === undefined) return
  draft.line(1, `cookieDomain: ${value(domain)}`, settings.place('cookie-domain'))
  draft.remark(1, 'Every host under it can read the cookie: remove it where one host is all.')
  if (more.length > 0)
    draft.leave({ place: settings.place('cookie-domain'), why: `one domain: ${more.join(', ')} left out` })
}

function writeRedis(draft: Draft, settings: Settings): void {
  const sentinel = settings.on('redis-use-sentinel')
  const cluster = settings.on('redis-use-cluster')
  const url = URL.parse(settings.text('redis-connection-url') ?? '')
  draft.gap()
  draft.line(0, 'redis:')
  if (sentinel) {
    draft.line(1, 'sentinels:')
    draft.line(
      2,
      `name: ${value(settings.text('redis-sentinel-master-name') ?? '')}`,
      settings.place('redis-sentinel-master-name'),
    )
    draft.line(
      2,
      `nodes: ${value(nodesOf(settings, 'redis-sentinel-connection-urls'))}`,
      settings.place('redis-sentinel-connection-urls'),
    )
    writeSecret(draft, settings, {
      depth: 2,
      key: 'password',
      text: 'redis-sentinel-password',
      fallback: '/run/secrets/redis-sentinel',
      what: 'the password at the sentinels',
    })
  } else if (cluster) {
    draft.line(
      1,
      `cluster: ${value(nodesOf(settings, 'redis-cluster-connection-urls'))}`,
      settings.place('redis-cluster-connection-urls'),
    )
  } else if (url !== null) {
    draft.line(1, `url: ${value(withoutCredentials(url))}`, settings.place('redis-connection-url'))
  } else draft.line(1, `url: ${value('TODO')}`, settings.place('redis-connection-url'))
  writeRedisLogin(draft, settings, sentinel || cluster ? null : url)
  const ca = settings.text('redis-ca-path')
  if (ca !== undefined) {
    draft.line(1, `tls: ${value({ ca })}`, settings.place('redis-ca-path'))
    draft.need(`${ca}: the authority of Redis`)
  }
}

function writeRedisLogin(draft: Draft, settings: Settings, url: URL | null): void {
  const username = settings.text('redis-username') ?? (url?.username ? decodeURIComponent(url.username) : undefined)
  if (username !== undefined) {
    draft.line(
      1,
      `username: ${value(username)}`,
      settings.place('redis-username') || settings.place('redis-connection-url'),
    )
  }
  const fallback = '/run/secrets/redis'
  const what = 'the password of Redis'
  if (writeSecret(draft, settings, { depth: 1, key: 'password', text: 'redis-password', fallback, what })) return
  if (!url?.password) return
  const place = settings.place('redis-connection-url')
  draft.line(1, `password: ${referenceText(draft, { file: fallback })}`, place)
  draft.need(`${fallback}: ${what}, which stands in clear in ${place}; that text is not in this file`)
}

const nodesOf = (settings: Settings, name: SettingName): string[] =>
  settings.list(name).map((written) => URL.parse(written)?.host || written.replace(/^.*@/, ''))

/** Scheme, host, port and database; what a query says is not read. */
const withoutCredentials = ({ protocol, host, pathname }: URL): string =>
  `${protocol}//${host}${pathname.replace(/^\/$/, '')}`
