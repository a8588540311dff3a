/** Events an operator may have to answer for later: who came in, who was kept out, whose session ended. */
import { createHash } from 'node:crypto'
import type { Identity } from '../core/identity.ts'
import type { Log } from '../core/log.ts'
import type { Reason } from '../core/verdict.ts'
import type { Metrics } from './metrics.ts'

/** Where an event came from, as far as a request was involved. */
interface Origin {
  readonly requestId?: string
  /** From `clientAddress`. */
  readonly address?: string
}

export type AuditEvent = Origin &
  (
    | { readonly event: 'login'; readonly identity: Identity; readonly sessionId: string }
    /** `reason`: a code of core/errors.ts; `detail`: the provider's words, for the log alone. */
    | { readonly event: 'login_failed'; readonly provider: string; readonly reason: string; readonly detail?: string }
    | {
        readonly event: 'logout'
        readonly identity: Identity
        readonly sessionId: string
        readonly by: 'person' | 'provider' | 'operator'
      }
    /** The provider ended a session of its own, or all of a person; which of ours stood on it is not counted. */
    | {
        readonly event: 'provider_logout'
        readonly issuer: string
        readonly subject: string | undefined
        /** `hashId` of its `sid`. */
        readonly providerSession: string | undefined
      }
    | {
        readonly event: 'denied'
        readonly identity: Identity | undefined
        readonly route: string
        readonly reason: Reason
        /** Keys of the file that are not met. */
        readonly unmet: readonly string[]
      }
    | {
        readonly event: 'refresh_failed'
        readonly identity: Identity
        readonly sessionId: string
        /** `terminal` ends the session, `operator` needs somebody to act, `transient` is tried again. */
        readonly errorClass: RefreshErrorClass
        readonly detail?: string
      }
    | {
        readonly event: 'session_ended'
        readonly identity: Identity | undefined
        readonly sessionId: string
        /** `idle`, `lifetime`: told once this process finds it, by a request that came too late or a connection that was open. */
        readonly reason: 'refresh' | 'replaced' | 'idle' | 'lifetime'
      }
  )

export type RefreshErrorClass = 'terminal' | 'operator' | 'transient'

export type Audit = (event: AuditEvent) => void

type AuditMetrics = Pick<Metrics, 'countLogin' | 'countLogout' | 'countRefresh' | 'countSessionEnd'>

/** Denials are counted where verdicts are; every other event is counted here. */
export function createAudit(log: Log, metrics: AuditMetrics): Audit {
  return (event) => {
    count(event, metrics)
    const message = `audit: ${event.event.replaceAll('_', ' ')}`
    if (event.event === 'refresh_failed' && event.errorClass !== 'terminal') log.warn(fieldsOf(event), message)
    else log.info(fieldsOf(event), message)
  }
}

function count(event: AuditEvent, metrics: AuditMetrics): void {
  switch (event.event) {
    case 'login':
      metrics.countLogin('ok')
      break
    case 'login_failed':
      metrics.countLogin(event.reason)
      break
    case 'logout':
      metrics.countLogout(event.by)
      break
    case 'provider_logout':
      metrics.countLogout('provider')
      break
    case 'refresh_failed':
      metrics.countRefresh(event.errorClass)
      break
    case 'session_ended':
      metrics.countSessionEnd(event.reason)
      break
    case 'denied':
      break
  }
}

interface Sensitive {
  readonly event: string
  readonly identity?: Identity | undefined
  readonly sessionId?: string
}

/** Identities and ids are replaced by what may be kept: key of the person, username, hash of the id. */
function fieldsOf(event: Sensitive): object {
  const { identity, sessionId, ...rest } = event
  return {
    audit: true,
    ...rest,
    ...(identity !== undefined && {
      user: identity.subject,
      username: identity.username,
      issuer: identity.issuer,
      provider: identity.provider,
    }),
    ...(sessionId !== undefined && { session: hashId(sessionId) }),
  }
}

/** The name of a session or token (`jti`) in logs: tells two apart and opens neither. */
export const hashId = (id: string): string => createHash('sha256').update(`log:${id}`).digest('hex').slice(0, 16)
