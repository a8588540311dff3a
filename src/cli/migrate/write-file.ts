/** All of our file from all of theirs. */
import { commented, createDraft, type Draft, value } from './draft.ts'
import type { Settings } from './given.ts'
import type { Alpha } from './read-alpha.ts'
import { settings as known } from './settings.ts'
import { isForwardAuthAlone, upstreamsOf } from './upstreams.ts'
import { writeAddresses } from './write-addresses.ts'
import { headersOf, holdsToken, writeIdentityHeaders } from './write-headers.ts'
import { writeProvider } from './write-provider.ts'
import { writeRoutes } from './write-routes.ts'
import { writeSession } from './write-session.ts'

export interface Migration {
  readonly settings: Settings
  readonly alpha: Alpha | undefined
  /** Given on our own command line. */
  readonly publicUrl: string | undefined
}

export function writeFile({ settings, alpha, publicUrl }: Migration): Draft {
  const draft = createDraft()
  const upstreams = upstreamsOf(draft, settings, alpha)
  // What is left by now was an upstream too.
  const forwardAuthAlone = draft.left.length === 0 && isForwardAuthAlone(upstreams)
  const headers = headersOf(draft, settings, alpha, forwardAuthAlone)
  draft.remark(
    0,
    'Made from the settings of oauth2-proxy that stand behind each line. `doorward check` says whether it starts.',
  )
  const basePath = writeAddresses(draft, settings, { publicUrl, forwardAuthAlone })
  writeProvider(draft, settings, alpha)
  writeSession(draft, settings, holdsToken(headers))
  writeBearer(draft, settings)
  writeLooks(draft, settings)
  writeIdentityHeaders(draft, settings, alpha)
  writeRoutes(draft, settings, { upstreams, headers, forwardAuthAlone, basePath })
  leaveTheRest(draft, settings)
  writeLeft(draft)
  return draft
}

/** Theirs takes ID tokens of the client itself as well; here a token says what it is for. */
function writeBearer(draft: Draft, settings: Settings): void {
  const place = settings.place('skip-jwt-bearer-tokens')
  if (!settings.on('skip-jwt-bearer-tokens')) return
  const issuer = settings.text('oidc-issuer-url')
  const client = settings.text('client-id')
  if (settings.text('provider') === 'github' || issuer === undefined || client === undefined) {
    draft.leave({ place, why: 'tokens have to be JWTs of an issuer that is named' })
    return
  }
  draft.gap()
  draft.remark(0, 'Access tokens whose aud is one of these; an ID token is no access token and is refused.')
  draft.line(0, 'bearer:', place)
  const audience = [client, ...settings.list('oidc-extra-audience')]
  draft.line(1, `- issuer: ${value(issuer)}`)
  draft.line(1, `  audience: ${value(audience)}`, settings.place('client-id', 'oidc-extra-audience'))
  for (const pair of settings.list('extra-jwt-issuers')) {
    const at = pair.lastIndexOf('=')
    draft.line(1, `- issuer: ${value(pair.slice(0, at))}`, settings.place('extra-jwt-issuers'))
    draft.line(1, `  audience: ${value(pair.slice(at + 1))}`)
  }
}

function writeLooks(draft: Draft, settings: Settings): void {
  draft.gap()
  const skips = settings.on('skip-provider-button')
  draft.line(
    0,
    `login: { auto: ${skips} }`,
    settings.place('skip-provider-button') || 'their default shows a page first',
  )
  const logo = settings.text('custom-sign-in-logo')
  if (logo !== undefined && logo !== '-') {
    if (/^https?:/.test(logo)) {
      draft.leave({
        place: settings.place('custom-sign-in-logo'),
        why: 'pages load nothing: save the image, and name the file in brand.logo',
      })
    } else {
      draft.line(0, `brand: ${value({ logo })}`, settings.place('custom-sign-in-logo'))
      draft.standIn(value({ logo }), '{ }')
      draft.need(`${logo}: the logo`)
    }
  }
  if (!settings.on('request-logging', true)) draft.line(0, 'log: { access: false }', settings.place('request-logging'))
}

/** Whatever was given, has no key of ours, and says more than nothing. */
function leaveTheRest(draft: Draft, settings: Settings): void {
  for (const { name, values, secret, place } of settings.all) {
    const { fate } = known[name]
    if (fate.is !== 'none' && fate.is !== 'refused') continue
    const written = values.at(-1)?.toLowerCase() ?? ''
    // `-` switches an address or a text off there.
    if (secret === undefined && ['', '-', fate.unless.toLowerCase()].includes(written)) continue
    draft.leave({ place, why: fate.why })
  }
  for (const place of new Set(settings.unknown.map((one) => one.place || one.written))) {
    draft.leave({ place, why: 'no setting of oauth2-proxy that is known here; its value was not read' })
  }
}

function writeLeft(draft: Draft): void {
  if (draft.left.length > 0) draft.gap()
  if (draft.left.length > 0) draft.remark(0, 'Not taken over:')
  for (const { place, why } of draft.left) for (const line of commented(`- ${place}: ${why}`)) draft.line(0, line)
}
