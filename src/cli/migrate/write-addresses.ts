/** publicUrl, base path, listeners, and whom to believe. */
import { type Address, readAddress } from './address.ts'
import { type Draft, value } from './draft.ts'
import type { Settings } from './given.ts'

export interface Addresses {
  /** Given on our own command line. */
  readonly publicUrl: string | undefined
  /** Nothing is proxied: an ingress asks. */
  readonly forwardAuthAlone: boolean
}

/** @returns the base path that was written */
export function writeAddresses(draft: Draft, settings: Settings, { publicUrl, forwardAuthAlone }: Addresses): string {
  draft.line(0, 'version: 1')
  const redirect = readAddress(settings.text('redirect-url') ?? '')
  writePublicUrl(draft, settings, publicUrl ?? redirect?.origin, publicUrl !== undefined)
  const basePath = writeBasePath(draft, settings, redirect)
  writeListeners(draft, settings, forwardAuthAlone)
  writeTrustedProxies(draft, settings, forwardAuthAlone)
  return basePath
}

function writePublicUrl(draft: Draft, settings: Settings, url: string | undefined, ours: boolean): void {
  if (url !== undefined) {
    draft.line(0, `publicUrl: ${value(url)}`, ours ? '--public-url' : settings.place('redirect-url'))
    return
  }
  const place = settings.place('redirect-url') || 'no redirect-url'
  draft.ask({
    place,
    asks: 'where do browsers reach this gateway? oauth2-proxy took it from the Host header, which anybody can write',
    hint: 'write publicUrl, or run this again with --public-url https://app.example.com',
  })
  draft.line(0, 'publicUrl: TODO', 'https://app.example.com: scheme, host and port that browsers see')
}

function writeBasePath(draft: Draft, settings: Settings, redirect: Address | undefined): string {
  const prefix = `/${(settings.text('proxy-prefix') ?? 'oauth2').replaceAll(/^\/+|\/+$/g, '')}`
  const callback = redirect?.pathname ?? `${prefix}/callback`
  draft.line(
    0,
    `basePath: ${value(prefix)}`,
    settings.place('proxy-prefix') || 'as theirs, so that registered URIs stay',
  )
  if (callback !== `${prefix}/callback` && callback !== '/') {
    const why = `the redirect URI becomes <publicUrl>${prefix}/callback: register it at the provider`
    draft.leave({ place: settings.place('redirect-url'), why })
  }
  draft.remark(0, `Serves ${prefix}/start, sign_in, sign_out and userinfo, and ${prefix}/auth on forwardAuth.`)
  draft.remark(0, 'Remove it when annotations and links name our own pages; basePath may stay.')
  draft.line(0, 'compatibility: oauth2-proxy')
  return prefix
}

function writeListeners(draft: Draft, settings: Settings, forwardAuthAlone: boolean): void {
  draft.gap()
  const http = listenAddress(settings.text('http-address') ?? '127.0.0.1:4180')
  if (http !== undefined) draft.line(0, `listen: ${value(http)}`, settings.place('http-address') || 'their default')
  else draft.leave({ place: settings.place('http-address'), why: 'no socket and no empty address; write listen' })
  if (forwardAuthAlone) {
    draft.remark(0, 'For the ingress alone, on a port of its own: change the port in auth-url.')
    draft.line(0, 'forwardAuth: 0.0.0.0:4181', settings.place('upstream', 'set-xauthrequest') || 'no upstream')
  }
  const metrics = settings.text('metrics-address')
  const operations = listenAddress(metrics ?? '')
  if (operations !== undefined) {
    draft.line(0, `operations: ${value(operations)}`, settings.place('metrics-address'))
  } else {
    draft.remark(0, 'operations: 0.0.0.0:9180   # /healthz, /readyz, /metrics: where /ping and /ready went')
  }
}

/** `http://0.0.0.0:4180`, `:4180`. Undefined where it is no port of TCP. */
function listenAddress(written: string): string | undefined {
  const address = written.replace(/^https?:\/\//, '').replace(/\/$/, '')
  const match = /^(\[[\da-fA-F:.]+\]|\$\{[^{}\s]+\}|[^:/\s]*):(\d+|\$\{[^{}\s]+\})$/.exec(address)
  if (match === null) return undefined
  const [, host = '', port] = match
  return `${host === '' ? '0.0.0.0' : host === 'localhost' ? '127.0.0.1' : host}:${port}`
}

function writeTrustedProxies(draft: Draft, settings: Settings, forwardAuthAlone: boolean): void {
  const named = settings.list('trusted-proxy-ip').filter((range) => !/^(?:0\.0\.0\.0|::)\/0$/.test(range))
  const all = settings.list('trusted-proxy-ip').length > named.length
  if (named.length > 0) {
    draft.line(0, `trustedProxies: ${value(named)}`, settings.place('trusted-proxy-ip'))
    if (all)
      draft.leave({
        place: settings.place('trusted-proxy-ip'),
        why: 'everybody is no proxy: the range of all addresses is left out',
      })
    return
  }
  if (!settings.on('reverse-proxy') && !forwardAuthAlone && !all) return
  draft.ask({
    place: settings.place('reverse-proxy', 'trusted-proxy-ip') || 'no upstream',
    asks: 'which addresses are the proxies in front? oauth2-proxy believed X-Forwarded-* of everybody',
    hint: 'write trustedProxies; until then nobody is believed, and nobody may ask on forwardAuth',
  })
  draft.line(
    0,
    '# trustedProxies: [10.42.0.7]',
    settings.place('reverse-proxy', 'trusted-proxy-ip') || 'of the ingress',
  )
}
