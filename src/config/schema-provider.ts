import { z } from 'zod'
import { asymmetricAlgorithms } from '../core/algorithms.ts'
import { httpUrl, issuer } from './schema-addresses.ts'
import { duration } from './schema-quantities.ts'
import { emailList, groupPattern } from './schema-requirements.ts'
import { choice, list, oneOrMore, plainText, secretRef, yesOrNo } from './schema-values.ts'

const clientAuthMethods = ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'] as const

const clientAuthSchema = z.strictObject({
  method: choice(clientAuthMethods).meta({ description: 'How the client proves itself at the token endpoint.' }),
  key: secretRef()
    .optional()
    .meta({
      description: 'For `private_key_jwt`: the private key (PKCS #8 PEM or JWK).',
      examples: [{ file: '/run/secrets/client-key.pem' }],
    }),
  keyId: plainText().optional().meta({ description: '`kid` the provider knows the key by.' }),
  algorithm: choice(asymmetricAlgorithms)
    .optional()
    .meta({ description: 'Signature algorithm. Unset: the one that fits the key.' }),
})

const endpointsSchema = z.strictObject({
  authorization: httpUrl().optional().meta({ description: 'Where browsers are sent to sign in.' }),
  token: httpUrl().optional().meta({ description: 'Where codes and refresh tokens are exchanged.' }),
  userinfo: httpUrl().optional().meta({ description: 'Where further claims are asked for.' }),
  endSession: httpUrl().optional().meta({ description: 'Where browsers are sent to sign out.' }),
})

export const providerSchema = z.strictObject({
  kind: choice(['keycloak', 'oidc', 'github']).prefault('oidc').meta({
    description: '`keycloak`, `github`, or `oidc` for every other OpenID Connect provider.',
  }),
  label: plainText()
    .optional()
    .meta({ description: "Name on the sign-in page. Unset: the name under `providers`, else the issuer's host." }),
  issuer: issuer()
    .optional()
    .meta({
      description:
        'Issuer, to the letter as in its tokens (`iss`). For Keycloak: `https://<host>/realms/<realm>`. ' +
        'For GitHub: the address of your GitHub Enterprise; unset: `https://github.com`.',
      examples: ['https://keycloak.example.com/realms/main'],
    }),
  internalUrl: httpUrl()
    .optional()
    .meta({
      description:
        'Address for calls from here to the provider, where it differs from the public one. Transport only: `iss` stays the issuer.',
      examples: ['http://keycloak.keycloak.svc:8080'],
    }),
  jwksUrl: httpUrl().optional().meta({ description: 'Where the signing keys are. Unset: from discovery.' }),
  endpoints: endpointsSchema.prefault({}).meta({
    description: 'Endpoints that differ from discovery; with all of them and `jwksUrl`, discovery is not asked.',
  }),
  ca: plainText()
    .optional()
    .meta({
      description: 'PEM file with further certificate authorities for the provider. It may appear after the start.',
      examples: ['/etc/doorward/ca.pem'],
    }),
  clientId: plainText().meta({
    description: 'The client registered at the provider for this gateway.',
    examples: ['grafana'],
  }),
  clientSecret: secretRef()
    .optional()
    .meta({
      description: 'Secret of the client.',
      examples: [{ file: '/run/secrets/client-secret' }, { env: 'CLIENT_SECRET' }],
    }),
  clientAuth: z
    .union([choice(clientAuthMethods), clientAuthSchema])
    .optional()
    .meta({
      description:
        'How the client proves itself: a method, or a map with its key. Unset: `client_secret_basic` with a `clientSecret`, else `none` (PKCE alone).',
    }),
  scopes: list(plainText())
    .prefault(['openid', 'profile', 'email'])
    .meta({
      description:
        "Scopes to ask for; `openid` is always among them. `offline_access` only if you want sessions to outlive the provider's, or where it gives no refresh token otherwise. " +
        'GitHub, unset: `read:user`, `user:email`, `read:org`.',
    }),
  parameters: z
    .record(z.string(), plainText())
    .prefault({})
    .meta({
      description: 'Further parameters of every authorization request.',
      examples: [{ kc_idp_hint: 'github' }],
    }),
  allowedParameters: list(plainText())
    .prefault([])
    .meta({
      description: 'Parameters a login link may pass on to the provider.',
      examples: [['kc_idp_hint', 'ui_locales', 'login_hint']],
    }),
  prompt: choice(['login', 'consent', 'select_account', 'none']).optional().meta({
    description: 'What the provider asks of the person at every login.',
  }),
  trustUnverifiedEmail: yesOrNo().prefault(false).meta({
    description: 'Count e-mail addresses the provider does not call verified. Only where nobody can type in their own.',
  }),
  groupPaths: choice(['keep', 'ignore']).prefault('keep').meta({
    description: 'Leading slash of group paths: `keep` makes it significant, `ignore` drops it.',
  }),
  groupsKept: list(groupPattern())
    .prefault([])
    .meta({
      description: 'Groups that enter the session: exact names or `/prefix/*`. Empty: all.',
      examples: [['/grafana/*']],
    }),
  accountKinds: z
    .record(plainText(), plainText())
    .prefault({})
    .meta({
      description:
        'Keycloak with identity providers behind it: what people call each, by its alias (claim `identity_provider`). Shown on pages and in `session`.',
      examples: [{ github: 'GitHub', azure: 'Company account' }],
    }),
  groupsClaim: plainText().prefault('groups').meta({ description: 'Claim that holds the groups.' }),
  allowedOrgs: oneOrMore(plainText())
    .optional()
    .meta({
      description:
        'GitHub: members of one of these organisations may sign in. Beside `allowedEmails`: either is enough.',
      examples: [['acme']],
    }),
  allowedEmails: emailList()
    .optional()
    .meta({
      description:
        'Who has one of these verified e-mail addresses may sign in, nobody else: a list, or `{ file }` with one per line.',
      examples: [['ada@example.com']],
    }),
  anyoneMaySignIn: yesOrNo().prefault(false).meta({
    description:
      'For providers where the whole world has an account (GitHub, Google, Microsoft `common`): `signedIn` routes are meant to let everybody in.',
  }),
  timeout: duration({ least: 100, most: 120_000 })
    .prefault('10s')
    .meta({ description: 'Deadline of one call to the provider.' }),
})
