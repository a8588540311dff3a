/** Where Redis or Valkey is: one server, its sentinels, or a cluster. */
import { z } from 'zod'
import type { ListenAddress } from './config.ts'
import { quoted, Refused } from './refused.ts'
import { duration } from './schema-quantities.ts'
import { named, oneOrMore, plainText, reasonAndHint, secretRef, text, yesOrNo } from './schema-values.ts'

/** A server by URL: https://www.iana.org/assignments/uri-schemes/prov/redis, less credentials and options. */
export interface RedisUrl {
  readonly node: ListenAddress
  readonly database: number
  readonly tls: boolean
}

const usualPort = { redis: 6379, sentinel: 26_379 } as const

export function parseRedisUrl(written: string): RedisUrl | Refused {
  const url = URL.parse(written)
  const hint = 'write redis://host:6379, or rediss://host:6379 for TLS'
  if (url === null || !/^rediss?:\/\/[^/]/i.test(written)) {
    return new Refused(`${quoted(written)} is not the address of a Redis server`, hint)
  }
  if (url.username !== '' || url.password !== '') {
    return new Refused('holds a user name or password', 'remove what stands before the @; use username and password')
  }
  const [, database = '0'] = /^\/?(\d{0,4})$/.exec(url.pathname) ?? [undefined, undefined]
  if (!/^\/?\d{0,4}$/.test(url.pathname) || url.search !== '' || url.hash !== '') {
    return new Refused(`${quoted(written)} holds more than host, port and database number`, hint)
  }
  return {
    node: { host: hostOf(url.hostname), port: url.port === '' ? usualPort.redis : Number(url.port) },
    database: Number(database),
    tls: url.protocol === 'rediss:',
  }
}

/** `host`, `host:port`, `[::1]:port`. */
export function parseNode(written: string, port: number): ListenAddress | Refused {
  const url = /^(?:\[[\da-fA-F:.]+\]|[^\s:/?#@[\]]+)(?::\d{1,5})?$/.test(written)
    ? URL.parse(`redis://${written}`)
    : null
  if (url === null) return new Refused(`${quoted(written)} is not a host with a port`, `write host:${port}`)
  return { host: hostOf(url.hostname), port: url.port === '' ? port : Number(url.port) }
}

const hostOf = (hostname: string): string => hostname.replace(/^\[(.*)\]$/, '$1')

const node = (port: number) => named('host:port', (written) => parseNode(written, port))

const sentinelsSchema = z.strictObject({
  name: plainText().meta({ description: 'What the sentinels call the primary.', examples: ['mymaster'] }),
  nodes: oneOrMore(node(usualPort.sentinel)).meta({
    description: 'The sentinels, `host:port`.',
    examples: [['sentinel-0:26379', 'sentinel-1:26379', 'sentinel-2:26379']],
  }),
  username: plainText().optional().meta({ description: 'User at the sentinels, where they ask for one.' }),
  password: secretRef().optional().meta({ description: 'Password at the sentinels, where they ask for one.' }),
})

const tlsSchema = z.strictObject({
  ca: plainText()
    .optional()
    .meta({
      description: 'PEM file with further certificate authorities. Read at every connection, so it may change.',
      examples: ['/etc/doorward/redis-ca.pem'],
    }),
  serverName: plainText().optional().meta({ description: "Name in the server's certificate, where it differs." }),
})

const prefix = () =>
  text((written) =>
    /^[\w.:/-]{0,64}$/.test(written)
      ? written
      : new Refused(`${quoted(written)} is not a prefix`, 'use letters, digits and . : / _ -, at most 64'),
  )

export const redisSchema = z
  .strictObject({
    url: named('URL', parseRedisUrl)
      .optional()
      .meta({
        description: 'One server: `redis://host:port/database`, `rediss://` for TLS. Redis 6.2 or later, or Valkey.',
        examples: ['redis://redis:6379', 'rediss://redis.example.com:6380/1'],
      }),
    sentinels: sentinelsSchema.optional().meta({ description: 'Sentinels that know the primary, instead of `url`.' }),
    cluster: oneOrMore(node(usualPort.redis))
      .optional()
      .meta({
        description: 'Some servers of a Redis Cluster, `host:port`, instead of `url`; they know the others.',
        examples: [['redis-0:6379', 'redis-1:6379', 'redis-2:6379']],
      }),
    tls: z
      .union([yesOrNo(), tlsSchema])
      .optional()
      .meta({ description: '`true`, or a map. Also for sentinels. Unset: as the `url` says.' }),
    username: plainText().optional().meta({ description: 'User (ACL) at the servers.' }),
    password: secretRef()
      .optional()
      .meta({ description: 'Password at the servers.', examples: [{ file: '/run/secrets/redis' }] }),
    prefix: prefix().prefault('doorward:').meta({
      description: 'Stands before every key and channel. Gateways of one application share it; others have their own.',
    }),
    timeout: duration({ least: 50, most: 10_000 })
      .prefault('500ms')
      .meta({ description: 'What takes longer counts as a store that is down: 503, never a login.' }),
  })
  .refine(({ url, sentinels, cluster }) => [url, sentinels, cluster].filter((one) => one !== undefined).length === 1, {
    error: reasonAndHint('needs exactly one of url, sentinels and cluster', 'write url: redis://redis:6379'),
  })
