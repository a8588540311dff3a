import { z } from 'zod'
import { asymmetricAlgorithms, isAsymmetric } from '../core/algorithms.ts'
import { wrongTokenHeader } from './header-names.ts'
import { Refused } from './refused.ts'
import { httpUrl, issuer } from './schema-addresses.ts'
import { duration } from './schema-quantities.ts'
import { choice, fileRef, list, oneOrMore, plainText, text, yesOrNo } from './schema-values.ts'

const algorithm = () =>
  text((written) => {
    if (isAsymmetric(written)) return written
    const known = `use one of ${asymmetricAlgorithms.join(', ')}`
    if (/^HS/i.test(written))
      return new Refused('symmetric algorithms would let everybody who can check a token make one', known)
    if (written.toLowerCase() === 'none') return new Refused('"none" means unsigned', known)
    return new Refused(`"${written}" is not a signature algorithm`, known)
  })

const tokenHeader = () => text((written) => wrongTokenHeader(written) ?? written.toLowerCase())

export const bearerSchema = z.strictObject({
  header: tokenHeader()
    .optional()
    .meta({
      description:
        'Header a gateway in front puts its signed token into. Such a token stands for a session: people do not sign in twice. ' +
        'Unset: `Authorization: Bearer`, for API clients.',
      examples: ['Cf-Access-Jwt-Assertion'],
    }),
  issuer: issuer().meta({
    description: 'Issuer, to the letter as in its tokens (`iss`).',
    examples: ['https://keycloak.example.com/realms/main'],
  }),
  audience: oneOrMore(plainText()).meta({
    description: 'The token must be meant for one of these (`aud`).',
    examples: ['grafana-api'],
  }),
  jwksUrl: httpUrl().optional().meta({ description: "Where the issuer's keys are. Unset: from discovery." }),
  keys: fileRef()
    .optional()
    .meta({
      description: "A JWKS file with the issuer's public keys; then no request is made for them.",
      examples: [{ file: 'jwks.json' }],
    }),
  internalUrl: httpUrl()
    .optional()
    .meta({ description: 'Address for calls from here to the issuer, where it differs.' }),
  ca: plainText().optional().meta({ description: 'PEM file with further certificate authorities.' }),
  algorithms: list(algorithm()).min(1).prefault(['RS256', 'PS256', 'ES256', 'EdDSA']).meta({
    description: 'Signature algorithms accepted; asymmetric ones alone.',
  }),
  groupsClaim: plainText().prefault('groups').meta({ description: 'Claim that holds the groups.' }),
  userinfo: yesOrNo()
    .prefault(false)
    .meta({ description: 'Ask the userinfo endpoint once where a token holds no groups.' }),
  clients: list(plainText())
    .prefault([])
    .meta({ description: 'Clients whose tokens are accepted (`azp`). Empty: all.' }),
  trustUnverifiedEmail: yesOrNo()
    .prefault(false)
    .meta({ description: 'Count e-mail addresses the issuer does not call verified.' }),
  groupPaths: choice(['keep', 'ignore'])
    .prefault('keep')
    .meta({ description: 'Leading slash of group paths, as for a provider.' }),
  timeout: duration({ least: 100, most: 120_000 })
    .prefault('10s')
    .meta({ description: 'Deadline of one call to the issuer.' }),
})
