import { GatewayError } from '../../core/errors.ts'
import { type Answer, json } from '../answer.ts'
import { liveSession, loginHref, type OwnRequest, pageAnswer, pageOf, returnToOf } from '../own-request.ts'
import { formNotSentPage } from '../pages/form-not-sent.ts'
import { signInPage } from '../pages/sign-in.ts'
import { startLogin, wishFor } from '../sign-in.ts'
import { renew } from './renew.ts'

/**
 * `GET login?rd=…`: where every refusal sends people. Chooses the provider, opens a flow and leaves. For browsers
 * moving to a page alone: a prefetch, or a script that follows redirects, must not fill the jar with flows.
 */
export async function login(own: OwnRequest): Promise<Answer> {
  const { serving, exchange, query } = own
  const { providers, config } = serving
  const returnTo = returnToOf(own, query.get('rd'))
  if (exchange.asker !== 'navigation') {
    return json(401, {
      error: 'not_signed_in',
      message: 'open login_url in a tab',
      login_url: loginHref(own, returnTo),
    })
  }
  if (query.get('form') === 'not-sent') {
    const page = { signInHref: loginHref(own, returnTo), requestId: exchange.requestId }
    return pageAnswer(own, 401, formNotSentPage(config.brand, page))
  }
  const live = await liveSession(own)
  const wish = wishFor(own, returnTo, live)
  // Signed in already: another tab was faster, the cookie has aged, or the session does not reach the gate (a gateway
  // that withholds the Cookie header, another host). The renew hop tells these apart and breaks the last one.
  if (wish.isMet) return renew(own)

  const chosen = query.get('provider') ?? wish.provider
  if (chosen !== undefined && !providers.has(chosen)) throw new GatewayError('not_found', 'no such provider')
  const first = providers.keys().next().value
  if (first === undefined) throw new GatewayError('not_found', 'the file names no provider')
  if (chosen === undefined && (providers.size > 1 || !config.login.auto)) return chooser(own, returnTo)
  const parameters = Object.fromEntries(query)
  return startLogin(own, { ...wish, ...promptIn(query), provider: chosen ?? first, returnTo, parameters })
}

/** Of the values of OpenID Connect Core 3.1.2.1 the one that asks for no more than a choice. */
const promptIn = (query: URLSearchParams) =>
  query.get('prompt') === 'select_account' ? { prompt: 'select_account' } : {}

function chooser(own: OwnRequest, returnTo: URL): Answer {
  const again = own.query.get('again')
  const providers = own.serving.config.providers.map(({ name, label }) => {
    const query = new URLSearchParams({
      provider: name,
      rd: returnTo.href,
      ...(again !== null && { again }),
      ...promptIn(own.query),
    })
    return { label, href: `${pageOf(own, 'login')}?${query}` }
  })
  return pageAnswer(own, 200, signInPage(own.serving.config.brand, { providers }))
}
