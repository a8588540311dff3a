/** Why the provider does not answer at all: name, address, TLS, each with what to do about it. */
import { lookup } from 'node:dns/promises'
import { internalAddress } from '../../issuer/internal-url.ts'
import type { ProviderUnreachable } from '../../issuer/transport.ts'
import type { Finding } from './finding.ts'
import type { FindingName } from './finding-names.ts'
import type { ProviderVisit } from './provider-visit.ts'
import { wireCodeOf, wireSentenceOf } from './wire-fault.ts'

type Diagnosis = Pick<Finding, 'name' | 'cause' | 'fix'>

/** @param asked the address as the issuer's documents name it; where the call really went is worked out */
export async function wireFinding(visit: ProviderVisit, asked: URL, error: ProviderUnreachable): Promise<Finding> {
  const { provider } = visit
  const url = internalAddress(asked, new URL(provider.issuer), provider.internalUrl)
  const key = provider.internalUrl === undefined ? 'issuer' : 'internalUrl'
  const diagnosis =
    ownFault(visit, url, error) ??
    tlsFault(visit, url, error) ??
    (await addressFault(url, error)) ??
    unreachable(url, error)
  return { severity: 'error', place: visit.key(key), ...diagnosis }
}

function ownFault({ key, provider }: ProviderVisit, url: URL, error: ProviderUnreachable): Diagnosis | undefined {
  if (error.fault === 'ca_file') {
    const fix = `put a PEM file there that the user of this process may read, or remove ${key('ca')}`
    return { name: 'ca-file-unreadable', cause: error.message, fix }
  }
  if (error.fault !== 'insecure') return undefined
  const fix = 'write https, or `allowInsecureHttp: true` where nobody else is on that wire'
  return {
    name: 'provider-insecure',
    cause: `${url.origin} is plain http, and provider ${provider.name} may not be`,
    fix,
  }
}

const tlsFaults: readonly (readonly [RegExp, FindingName, string])[] = [
  [
    /^(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN)$/,
    'tls-self-signed',
    'signed by itself or by an authority of your own',
  ],
  [/^UNABLE_TO_/, 'tls-unknown-authority', 'signed by an authority this machine does not know'],
  [/^ERR_TLS_CERT_ALTNAME_INVALID$/, 'tls-wrong-name', 'for another name'],
  [/^CERT_HAS_EXPIRED$/, 'tls-expired', 'expired'],
  [/^CERT_NOT_YET_VALID$/, 'tls-not-yet-valid', 'not valid yet'],
  [/^(?:EPROTO|ERR_SSL_)/, 'tls-not-spoken', 'not shown'],
]

function tlsFault({ key, provider }: ProviderVisit, url: URL, error: ProviderUnreachable): Diagnosis | undefined {
  const code = wireCodeOf(error.cause)
  const [, name, what] = tlsFaults.find(([pattern]) => pattern.test(code)) ?? []
  if (name === undefined) return undefined
  const trust = `put the certificate of the authority that signed it into ${key('ca')}${provider.caFile === undefined ? '' : ` (${provider.caFile} is not the one)`}`
  const fixes: Partial<Record<FindingName, string>> = {
    'tls-self-signed': trust,
    'tls-unknown-authority': `${trust}; a server that leaves out its intermediate certificate looks the same`,
    'tls-wrong-name': `write the host as the certificate has it${namesOf(error.cause)}, or get one for ${url.hostname}`,
    'tls-expired': `renew the certificate of ${url.host}`,
    'tls-not-yet-valid': `set the clock of this machine, or renew the certificate of ${url.host}`,
    'tls-not-spoken': `${url.host} speaks plain http or an old TLS; compare scheme and port`,
  }
  return { name, cause: `the certificate of ${url.host} is ${what} (${code})`, fix: fixes[name]! }
}

function namesOf(cause: unknown): string {
  const certificate = cause instanceof Error && 'cert' in cause ? cause.cert : undefined
  if (typeof certificate !== 'object' || certificate === null || !('subjectaltname' in certificate)) return ''
  return ` (${String(certificate.subjectaltname).slice(0, 200)})`
}

/** What the name leads to decides whose fault it is. */
async function addressFault(url: URL, error: ProviderUnreachable): Promise<Diagnosis | undefined> {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const inside = 'inside a cluster name the service in internalUrl'
  if (error.fault === 'dns') {
    const fix = `correct the name, or the DNS server this machine asks; ${inside}`
    return { name: 'provider-dns', cause: `${host} cannot be resolved here (${wireCodeOf(error.cause)})`, fix }
  }
  if (!/UNREACH|EADDRNOTAVAIL|TIMEOUT/.test(wireCodeOf(error.cause))) return undefined
  const addresses = await lookup(host, { all: true }).catch(() => [])
  if (addresses.length === 0 || addresses.some(({ family }) => family !== 6)) return undefined
  const shown = addresses.map(({ address }) => address).join(', ')
  const fix = `give ${host} an IPv4 address (A record), or this machine a way to IPv6; ${inside}`
  const cause = `${host} has IPv6 addresses alone (${shown}), and this machine cannot reach them (${wireCodeOf(error.cause)})`
  return { name: 'provider-ipv6-unreachable', cause, fix }
}

function unreachable(url: URL, error: ProviderUnreachable): Diagnosis {
  const cause = `${url.origin}: ${error.fault === 'too_large' ? 'the answer is larger than 1 MiB' : wireSentenceOf(error.cause ?? error)}`
  const fix =
    'see that it runs, and that no firewall or network policy stands between; has it another address from here, write that as internalUrl'
  return { name: 'provider-unreachable', cause, fix }
}
