/** The provider people sign in with. */
import { type Draft, value } from './draft.ts'
import type { Settings } from './given.ts'
import type { Alpha } from './read-alpha.ts'
import type { SettingName } from './settings.ts'
import { writeSecret } from './write-secret.ts'

export interface ProviderKind {
  readonly kind: 'keycloak' | 'oidc' | 'github'
  /** Where nobody writes one. */
  readonly issuer?: string
  /** The whole world has an account. */
  readonly open?: boolean
}

const kinds: Readonly<Record<string, ProviderKind>> = {
  'keycloak-oidc': { kind: 'keycloak' },
  keycloak: { kind: 'keycloak' },
  oidc: { kind: 'oidc' },
  google: { kind: 'oidc', issuer: 'https://accounts.google.com', open: true },
  github: { kind: 'github', open: true },
  gitlab: { kind: 'oidc', issuer: 'https://gitlab.com', open: true },
  azure: { kind: 'oidc' },
  'entra-id': { kind: 'oidc' },
  adfs: { kind: 'oidc' },
  cidaas: { kind: 'oidc' },
  'login.gov': { kind: 'oidc', issuer: 'https://secure.login.gov/', open: true },
}

/** Theirs is Google where nothing is said. */
export const kindOf = (settings: Settings): ProviderKind | undefined => kinds[settings.text('provider') ?? 'google']

export function writeProvider(draft: Draft, settings: Settings, alpha: Alpha | undefined): void {
  const known = kindOf(settings)
  const { kind } = known ?? { kind: 'oidc' }
  const from = settings.place('provider')
  draft.gap()
  draft.line(0, 'provider:')
  draft.line(1, `kind: ${kind}`, from || 'their default is google')
  if (known === undefined) {
    const asks = `which issuer? Doorward has no provider "${settings.text('provider')}", and speaks OpenID Connect and GitHub`
    draft.ask({ place: from, asks, hint: 'put Keycloak or Dex in between, and write its issuer' })
  }
  const issuer = writeIssuer(draft, settings, known)
  const line = (
    key: string,
    name: SettingName,
    written: string | readonly string[] | undefined = settings.text(name),
  ) => {
    if (written !== undefined) draft.line(1, `${key}: ${value(written)}`, settings.place(name))
  }
  if (kind !== 'github') writeEndpoints(draft, settings, issuer)
  line('clientId', 'client-id')
  if (settings.text('client-id') === undefined) {
    draft.ask({ place: 'no client-id', asks: 'which client at the provider?', hint: 'write provider.clientId' })
    draft.line(1, 'clientId: ""', 'TODO')
  }
  writeSecret(draft, settings, {
    depth: 1,
    key: 'clientSecret',
    text: 'client-secret',
    file: 'client-secret-file',
    fallback: '/run/secrets/client-secret',
    what: 'the client secret',
  })
  line('label', 'provider-display-name')
  line('scopes', 'scope', settings.text('scope')?.split(/\s+/))
  writeCa(draft, settings)
  if (kind !== 'github' && settings.text('oidc-groups-claim') !== 'groups') line('groupsClaim', 'oidc-groups-claim')
  writePrompt(draft, settings)
  writeParameters(draft, settings, alpha)
  if (kind === 'github') line('allowedOrgs', 'github-org', settings.text('github-org')?.split(',').slice(0, 1))
}

