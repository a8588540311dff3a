import type { BearerConfig } from '../../src/config/bearer-config.ts'

/** A bearer entry for a rogue provider. */
export const bearerConfig = ({ issuer }: { issuer: string }): BearerConfig => ({
  header: undefined,
  issuer,
  audience: ['api'],
  jwksUrl: undefined,
  keys: undefined,
  internalUrl: undefined,
  caFile: undefined,
  algorithms: ['RS256', 'ES256'],
  groupsClaim: 'groups',
  userinfo: false,
  clients: [],
  trustUnverifiedEmail: false,
  groupPaths: 'keep',
  claimsKept: [],
  timeout: 2000,
})
