import type { Adapter, AdapterPayload } from 'oidc-provider'

/** What the embedded provider remembers: in this process, until it closes. */
export interface IdpRecords {
  /** One view per kind of record, as oidc-provider asks for them. */
  of(kind: string): Adapter
  /** Ends every session, grant and token. Clients stay. */
  revokeAll(): void
  revokeGrant(grantId: string): void
}

interface Entry {
  readonly kind: string
  readonly id: string
  readonly payload: AdapterPayload
}

/** oidc-provider checks the expiry that each payload carries, so nothing has to be swept here. */
export function createRecords(): IdpRecords {
  const entries = new Map<string, Entry>()
  const first = (kind: string, matches: (payload: AdapterPayload) => boolean) =>
    [...entries.values()].find((entry) => entry.kind === kind && matches(entry.payload))?.payload
  const removeWhere = (matches: (entry: Entry) => boolean) => {
    for (const [key, entry] of entries) if (matches(entry)) entries.delete(key)
  }
  const revokeGrant = (grantId: string) => removeWhere(({ payload }) => payload.grantId === grantId)

  return {
    revokeGrant,
    revokeAll: () => removeWhere(({ kind }) => kind !== 'Client'),
    of: (kind) => ({
      upsert: async (id, payload) => void entries.set(`${kind}:${id}`, { kind, id, payload }),
      find: async (id) => entries.get(`${kind}:${id}`)?.payload,
      findByUid: async (uid) => first(kind, (payload) => payload.uid === uid),
      findByUserCode: async (code) => first(kind, (payload) => payload.userCode === code),
      destroy: async (id) => void entries.delete(`${kind}:${id}`),
      revokeByGrantId: async (grantId) => revokeGrant(grantId),
      async consume(id) {
        const entry = entries.get(`${kind}:${id}`)
        if (entry !== undefined) entry.payload.consumed = Math.floor(Date.now() / 1000)
      },
    }),
  }
}
