/** The gateway in front: from outside with `--through`, and by what the running process saw of it. */
import type { IngressStatus } from '../../http/forward-auth/ingress-witness.ts'
import type { Examination, Patient } from './examination.ts'
import type { Finding } from './finding.ts'
import type { FindingName } from './finding-names.ts'
import { askAsIngress } from './gateway-endpoint.ts'
import { notAsked } from './gateway-findings.ts'
import { lookFromOutside } from './gateway-look.ts'
import { askStatus } from './running-status.ts'

/** Where one of these was said, no protected address was looked at. */
const nothingSeen: ReadonlySet<FindingName> = new Set([
  'gateway-unseen',
  'gateway-unreachable',
  'through-host-unknown',
  'through-not-protected',
])

export const gatewayInFront: Examination = {
  name: 'gateway in front',
  async examine(patient) {
    const { through } = patient.asked
    const outside = through === undefined ? [notAsked] : await lookFromOutside(patient, through)
    // Afterwards, so that the process has seen these very questions; and before those that pretend to be its ingress.
    const answer = await askStatus(patient)
    const ingress = answer.kind === 'status' ? answer.status.forwardAuth : undefined
    const inside = ingress === undefined ? [] : [...strangers(ingress, outside), ...detours(ingress)]
    const blind = outside.some(({ name }) => nothingSeen.has(name))
    const endpoint = through === undefined || blind ? [] : await askAsIngress(patient, through)
    return [...inside, ...outside.filter(({ name }) => !explained(name, inside)), ...endpoint, ...wideRanges(patient)]
  },
}

/** A peer that is not trusted is why everybody is refused: one cause, one finding. */
const explained = (name: string, inside: readonly Finding[]): boolean =>
  name === 'gateway-refuses' && inside.some((finding) => finding.name === 'proxy-not-trusted')

function strangers({ untrusted, asked }: IngressStatus, outside: readonly Finding[]): readonly Finding[] {
  if (untrusted === undefined) return []
  const { peer, times } = untrusted
  const everybody = asked === 0 || outside.some(({ name }) => name === 'gateway-refuses')
  return [
    {
      name: 'proxy-not-trusted',
      severity: everybody ? 'error' : 'warning',
      place: 'trustedProxies',
      cause: `${peer} asked the forward-auth listener and was turned away (${times} times somebody was)`,
      fix: `if it is your ingress, add to the file: trustedProxies: [${peer}]`,
    },
  ]
}

function detours({ viaPublicHost }: IngressStatus): readonly Finding[] {
  if (viaPublicHost === undefined) return []
  const { gateway, host, cloudflare } = viaPublicHost
  return [
    {
      name: 'auth-url-external',
      severity: 'warning',
      place: `forwardAuth, /auth/${gateway}`,
      cause: `the gateway asks by way of ${host}${cloudflare ? ' and Cloudflare' : ''}, as browsers do: every request goes out and in again, and breaks with DNS, TLS or that way`,
      fix: 'name the service itself: auth-url: http://doorward.<namespace>.svc.cluster.local:4181 and the endpoint',
    },
  ]
}

/** Wider ranges than these hold more than the ingress. */
const widest = { ipv4: 16, ipv6: 48 } as const

function wideRanges({ config }: Patient): readonly Finding[] {
  return config.trustedProxies
    .filter((range) => Number(range.split('/')[1] ?? 128) < widest[range.includes(':') ? 'ipv6' : 'ipv4'])
    .map((range) => ({
      name: 'trusted-proxies-wide',
      severity: 'warning',
      place: 'trustedProxies',
      cause: `${range} holds more than your proxies, and whoever is in it can pretend to be any client`,
      fix: 'name the addresses of the proxies alone; /status tells who asked',
    }))
}
