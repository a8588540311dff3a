/** GitHub's REST API, read with one person's token. */
import { isJsonObject } from '../../core/strict-json.ts'
import type { Transport } from '../../issuer/transport.ts'
import { LoginFailure } from '../failure.ts'
import { messageOf, passingTrouble, readJson } from './answer.ts'

export interface GitHubApi {
  /** @throws LoginFailure: `token_revoked` where the token counts no longer, `forbidden` where it is not enough */
  one(path: string): Promise<Readonly<Record<string, unknown>>>
  /** All pages of a list. */
  list(path: string): Promise<readonly Readonly<Record<string, unknown>>[]>
  /**
   * Numbers of organisations that GitHub left out of the lists so far, because they want single sign-on for this
   * application first.
   */
  leftOut(): readonly string[]
}

/** A hundred entries each. Who is in more gets an error instead of a list that looks whole. */
const mostPages = 20

export function createGitHubApi(transport: Transport, base: string, accessToken: string): GitHubApi {
  const leftOut = new Set<string>()
  const ask = async (url: string): Promise<{ body: unknown; next: string | undefined }> => {
    const response = await transport.fetch(url, {
      headers: {
        authorization: `Bearer ${accessToken}`,
        accept: 'application/vnd.github+json',
        'x-github-api-version': '2022-11-28',
        // GitHub refuses requests that do not say who asks.
        'user-agent': 'doorward',
      },
    })
    const body = await readJson(response)
    if (response.status !== 200) throw refusalOf(response, body, new URL(url).pathname)
    for (const id of organisationsLeftOut(response.headers.get('x-github-sso'))) leftOut.add(id)
    return { body, next: nextPage(response.headers.get('link'), base) }
  }
  return {
    one: async (path) => {
      const { body } = await ask(base + path)
      if (!isJsonObject(body)) throw unusable(path)
      return body
    },
    list: async (path) => {
      const entries: Readonly<Record<string, unknown>>[] = []
      let url: string | undefined = `${base}${path}${path.includes('?') ? '&' : '?'}per_page=100`
      for (let page = 1; url !== undefined; page++) {
        if (page > mostPages) throw new LoginFailure('invalid_response', 'too_large', `${path} has too many pages`)
        const answer: { body: unknown; next: string | undefined } = await ask(url)
        if (!Array.isArray(answer.body)) throw unusable(path)
        entries.push(...answer.body.filter(isJsonObject))
        url = answer.next
      }
      return entries
    },
    leftOut: () => [...leftOut],
  }
}

function refusalOf(response: Response, body: unknown, path: string): LoginFailure {
  const trouble = passingTrouble(response, body)
  if (trouble !== undefined) return trouble
  const { status } = response
  const said = messageOf(body)
  const detail = `${path} answered ${status}${said && `: ${said}`}`
  if (status === 401) return new LoginFailure('provider_error', 'token_revoked', detail)
  const hint = path.endsWith('/user')
    ? ''
    : '; an OAuth app needs the scopes user:email and read:org, a GitHub App the permissions "Email addresses" (account) and "Members" (organization), both to read'
  return new LoginFailure(
    'provider_error',
    status === 403 || status === 404 ? 'forbidden' : 'http_status',
    detail + hint,
  )
}

/** The address of the next page (RFC 8288), followed within the API alone: the token goes along. */
function nextPage(link: string | null, base: string): string | undefined {
  const next = link === null ? undefined : /<([^<>]+)>\s*;[^,]*\brel="?next"?/.exec(link)?.[1]
  if (next === undefined) return undefined
  if (!URL.canParse(next) || !next.startsWith(`${base}/`) || new URL(next).origin !== new URL(base).origin) {
    throw new LoginFailure('invalid_response', 'response', 'a list goes on at an address outside the API')
  }
  return next
}

/** `partial-results; organizations=21955855,20582480` */
const organisationsLeftOut = (header: string | null): readonly string[] =>
  /\borganizations=([\d,]+)/
    .exec(header ?? '')?.[1]
    ?.split(',')
    .filter(Boolean)
    .slice(0, 20) ?? []

const unusable = (path: string): LoginFailure =>
  new LoginFailure('invalid_response', 'not_json', `${path} did not answer as GitHub does`)
