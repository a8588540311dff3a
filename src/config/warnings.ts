import { BlockList, isIP } from 'node:net'
import type { Config } from './config.ts'
import type { Problems } from './problems.ts'

/** The part of `os.networkInterfaces()` that is looked at. */
export type NetworkInterfaces = Readonly<
  Record<string, readonly { readonly address: string; readonly internal: boolean }[] | undefined>
>

/** What works, but may surprise: told at the start and by `check`. */
export function addWarnings(config: Config, warnings: Problems, interfaces: NetworkInterfaces): void {
  warnAboutProxies(config, warnings, interfaces)
  warnAboutStore(config, warnings)
  if (config.forwardAuth !== undefined && config.trustedProxies.length === 0) {
    const hint = 'add trustedProxies with the addresses of the ingress; refused ones are named in the log'
    warnings.add(['forwardAuth'], 'nobody may ask there: trustedProxies is empty', hint)
  }
}

/** Wider ranges than these hold more than the ingress. */
const widest = { 4: 16, 6: 48 } as const

function warnAboutProxies({ trustedProxies }: Config, warnings: Problems, interfaces: NetworkInterfaces): void {
  const own = Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal }) => !internal)
  trustedProxies.forEach((range, index) => {
    const at = ['trustedProxies', index]
    const [address = '', bits = ''] = range.split('/')
    const family = isIP(address) === 6 ? 6 : 4
    if (Number(bits) < widest[family]) {
      const hint = 'name the addresses of the proxies alone: whoever is in the range can pretend to be any client'
      warnings.add(at, `${range} is wider than /${widest[family]}`, hint)
    }
    const list = new BlockList()
    list.addSubnet(address, Number(bits), family === 6 ? 'ipv6' : 'ipv4')
    const ours = own.find((one) => list.check(one.address, isIP(one.address) === 6 ? 'ipv6' : 'ipv4'))
    if (ours === undefined || Number(bits) === (family === 6 ? 128 : 32)) return
    const hint =
      'everything beside this gateway in its network is trusted then; name the addresses of the proxies alone'
    warnings.add(at, `${range} holds the network this process is in (${ours.address})`, hint)
  })
}

function warnAboutStore({ session, redis, providers }: Config, warnings: Problems): void {
  if (providers.length === 0) return
  if (session.ephemeral) {
    const message = 'no session.secret: a key was made up, and a restart forgets every session'
    warnings.add(['session', 'secret'], message, 'make one with: openssl rand -hex 32')
  }
  if (session.store === 'memory') {
    warnings.add(
      ['session', 'store'],
      'memory: sessions end with this process, and it can have one replica alone',
      'write store: redis or store: cookie for several',
    )
    if (redis !== undefined) {
      warnings.add(['redis'], 'is of no use to session.store: memory', 'write session.store: redis, or remove it')
    }
  } else if (redis === undefined) {
    const message = 'cookie: logout marks are known to this process alone, and forgotten at a restart'
    warnings.add(
      ['session', 'store'],
      message,
      'add redis: to carry logout to every replica, or keep session.lifetime short',
    )
  }
}
