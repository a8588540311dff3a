/** Client addresses: what they are, which networks hold them, and whom to believe about them. */
import { BlockList, isIP, isIPv4, SocketAddress } from 'node:net'

export interface Networks {
  /** No network at all: nobody is in it. */
  readonly isEmpty: boolean
  /** False for whatever is not an IP address. IPv4-mapped IPv6 counts as the IPv4 address it is. */
  has(address: string): boolean
}

export interface Network {
  readonly family: 'ipv4' | 'ipv6'
  readonly address: string
  readonly prefix: number
}

const mapped = '::ffff:'
/** A node of X-Forwarded-For as proxies write it: bare, with a port, or in brackets (RFC 7239 6). */
const withPort = /^(?:(\d{1,3}(?:\.\d{1,3}){3})|\[([\da-f:.]+(?:%[\w.-]+)?)\])(?::\d{1,5})?$/i

/**
 * An IP address in its one spelling: no zone, IPv6 compressed and in lower case, IPv4-mapped IPv6 as IPv4
 * (two spellings of one address have opened allow-lists before: GHSA-7jmw in Traefik). Undefined where the
 * text is anything else.
 */
export function readAddress(text: string): string | undefined {
  if (isIPv4(text)) return text
  // What a dual-stack listener calls every IPv4 peer: worth a short cut.
  if (text.startsWith(mapped) && isIPv4(text.slice(mapped.length))) return text.slice(mapped.length)
  if (isIP(text) === 0) return undefined
  const { address } = new SocketAddress({ address: text, family: 'ipv6' })
  const embedded = address.startsWith(mapped) ? address.slice(mapped.length) : ''
  return isIPv4(embedded) ? embedded : address
}

/** Reads one element of X-Forwarded-For. `unknown`, obfuscated names, host names and leftovers are undefined. */
export function readForwardedNode(node: string): string | undefined {
  const match = withPort.exec(node)
  return readAddress(match === null ? node : (match[1] ?? match[2]!))
}

/** `10.0.0.0/8`, `2001:db8::/32`, or one address. Undefined where it is none of these. */
export function readNetwork(cidr: string): Network | undefined {
  const slash = cidr.indexOf('/')
  const text = slash === -1 ? cidr : cidr.slice(0, slash)
  const address = text.includes('%') ? undefined : readAddress(text)
  if (address === undefined) return undefined
  const bits = isIPv4(text) ? 32 : 128
  const written = slash === -1 ? String(bits) : cidr.slice(slash + 1)
  if (!/^(?:0|[1-9]\d{0,2})$/.test(written) || Number(written) > bits) return undefined
  if (!isIPv4(address)) return { family: 'ipv6', address, prefix: Number(written) }
  // A mapped range is the IPv4 range inside it; one that reaches beyond ::ffff:0:0/96 is no range of either kind.
  const prefix = Number(written) - (bits - 32)
  return prefix < 0 ? undefined : { family: 'ipv4', address, prefix }
}

const mostKnown = 1024

/** @throws RangeError naming the first entry that is not a network; the reader of the file asks before */
export function parseNetworks(cidrs: readonly string[]): Networks {
  // One list per family: `::/0` in a shared one would hold all of IPv4.
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() }
  for (const cidr of cidrs) {
    const network = readNetwork(cidr)
    if (network === undefined) throw new RangeError(`not a network: ${cidr}`)
    lists[network.family].addSubnet(network.address, network.prefix, network.family)
  }
  const holds = (text: string): boolean => {
    const address = readAddress(text)
    if (address === undefined) return false
    const family = isIPv4(address) ? 'ipv4' : 'ipv6'
    return lists[family].check(address, family)
  }
  // A BlockList takes most of a microsecond, and the same few proxies ask all day.
  const known = new Map<string, boolean>()
  return {
    isEmpty: cidrs.length === 0,
    has(text) {
      const before = known.get(text)
      if (before !== undefined) return before
      if (known.size >= mostKnown) known.clear()
      const answer = holds(text)
      known.set(text, answer)
      return answer
    },
  }
}

/**
 * The address of the client: the peer, unless the peer is a trusted proxy; then X-Forwarded-For is read from
 * the right through further trusted proxies and stops at the first address that is not one. Whatever stands to
 * the left of it was written by somebody unknown and is not looked at (heimdall CVE-2026-57210; hop counts:
 * fastify CVE-2026-16732). A node that is no address ends the walk at the last good one.
 *
 * @param peer address of the connection; returned as it is where it is no IP address (a unix socket)
 */
export function clientAddress(peer: string, forwardedFor: string | undefined, trusted: Networks): string {
  const address = readAddress(peer)
  if (address === undefined) return peer
  if (trusted.isEmpty || forwardedFor === undefined || !trusted.has(address)) return address
  return walk(forwardedFor, address, trusted)
}

function walk(forwardedFor: string, peer: string, trusted: Networks): string {
  let good = peer
  let end = forwardedFor.length
  while (end >= 0) {
    const comma = end === 0 ? -1 : forwardedFor.lastIndexOf(',', end - 1)
    const node = readForwardedNode(forwardedFor.slice(comma + 1, end).trim())
    if (node === undefined) return good
    good = node
    if (!trusted.has(node)) return good
    end = comma
  }
  return good
}
