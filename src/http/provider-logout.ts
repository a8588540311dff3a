import { sha256 } from '../core/encoding.ts'
import type { LogoutToken } from '../oidc/backchannel-logout.ts'
import type { Revocations } from '../session/revocations.ts'
import type { KeyValue } from '../storage/key-value.ts'

/** Ends what a provider says has ended. */
export interface ProviderLogout {
  /**
   * Ends the session of the token, or all of its person, on every process. False where the token was used before:
   * played again later it would end sessions begun since.
   * @param lifetime of sessions, milliseconds: how long a mark has to hold
   * @throws GatewayError `store_unreachable`: then the token may come again
   */
  once(token: LogoutToken, lifetime: number, now: number): Promise<boolean>
}

type Ending = Pick<Revocations, 'endProviderSession' | 'endSubject'>

export function createProviderLogout(deps: {
  readonly kv: Pick<KeyValue, 'add' | 'delete'>
  readonly revocations: Ending
}): ProviderLogout {
  const { kv, revocations } = deps
  return {
    async once(token, lifetime, now) {
      const key = `logout token ${sha256(JSON.stringify([token.issuer, token.jti])).toString('base64url')}`
      if (!(await kv.add(key, '1', Math.max(1, token.oldAt - now)))) return false
      try {
        await end(revocations, token, lifetime)
        return true
      } catch (error) {
        // Without effect everywhere it was not used; the provider, or its operator, may send it again.
        await kv.delete(key).catch(() => undefined)
        throw error
      }
    },
  }
}

/** `sid` names one session and `sub` then only says whose; `sub` alone means every session of the person. */
async function end(revocations: Ending, { issuer, sid, subject }: LogoutToken, lifetime: number): Promise<void> {
  if (sid !== undefined) await revocations.endProviderSession(issuer, sid, lifetime)
  else if (subject !== undefined) await revocations.endSubject(issuer, subject, lifetime)
}
