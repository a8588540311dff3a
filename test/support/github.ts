/**
 * GitHub on a real socket, as an Enterprise Server answers: OAuth under /login/oauth, REST under /api/v3, refusals of
 * the token endpoint with status 200, lists in pages with a Link header.
 */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

export interface GitHubUser {
  id: number
  login: string
  name: string | null
  emails: { email: string; primary: boolean; verified: boolean }[]
  memberships: { org: string; state: 'active' | 'pending' }[]
  /** `org/slug` */
  teams: string[]
  /** Numbers of organisations that the lists leave out until the application has their single sign-on. */
  leftOut?: number[]
}

interface Token {
  readonly login: string
  readonly scopes: readonly string[]
  readonly kind: 'code' | 'access' | 'refresh'
  readonly challenge: string
  readonly redirectUri: string
  /** Tokens that are made together end together. */
  readonly grant: string
}

export interface FakeGitHub {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  /** By login. */
  readonly users: Map<string, GitHubUser>
  /** Calls by path, the list's pages included. */
  readonly calls: Map<string, number>
  /** The last authorization request. */
  asked: URLSearchParams
  /** The application is a GitHub App whose user tokens expire: eight hours, refresh token, no scopes. */
  expiring: boolean
  /** What the token endpoint grants of the scopes asked for. */
  grants: (scopes: readonly string[]) => readonly string[]
  /** Changes the query of the answer on its way back through the browser. */
  onCallback: (query: URLSearchParams) => void
  /** Answers instead; true where it did. */
  instead: (path: string, response: ServerResponse) => boolean
  /** Takes every token of a person away, as the settings page "Revoke" does. */
  revoke(login: string): void
  close(): Promise<void>
}

export const ada = (): GitHubUser => ({
  id: 4711,
  login: 'ada',
  name: 'Ada Lovelace',
  emails: [
    { email: 'ada@evil.example', primary: false, verified: false },
    { email: 'ada@old.example', primary: false, verified: true },
    { email: 'Ada@Example.com', primary: true, verified: true },
  ],
  memberships: [
    { org: 'acme', state: 'active' },
    { org: 'Umbrella', state: 'pending' },
  ],
  teams: ['acme/devs', 'Umbrella/board'],
})

export const bob = (): GitHubUser => ({
  id: 4712,
  login: 'bob',
  name: null,
  emails: [{ email: 'bob@example.com', primary: true, verified: false }],
  memberships: [],
  teams: [],
})