function writeIssuer(draft: Draft, settings: Settings, known: ProviderKind | undefined): string | undefined {
  const tenant = settings.text('azure-tenant')
  const realm = /^(https?:\/\/[^?#]+\/realms\/[^/?#]+)\/protocol\//.exec(settings.text('login-url') ?? '')?.[1]
  const ways: readonly [string | undefined, string][] = [
    [settings.text('oidc-issuer-url'), settings.place('oidc-issuer-url')],
    [realm, settings.place('login-url')],
    [tenant && `https://login.microsoftonline.com/${tenant}/v2.0`, settings.place('azure-tenant')],
    [known?.issuer, 'of this provider'],
  ]
  const [issuer, place] = ways.find(([one]) => one !== undefined) ?? [undefined, '']
  if (known?.kind === 'github') {
    const enterprise = URL.parse(settings.text('login-url') ?? '')?.origin
    if (enterprise !== undefined) draft.line(1, `issuer: ${value(enterprise)}`, settings.place('login-url'))
    return enterprise
  }
  if (issuer !== undefined) {
    draft.line(1, `issuer: ${value(issuer)}`, place)
    if (/^\$/.test(issuer)) draft.need(`${value(issuer)}: the issuer`)
    return issuer
  }
  if (known !== undefined) {
    const hint = 'write provider.issuer, to the letter as `iss` of its tokens'
    draft.ask({ place: 'no oidc-issuer-url', asks: 'which issuer signs people in?', hint })
  }
  draft.line(1, 'issuer: TODO', 'https://keycloak.example.com/realms/main')
  return undefined
}

const endpoints: readonly [SettingName, string][] = [
  ['redeem-url', 'token'],
  ['profile-url', 'userinfo'],
  ['oidc-jwks-url', 'jwks'],
]

/**
 * Another host for what servers ask is the usual reason to name endpoints: one address for all of them says it. What
 * is at the issuer's own host is told by discovery.
 */
function writeEndpoints(draft: Draft, settings: Settings, issuer: string | undefined): void {
  const own = URL.parse(issuer ?? '')?.origin
  const named = endpoints.flatMap(([name, key]) => {
    const url = URL.parse(settings.text(name) ?? '')
    return url === null ? [] : [{ name, key, url }]
  })
  const others = [...new Set(named.map(({ url }) => url.origin).filter((origin) => origin !== own))]
  if (others.length === 1 && own !== undefined) {
    draft.line(1, `internalUrl: ${value(others[0]!)}`, settings.place(...named.map(({ name }) => name)))
    return
  }
  const login = URL.parse(settings.text('login-url') ?? '')
  if (settings.text('login-url') !== undefined && login === null) {
    draft.leave({
      place: settings.place('login-url'),
      why: 'is no whole address; discovery tells where browsers sign in',
    })
  }
  if (!settings.on('skip-oidc-discovery') && others.length === 0) return
  const jwks = named.find(({ key }) => key === 'jwks')
  const pins = [
    ...(login === null ? [] : [`authorization: ${value(plain(login))}`]),
    ...named.filter(({ key }) => key !== 'jwks').map(({ key, url }) => `${key}: ${value(plain(url))}`),
  ]
  if (pins.length > 0) {
    draft.line(1, 'endpoints:', settings.place('login-url', 'redeem-url', 'profile-url'))
    for (const pin of pins) draft.line(2, pin)
  }
  if (jwks !== undefined) draft.line(1, `jwksUrl: ${value(plain(jwks.url))}`, settings.place('oidc-jwks-url'))
}

function writeCa(draft: Draft, settings: Settings): void {
  const [first, ...more] = settings.list('provider-ca-file')
  if (first === undefined) return
  draft.line(1, `ca: ${value(first)}`, settings.place('provider-ca-file'))
  draft.need(`${first}: the authorities of the provider`)
  if (more.length > 0)
    draft.leave({ place: settings.place('provider-ca-file'), why: `one file: put ${more.join(', ')} into ${first}` })
}

function writePrompt(draft: Draft, settings: Settings): void {
  const prompt = settings.text('prompt')
  if (prompt === undefined) return
  const place = settings.place('prompt')
  if (prompt === 'none') {
    // As theirs documents it for silent logins; a person who is not signed in at the provider could never come in.
    draft.leave({
      place,
      why: 'none lets nobody sign in who is not signed in at the provider already; write prompt: none if that is meant',
    })
  } else if (['login', 'consent', 'select_account'].includes(prompt)) draft.line(1, `prompt: ${prompt}`, place)
  else draft.leave({ place, why: 'several prompts at once; write one: login, consent or select_account' })
}

function writeParameters(draft: Draft, settings: Settings, alpha: Alpha | undefined): void {
  const acr = settings.text('acr-values')
  const fixed = (alpha?.parameters ?? []).flatMap(({ name, value: sent }) =>
    sent === undefined ? [] : [[name, sent] as const],
  )
  const all = [...(acr === undefined ? [] : [['acr_values', acr] as const]), ...fixed]
  if (all.length > 0) {
    draft.line(1, `parameters: ${value(Object.fromEntries(all))}`, settings.place('acr-values') || 'loginURLParameters')
  }
  const open = (alpha?.parameters ?? []).filter((parameter) => parameter.open).map(({ name }) => name)
  if (open.length > 0) draft.line(1, `allowedParameters: ${value(open)}`, 'loginURLParameters')
}

/** Without user name and password, which would be a secret in clear. */
const plain = ({ origin, pathname, search }: URL): string => origin + pathname + search
