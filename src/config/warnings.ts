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
  if (config.session.store === 'memory' && config.redis !== undefined && config.providers.length > 0) {
    warnings.add(['redis'], 'is of no use to session.store: memory', 'write session.store: redis, or remove it')
  }
  warnAboutCookies(config, warnings)
  for (const key of ['forwardAuth', 'extAuthz'] as const) {
    if (config[key] === undefined || config.trustedProxies.length > 0) continue
    const hint = 'add trustedProxies with the addresses of the ingress; refused ones are named in the log'
    warnings.add([key], 'nobody may ask there: trustedProxies is empty', hint)
  }
}

/** A gateway that asks by HTTP forwards the browser's Cookie header itself, and has no place to be told of another. */
function warnAboutCookies({ forwardAuth, extAuthz, routes }: Config, warnings: Problems): void {
  if (forwardAuth === undefined) return
  routes.forEach(({ dropCookies, upstream }, index) => {
    if (dropCookies.length === 0 || upstream !== undefined) return
    const also = extAuthz === undefined ? '' : ', only one that asks over gRPC'
    const hint = 'give the route an upstream of this gateway, or have the ingress take them out of the Cookie header'
    warnings.add(['routes', index, 'dropCookies'], `has no effect behind an ingress that asks over HTTP${also}`, hint)
  })
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

/**
 * What the session store cannot do, told at the start and by `check`.
 * @param written false where the file leaves the choice of the store to us
 */
export function addStoreNotes({ session, redis, providers }: Config, written: boolean, notes: Problems): void {
  if (providers.length === 0) return
  const at = ['session', 'store']
  const chosen = written ? session.store : `is not written, so it is ${session.store}`
  if (session.store === 'memory') {
    const message = `${chosen}: a restart ends every session, and there can be one replica alone`
    notes.add(at, message, 'write store: redis or store: cookie to keep sessions or run several')
  } else if (redis === undefined) {
    const message = `${chosen}: logout marks are known to this process alone, and forgotten at a restart`
    notes.add(at, message, 'add redis: to carry logout to every replica, or keep session.lifetime short')
  }
}
