import { z } from 'zod'
import { Refused } from './refused.ts'
import { list, plainText, rawText, text, yesOrNo } from './schema-values.ts'
import { parseTemplate } from './templates.ts'

/** What a person is called; their tokens are no part of that. */
const nameTemplate = () =>
  text((written) => {
    const parts = parseTemplate(written)
    if (parts instanceof Refused) return parts
    if (parts.length === 0) return new Refused('is empty', "write '{email}', '{username}' or '{sub}'")
    const token = parts.find(({ kind }) => kind === 'accessToken' || kind === 'idToken')
    return token === undefined ? parts : new Refused(`{${token.kind}} is no name`, 'use {sub}, {email} or {claim:NAME}')
  })

export const serviceAccountToken = '/var/run/secrets/kubernetes.io/serviceaccount/token'

export const impersonateSchema = z.strictObject({
  user: nameTemplate().meta({
    description: '`Impersonate-User`. A request whose user is not known is refused.',
    examples: ['{email}', 'oidc:{username}'],
  }),
  groups: yesOrNo().prefault(true).meta({ description: 'Send each group as an `Impersonate-Group` line of its own.' }),
  groupsPrefix: rawText()
    .prefault('')
    .meta({
      description: "Put in front of each group, as the API server's `--oidc-groups-prefix` does.",
      examples: ['oidc:'],
    }),
  uid: nameTemplate()
    .optional()
    .meta({ description: '`Impersonate-Uid`. Unset: not sent.', examples: ['{sub}'] }),
  extra: z
    .record(z.string(), nameTemplate())
    .prefault({})
    .meta({
      description: '`Impersonate-Extra-KEY` by key, in lower case. A list of a claim is sent as several lines.',
      examples: [{ 'example.com/department': '{claim:department}' }],
    }),
  tokenFile: plainText().prefault(serviceAccountToken).meta({
    description:
      'File with the token of the service account that may impersonate; read again whenever it changes. While there is none, requests get 503.',
  }),
  allowSystem: list(plainText())
    .prefault([])
    .meta({
      description:
        'Users and groups beginning with `system:` that may be impersonated nonetheless; others are refused, since the cluster gives them power of its own.',
      examples: [['system:masters']],
    }),
})
