/** Each application behind the gateway: is it there, and does it speak what the file says. */
import type { Config, RouteConfig, UpstreamConfig } from '../../config/config.ts'
import { type WireFault, wireFaultOf } from '../../core/wire-fault.ts'
import type { Examination, Patient } from './examination.ts'
import type { Finding } from './finding.ts'
import { type Listener, speaksTls } from './speaks-tls.ts'
import { askUpstream, type UpstreamAnswer, upstreamPlace } from './upstream-wire.ts'
import { wireSentenceOf } from './wire-sentence.ts'

export const upstreams: Examination = {
  name: 'upstreams',
  async examine(patient) {
    const found = distinct(patient.config).map((one) => examineOne(one, patient))
    return (await Promise.all(found)).flat()
  },
}

interface RoutedUpstream {
  readonly route: RouteConfig
  readonly upstream: UpstreamConfig
}

/** One route for each address: what is wrong with it is told once. */
function distinct({ routes }: Config): readonly RoutedUpstream[] {
  const byPlace = new Map<string, RoutedUpstream>()
  for (const route of routes) {
    const { upstream } = route
    if (upstream !== undefined && !byPlace.has(upstreamPlace(upstream))) {
      byPlace.set(upstreamPlace(upstream), { route, upstream })
    }
  }
  return [...byPlace.values()]
}

async function examineOne({ route, upstream }: RoutedUpstream, patient: Patient): Promise<readonly Finding[]> {
  const [publicUrl] = patient.config.publicUrls
  const host = upstream.host === 'rewrite' ? upstream.url.host : (route.host ?? publicUrl!.host)
  const scheme = publicUrl!.protocol.slice(0, -1)
  const question = {
    path: upstream.addPrefix || '/',
    headers: { host, 'x-forwarded-host': publicUrl!.host, 'x-forwarded-proto': scheme, accept: 'text/html' },
  }
  try {
    const answer = await askUpstream(upstream, question, patient.signal)
    return (await wantsTls(upstream, answer)) ? [expectsTls(upstream)] : redirects(upstream, answer)
  } catch (error) {
    return [await silence(upstream, error)]
  }
}

async function silence(upstream: UpstreamConfig, error: unknown): Promise<Finding> {
  const fault = wireFaultOf(error)
  const isTls = upstream.url.protocol === 'https:'
  if (!isTls && fault === 'reset' && (await speaksTls(listenerOf(upstream)))) return expectsTls(upstream)
  const place = upstreamPlace(upstream)
  const cause = wireSentenceOf(error)
  if (isTls && fault === 'not-tls') {
    const fix = `write upstream: http://${upstream.url.host}, or name its TLS port`
    return {
      name: 'upstream-without-tls',
      severity: 'error',
      place,
      cause: 'the file says https, and it speaks none',
      fix,
    }
  }
  const certificate = certificateFixes[fault]
  if (isTls && certificate !== undefined) {
    return { name: 'upstream-certificate', severity: 'error', place, cause, fix: certificate }
  }
  const fix = fault === 'dns' ? 'check the name; inside a cluster it is service.namespace.svc' : reachFix
  return { name: 'upstream-unreachable', severity: 'error', place, cause, fix }
}

const reachFix =
  'check that it runs, that it listens on this address and not on its own loopback alone, and network policies'

const trustFix = 'name its authority: upstream: { url: ..., ca: /etc/doorward/upstream-ca.pem }'

const certificateFixes: Partial<Record<WireFault, string>> = {
  'self-signed': trustFix,
  'unknown-authority': trustFix,
  'wrong-name': 'use the name its certificate has, or let it have this one',
  expired: 'renew its certificate, or set the clock of this machine',
  'not-yet-valid': 'set the clock of this machine, or of whoever issued the certificate',
  tls: 'compare TLS versions, and whether it wants a client certificate: upstream: { clientCertificate: ... }',
}

const expectsTls = (upstream: UpstreamConfig): Finding => ({
  name: 'upstream-expects-tls',
  severity: 'error',
  place: upstreamPlace(upstream),
  cause: 'the file says http, and it speaks TLS alone',
  fix: `write upstream: https://${upstream.url.host}, with its authority in \`ca\` if it has one of its own`,
})

/** nginx, Go and Apache say it in words, as an answer to what they could not read. */
const inWords = /plain HTTP request was sent to HTTPS|HTTP request to an HTTPS server|speaking plain HTTP to an SSL/i

const wantsTls = async ({ url }: UpstreamConfig, { status, text }: UpstreamAnswer): Promise<boolean> =>
  url.protocol === 'http:' && status === 400 && inWords.test(text)

/** It was told that people come by https, and sends them there all the same: round in circles. */
function redirects({ url }: UpstreamConfig, { status, location }: UpstreamAnswer): readonly Finding[] {
  const to = status >= 300 && status < 400 && location !== undefined ? URL.parse(location, url.origin) : null
  if (to === null || to.protocol !== 'https:' || url.protocol === 'https:' || to.pathname !== url.pathname) return []
  return [
    {
      name: 'upstream-redirects-to-https',
      severity: 'warning',
      place: url.origin,
      cause: `it answers ${status} to ${to.origin}${to.pathname}, though X-Forwarded-Proto says https already`,
      fix: 'let it trust X-Forwarded-Proto of this gateway, or turn its own redirect to https off',
    },
  ]
}

function listenerOf({ url, socketPath }: UpstreamConfig): Listener {
  if (socketPath !== undefined) return { path: socketPath }
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 80) }
}