/** @param redirectUris the registered callback URLs; a path below one of them is accepted too */
export async function startGitHub(redirectUris: readonly string[]): Promise<FakeGitHub> {
  const tokens = new Map<string, Token>()
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  const issuer = `http://127.0.0.1:${address.port}`

  const gitHub: FakeGitHub = {
    issuer,
    clientId: 'Iv1.8a61f9b3a7aba766',
    clientSecret: 'the-secret-of-the-app-at-github',
    users: new Map([ada(), bob()].map((user) => [user.login, user])),
    calls: new Map(),
    asked: new URLSearchParams(),
    expiring: false,
    grants: (scopes) => scopes,
    onCallback() {},
    instead: () => false,
    revoke(login) {
      for (const [text, token] of tokens) if (token.login === login) tokens.delete(text)
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
  return gitHub

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<undefined> {
    const url = new URL(request.url ?? '', issuer)
    const path = url.pathname
    gitHub.calls.set(path, (gitHub.calls.get(path) ?? 0) + 1)
    if (gitHub.instead(path, response)) return
    if (path === '/login/oauth/authorize') return authorize(url.searchParams, request, response)
    if (path === '/session' && request.method === 'POST') return startSession(await formOf(request), response)
    if (path === '/login/oauth/access_token' && request.method === 'POST') {
      return give(request, response, redeem(await formOf(request)))
    }
    if (path.startsWith('/api/v3/')) return api(request, response, url)
    json(response, 404, { message: 'Not Found' })
  }

  function authorize(query: URLSearchParams, request: IncomingMessage, response: ServerResponse): undefined {
    gitHub.asked = query
    const redirectUri = query.get('redirect_uri') ?? redirectUris[0]!
    if (query.get('client_id') !== gitHub.clientId) return json(response, 404, { message: 'Not Found' })
    const back = new URL(redirectUris.some((one) => redirectUri.startsWith(one)) ? redirectUri : redirectUris[0]!)
    const state = query.get('state') ?? ''
    if (back.href !== redirectUri) {
      const said = 'The redirect_uri MUST match the registered callback URL for this application.'
      back.search = `${new URLSearchParams({ error: 'redirect_uri_mismatch', error_description: said, state })}`
      return redirect(response, back.href)
    }
    const login = /(?:^|; )user_session=(\w+)/.exec(request.headers.cookie ?? '')?.[1]
    if (login === undefined || query.get('prompt') === 'select_account') return loginPage(query, response)
    const scopes = (query.get('scope') ?? '').split(' ').filter(Boolean)
    const challenge = query.get('code_challenge') ?? ''
    const code = keep('code', { login, scopes, challenge, redirectUri, grant: randomBytes(4).toString('hex') })
    const answered = new URLSearchParams({ code, state, iss: `${issuer}/login/oauth` })
    gitHub.onCallback(answered)
    back.search = answered.toString()
    redirect(response, back.href)
  }

  function loginPage(query: URLSearchParams, response: ServerResponse): undefined {
    query.delete('prompt')
    const returnTo = `/login/oauth/authorize?${query}`.replaceAll('&', '&amp;')
    response.writeHead(200, { 'content-type': 'text/html' })
    response.end(
      `<h1>Sign in to GitHub</h1><form method="post" action="/session"><input name="login"><input type="hidden" name="return_to" value="${returnTo}"><button>Sign in</button></form>`,
    )
  }

  function startSession(form: URLSearchParams, response: ServerResponse): undefined {
    response.setHeader('set-cookie', `user_session=${form.get('login')}; Path=/; HttpOnly`)
    redirect(response, form.get('return_to') ?? '/')
  }

  function redeem(form: URLSearchParams): { status: number; body: Record<string, unknown> } {
    if (form.get('client_id') !== gitHub.clientId) return { status: 404, body: { error: 'Not Found' } }
    if (form.get('client_secret') !== gitHub.clientSecret) {
      return no('incorrect_client_credentials', 'The client_id and/or client_secret passed are incorrect.')
    }
    if (form.get('grant_type') === 'refresh_token') {
      const given = form.get('refresh_token') ?? ''
      const token = tokens.get(given)
      if (token?.kind !== 'refresh') {
        return no('bad_refresh_token', 'The refresh token passed is incorrect or expired.')
      }
      for (const [text, other] of tokens) if (other.grant === token.grant) tokens.delete(text)
      return granted(token)
    }
    const code = form.get('code') ?? ''
    const token = tokens.get(code)
    tokens.delete(code)
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url')
    if (token?.kind !== 'code' || token.challenge !== challenge || form.get('redirect_uri') !== token.redirectUri) {
      return no('bad_verification_code', 'The code passed is incorrect or expired.')
    }
    return granted({ ...token, scopes: gitHub.expiring ? [] : gitHub.grants(token.scopes) })
  }

  function granted(token: Omit<Token, 'kind'>) {
    const grant = randomBytes(4).toString('hex')
    const access_token = keep('access', { ...token, grant })
    const body = { access_token, scope: token.scopes.join(','), token_type: 'bearer' }
    if (!gitHub.expiring) return { status: 200, body }
    const refresh_token = keep('refresh', { ...token, grant })
    return { status: 200, body: { ...body, expires_in: 28800, refresh_token, refresh_token_expires_in: 15897600 } }
  }

  function keep(kind: Token['kind'], token: Omit<Token, 'kind'>): string {
    const prefix = { code: '', access: 'gho_', refresh: 'ghr_' }[kind]
    const text = prefix + randomBytes(10).toString('hex')
    tokens.set(text, { ...token, kind })
    return text
  }

  function api(request: IncomingMessage, response: ServerResponse, url: URL): undefined {
    if (!request.headers['user-agent'])
      return json(response, 403, { message: 'Request forbidden by administrative rules.' })
    const token = tokens.get((request.headers.authorization ?? '').replace(/^(?:Bearer|token) /, ''))
    const user = token?.kind === 'access' ? gitHub.users.get(token.login) : undefined
    if (token === undefined || user === undefined)
      return json(response, 401, { message: 'Bad credentials', status: '401' })
    const may = (...scopes: string[]) => gitHub.expiring || scopes.some((scope) => token.scopes.includes(scope))
    switch (url.pathname.slice('/api/v3'.length)) {
      case '/user':
        return json(response, 200, { login: user.login, id: user.id, name: user.name, email: user.emails[0]?.email })
      case '/user/emails':
        if (!may('user:email', 'user')) return json(response, 404, { message: 'Not Found', status: '404' })
        return list(response, url, user, user.emails)
      case '/user/memberships/orgs': {
        if (!may('read:org', 'user')) {
          const message = 'You need at least read:org scope or user scope to list your organization memberships.'
          return json(response, 403, { message, status: '403' })
        }
        const state = url.searchParams.get('state')
        const found = user.memberships.filter((one) => state === null || one.state === state)
        return list(
          response,
          url,
          user,
          found.map(({ org, state }) => ({ state, role: 'member', organization: { login: org, id: 1 } })),
        )
      }
      case '/user/teams':
        if (!may('read:org', 'user', 'repo')) return json(response, 404, { message: 'Not Found', status: '404' })
        return list(
          response,
          url,
          user,
          user.teams.map((team, id) => ({ id, slug: team.split('/')[1], organization: { login: team.split('/')[0] } })),
        )
    }
    json(response, 404, { message: 'Not Found', status: '404' })
  }

  function list(response: ServerResponse, url: URL, user: GitHubUser, entries: readonly unknown[]): undefined {
    const size = Math.min(Number(url.searchParams.get('per_page') ?? 30), 100)
    const page = Number(url.searchParams.get('page') ?? 1)
    const last = Math.max(1, Math.ceil(entries.length / size))
    const at = (number: number, rel: string) => {
      const address = new URL(url)
      address.searchParams.set('page', String(number))
      return `<${address}>; rel="${rel}"`
    }
    if (page < last) response.setHeader('link', [at(page + 1, 'next'), at(last, 'last')].join(', '))
    if (user.leftOut !== undefined) {
      response.setHeader('x-github-sso', `partial-results; organizations=${user.leftOut.join(',')}`)
    }
    json(response, 200, entries.slice((page - 1) * size, page * size))
  }
}

const no = (error: string, error_description: string) => ({ status: 200, body: { error, error_description } })

/** Without `Accept: application/json` the token endpoint answers in a form. */
function give(
  request: IncomingMessage,
  response: ServerResponse,
  { status, body }: ReturnType<typeof no> | { status: number; body: Record<string, unknown> },
) {
  if (request.headers.accept?.includes('application/json')) return json(response, status, body)
  const form = new URLSearchParams(Object.entries(body).map(([name, value]): [string, string] => [name, String(value)]))
  response.writeHead(status, { 'content-type': 'application/x-www-form-urlencoded' }).end(form.toString())
}

function redirect(response: ServerResponse, location: string): undefined {
  response.writeHead(302, { location }).end()
}

function json(response: ServerResponse, status: number, body: unknown): undefined {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body))
}

async function formOf(request: IncomingMessage): Promise<URLSearchParams> {
  let text = ''
  for await (const chunk of request) text += chunk
  return new URLSearchParams(text)
}
