/** What the running process says of itself at /status, read as the foreign text it is. */
import type { ListenAddress } from '../../config/config.ts'
import { isJsonObject } from '../../core/strict-json.ts'
import type { IngressStatus } from '../../http/forward-auth/ingress-witness.ts'
import type { Patient } from './examination.ts'
import { wireSentenceOf } from './wire-sentence.ts'

export interface RunningStatus {
  readonly version: string
  readonly configHash: string
  readonly secrets: ReadonlyMap<string, string>
  readonly reloadProblem: string | undefined
  /** Undefined where the process has no forward-auth listener, or is too old to tell. */
  readonly forwardAuth: IngressStatus | undefined
}

export type AskedStatus =
  | { readonly kind: 'status'; readonly address: string; readonly status: RunningStatus }
  /** Nobody answered, or something else did. */
  | { readonly kind: 'unseen'; readonly address: string; readonly why: string }

/** Milliseconds: it is on this machine, or in this pod. */
const patience = 3000

export async function askStatus({ config, asked, signal }: Patient): Promise<AskedStatus> {
  const base = asked.operations ?? addressOf(config.operations)
  if (base === undefined) return { kind: 'unseen', address: 'operations', why: 'the file gives it no fixed address' }
  const url = new URL('/status', base)
  const address = url.href
  try {
    const answer = await fetch(url, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(patience)]),
      redirect: 'manual',
    })
    const status = readStatus(await answer.json().catch(() => undefined))
    if (answer.status === 200 && status !== undefined) return { kind: 'status', address, status }
    return { kind: 'unseen', address, why: `what answers there (${answer.status}) is no /status of Doorward` }
  } catch (error) {
    return { kind: 'unseen', address, why: wireSentenceOf(error) }
  }
}

/** An address to listen at is one to ask at, save for those that mean all of this machine's. */
function addressOf(listen: ListenAddress | undefined): URL | undefined {
  if (listen === undefined || listen.port === 0) return undefined
  const host = listen.host === '0.0.0.0' ? '127.0.0.1' : listen.host === '::' ? '::1' : listen.host
  return new URL(`http://${host.includes(':') ? `[${host}]` : host}:${listen.port}`)
}

function readStatus(value: unknown): RunningStatus | undefined {
  if (!isJsonObject(value)) return undefined
  const { version, configHash, secrets, reloadProblem, forwardAuth } = value
  if (typeof version !== 'string' || typeof configHash !== 'string' || !isJsonObject(secrets)) return undefined
  const fingerprints = Object.entries(secrets).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  )
  return {
    version,
    configHash,
    secrets: new Map(fingerprints),
    reloadProblem: typeof reloadProblem === 'string' ? reloadProblem : undefined,
    forwardAuth: readIngress(forwardAuth),
  }
}

function readIngress(value: unknown): IngressStatus | undefined {
  if (!isJsonObject(value)) return undefined
  const { asked, peers, untrusted, viaPublicHost } = value
  if (typeof asked !== 'number' || !Array.isArray(peers)) return undefined
  const known = { asked, peers: peers.filter((peer) => typeof peer === 'string') }
  return { ...known, ...readStranger(untrusted), ...readVia(viaPublicHost) }
}

function readStranger(value: unknown): Pick<IngressStatus, 'untrusted'> {
  if (!isJsonObject(value) || typeof value.peer !== 'string' || typeof value.times !== 'number') return {}
  return { untrusted: { peer: value.peer, times: value.times } }
}

function readVia(value: unknown): Pick<IngressStatus, 'viaPublicHost'> {
  if (!isJsonObject(value) || typeof value.gateway !== 'string' || typeof value.host !== 'string') return {}
  return { viaPublicHost: { gateway: value.gateway, host: value.host, cloudflare: value.cloudflare === true } }
}
