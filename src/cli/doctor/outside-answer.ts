/** Whether an answer that came from outside is a no of Doorward's, of the gateway's, or no no at all. */
import type { Config } from '../../config/config.ts'
import { locationOf, type OutsideAnswer } from './outside-ask.ts'

export type Meaning =
  /** Sent to sign in, by us. */
  | { readonly kind: 'sign-in'; readonly location: URL }
  | { readonly kind: 'unauthorised' }
  /** 403 and its like: closed, whoever says so. */
  | { readonly kind: 'refused' }
  /** 5xx: the gateway cannot ask, or does not understand the answer. */
  | { readonly kind: 'unavailable' }
  /** The same address under another scheme: a gateway that sends people to https. */
  | { readonly kind: 'moved'; readonly location: URL }
  /** Anything else was said by the application, or by somebody in its place. */
  | { readonly kind: 'let-in'; readonly said: string }

export function meaningOf(answer: OutsideAnswer, asked: URL, config: Pick<Config, 'publicUrls' | 'basePath'>): Meaning {
  const { status } = answer
  if (status >= 300 && status < 400) return redirectMeaning(answer, asked, config)
  if (status === 401) return unauthorised(answer)
  if (status === 403 || status === 421 || (status < 500 && isOurRow(answer))) return { kind: 'refused' }
  if (status >= 500) return { kind: 'unavailable' }
  return { kind: 'let-in', said: String(status) }
}

function redirectMeaning(
  answer: OutsideAnswer,
  asked: URL,
  { publicUrls, basePath }: Pick<Config, 'publicUrls' | 'basePath'>,
): Meaning {
  const location = locationOf(answer, asked)
  if (location === undefined) return { kind: 'let-in', said: `${answer.status} without Location` }
  const ours = publicUrls.some(({ host }) => host === location.host) && location.pathname.startsWith(`${basePath}/`)
  if (ours) return { kind: 'sign-in', location }
  const sameElsewhere = location.hostname === asked.hostname && location.pathname === asked.pathname
  if (sameElsewhere && location.protocol !== asked.protocol) return { kind: 'moved', location }
  return { kind: 'let-in', said: `${answer.status} to ${location.origin}${location.pathname}` }
}

/** A challenge that is not ours comes from a login of the application: it was reached. */
function unauthorised({ headers }: OutsideAnswer): Meaning {
  const challenge = headers['www-authenticate'] ?? ''
  if (challenge === '' || /Session realm="doorward"|^Bearer/.test(challenge)) return { kind: 'unauthorised' }
  return { kind: 'let-in', said: `401 with the challenge ${challenge.split(/[\s,]/, 1)[0]}` }
}

/** Our error table as JSON: an ambiguous path, an unknown route. */
const isOurRow = ({ status, body }: OutsideAnswer): boolean =>
  status >= 400 && /^\{"error":"[a-z_]+","message":"[^"]*","request_id":/.test(body)
