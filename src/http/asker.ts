import type { IncomingHttpHeaders } from 'node:http'

/**
 * Who is asking, as far as it shapes a refusal: a browser that moves to a page can be sent to sign in, a
 * browser that posts a form must be told that it was not sent, everything else gets a status to act on.
 */
export type Asker = 'navigation' | 'form' | 'client'

/** Reads the Fetch Metadata headers; an old browser without them is known by what it accepts. */
export function askerOf(method: string, headers: IncomingHttpHeaders): Asker {
  if (!isTopLevelPage(headers) || isPrefetch(headers)) return 'client'
  if (method === 'GET' || method === 'HEAD') return 'navigation'
  return method === 'POST' ? 'form' : 'client'
}

function isTopLevelPage(headers: IncomingHttpHeaders): boolean {
  const mode = headers['sec-fetch-mode']
  if (mode === undefined) return headers['x-requested-with'] === undefined && acceptsHtml(headers)
  // A frame cannot show the provider's page; sending it there would only leave flow cookies behind.
  return mode === 'navigate' && (headers['sec-fetch-dest'] ?? 'document') === 'document'
}

export const acceptsHtml = (headers: IncomingHttpHeaders): boolean => headers.accept?.includes('text/html') ?? false

/** A page fetched ahead of a click must not start logins. */
function isPrefetch(headers: IncomingHttpHeaders): boolean {
  const purpose = headers['sec-purpose'] ?? headers.purpose ?? headers['x-moz']
  return typeof purpose === 'string' && /prefetch|prerender|preview/i.test(purpose)
}
