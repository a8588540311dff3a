/** Why the provider does not answer at all: name, address, TLS, each with what to do about it. */
import { type LookupAddress, lookup as systemLookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { type WireFault, wireCodeOf, wireFaultOf } from '../../core/wire-fault.ts'
import { internalAddress } from '../../issuer/internal-url.ts'
import type { ProviderUnreachable } from '../../issuer/transport.ts'
import type { Finding } from './finding.ts'
import type { FindingName } from './finding-names.ts'
import type { ProviderVisit } from './provider-visit.ts'
import { wireSentenceOf } from './wire-sentence.ts'

type Diagnosis = Pick<Finding, 'name' | 'cause' | 'fix'>

/** @param asked the address as the issuer's documents name it; where the call really went is worked out */
export async function wireFinding(visit: ProviderVisit, asked: URL, error: ProviderUnreachable): Promise<Finding> {
  const { provider } = visit
  const url = internalAddress(asked, new URL(provider.issuer), provider.internalUrl)
  const key = provider.internalUrl === undefined ? 'issuer' : 'internalUrl'
  const diagnosis =
    ownFault(visit, url, error) ??
    tlsFault(visit, url, error) ??
    (await addressFault(visit, url, error)) ??
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

/** What is said of the certificate, and what helps. */
const tlsFaults: Partial<Record<WireFault, readonly [FindingName, string, (at: TlsPlace) => string]>> = {
  'self-signed': ['tls-self-signed', 'is signed by itself or by an authority of your own', ({ trust }) => trust],
  'unknown-authority': [
    'tls-unknown-authority',
    'is signed by an authority this machine does not know',
    ({ url, trust }) =>
      `let ${url.host} send its intermediate certificates too (fullchain.pem, not cert.pem); if its authority is your own, ${trust}`,
  ],
  'wrong-name': [
    'tls-wrong-name',
    'is for another name',
    ({ url, names }) => `write the host as the certificate has it${names}, or get one for ${url.hostname}`,
  ],
  expired: ['tls-expired', 'is expired', ({ url }) => `renew the certificate of ${url.host}`],
  'not-yet-valid': [
    'tls-not-yet-valid',
    'is not valid yet',
    ({ url }) => `set the clock of this machine, or renew the certificate of ${url.host}`,
  ],
  'not-tls': [
    'tls-not-spoken',
    'is not shown',
    ({ url }) => `${url.host} speaks plain http or an old TLS; compare scheme and port`,
  ],
  tls: [
    'tls-not-spoken',
    'is not shown',
    ({ url }) => `compare TLS versions, and whether ${url.host} wants a client certificate, which we have none of`,
  ],
}

interface TlsPlace {
  readonly url: URL
  /** The sentence on `ca`. */
  readonly trust: string
  /** Names of the certificate, in brackets. */
  readonly names: string
}

function tlsFault({ key, provider }: ProviderVisit, url: URL, error: ProviderUnreachable): Diagnosis | undefined {
  const [name, what, fix] = tlsFaults[wireFaultOf(error.cause)] ?? []
  if (name === undefined || fix === undefined) return undefined
  const trust = `put the certificate of the authority that signed it into ${key('ca')}${provider.caFile === undefined ? '' : ` (${provider.caFile} is not the one)`}`
  const cause = `the certificate of ${url.host} ${what} (${wireCodeOf(error.cause)})`
  return { name, cause, fix: fix({ url, trust, names: namesOf(error.cause) }) }
}

function namesOf(cause: unknown): string {
  const certificate = cause instanceof Error && 'cert' in cause ? cause.cert : undefined
  if (typeof certificate !== 'object' || certificate === null || !('subjectaltname' in certificate)) return ''
  return ` (${String(certificate.subjectaltname).slice(0, 200)})`
}

/** What the name leads to decides whose fault it is. */
async function addressFault(
  { lookup = systemLookup }: ProviderVisit,
  url: URL,
  error: ProviderUnreachable,
): Promise<Diagnosis | undefined> {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const inside = 'inside a cluster name the service in internalUrl'
  if (error.fault === 'dns') {
    const fix = `correct the name, or the DNS server this machine asks; ${inside}`
    return { name: 'provider-dns', cause: `${host} cannot be resolved here (${wireCodeOf(error.cause)})`, fix }
  }
  const fault = wireFaultOf(error.cause)
  if (fault !== 'unreachable' && fault !== 'timeout') return undefined
  const addresses = await addressesOf(host, lookup)
  if (addresses.length === 0 || addresses.some(({ family }) => family !== 6)) return undefined
  const shown = addresses.map(({ address }) => address).join(', ')
  const fix = `give ${host} an IPv4 address (A record), or this machine a way to IPv6; ${inside}`
  const cause = `${host} has IPv6 addresses alone (${shown}), and this machine cannot reach them (${wireCodeOf(error.cause)})`
  return { name: 'provider-ipv6-unreachable', cause, fix }
}

const addressesOf = (host: string, lookup: LookupFunction): Promise<readonly LookupAddress[]> =>
  new Promise((resolve) => {
    lookup(host, { all: true }, (error, found) => resolve(error === null && Array.isArray(found) ? found : []))
  })

function unreachable(url: URL, error: ProviderUnreachable): Diagnosis {
  const cause = `${url.origin}: ${error.fault === 'too_large' ? 'the answer is larger than 1 MiB' : wireSentenceOf(error.cause ?? error)}`
  const fix =
    'see that it runs, and that no firewall or network policy stands between; has it another address from here, write that as internalUrl'
  return { name: 'provider-unreachable', cause, fix }
}
