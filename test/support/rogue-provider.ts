/**
 * A scriptable OpenID provider on a real socket. It behaves, until a script says how it does not. People are
 * logged in at once: `authorize` answers what the browser would bring back.
 */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { borrowRsaKeys, type KeyLoan } from './rsa-keys.ts'

export type Json = Record<string, unknown>

/** Everything a script may bend. Each hook gets what an honest provider would have sent. */
export interface Script {
  discovery?: (document: Json) => Json
  /** Query of the callback. */
  callback?: (query: URLSearchParams) => void
  /** Answers a token request; undefined where it leaves that to the provider. */
  token?: (form: URLSearchParams) => Promise<Json | undefined>
  tokenBody?: (body: Json) => Json
  idTokenClaims?: (claims: Json) => Json
  /** The finished ID token. */
  idToken?: (token: string, claims: Json) => string | Promise<string>
  accessTokenClaims?: (claims: Json) => Json
  accessToken?: (token: string) => string
  userinfo?: (claims: Json) => unknown
  jwks?: (keys: JWK[]) => JWK[]
  /** Answers instead of the endpoint; true where it did. */
  raw?: Partial<Record<Endpoint, (response: ServerResponse, request: IncomingMessage) => void>>
}

export type Endpoint = 'discovery' | 'token' | 'userinfo' | 'jwks'

export interface SigningKey {
  readonly kid: string
  readonly alg: string
  readonly privateKey: CryptoKey
  readonly jwk: JWK
}

export interface RogueProvider {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  /** Calls by endpoint since the start. */
  readonly calls: Record<Endpoint, number>
  /** Form of the last token request, and its headers. */
  last: { form: URLSearchParams; headers: IncomingMessage['headers'] }
  script: Script
  /** Claims of the person who signs in. */
  person: Json
  keys: SigningKey[]
  /** Seconds since the epoch as this provider sees them. */
  now: () => number
  /** What the browser brings back from the authorization endpoint. */
  authorize(url: URL): URL
  sign(claims: Json, header?: Json, key?: SigningKey): Promise<string>
  accessToken(claims?: Json, header?: Json, key?: SigningKey): Promise<string>
  rotateKeys(): Promise<void>
  close(): Promise<void>
}

export async function generateSigningKey(alg = 'RS256', kid = randomBytes(6).toString('hex')): Promise<SigningKey> {
  return signingKeyOf(await generateKeyPair(alg, { extractable: true }), alg, kid)
}

async function signingKeyOf({ privateKey, publicKey }: KeyPair, alg: string, kid: string): Promise<SigningKey> {
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } }
}

type KeyPair = Awaited<ReturnType<typeof generateKeyPair>>

/** Keys of one provider, borrowed until it closes. */
function createKeyring() {
  const loans: KeyLoan[] = []
  return {
    async next(): Promise<SigningKey> {
      const loan = await borrowRsaKeys()
      loans.push(loan)
      return signingKeyOf(loan.keys, 'RS256', randomBytes(6).toString('hex'))
    },
    giveBack() {
      for (const loan of loans.splice(0)) loan.giveBack()
    },
  }
}

/** @param path of its issuer; a trailing slash belongs to the issuer, and to no endpoint */
export async function openRogueProvider(path = '/realms/main'): Promise<RogueProvider> {
  const codes = new Map<string, { nonce: string; challenge: string; redirectUri: string; scope: string }>()
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  const issuer = `http://127.0.0.1:${address.port}${path}`
  const folder = path.replace(/\/$/, '')
  const keyring = createKeyring()
  const base = `http://127.0.0.1:${address.port}${folder}`

  const rogue: RogueProvider = {
    issuer,
    clientId: 'gateway',
    clientSecret: 'gateway secret +:%',
    calls: { discovery: 0, token: 0, userinfo: 0, jwks: 0 },
    last: { form: new URLSearchParams(), headers: {} },
    script: {},
    person: {
      sub: 'alice-id',
      preferred_username: 'alice',
      email: 'alice@example.org',
      email_verified: true,
      groups: ['/staff'],
    },
    keys: [await keyring.next()],
    now: () => Math.floor(Date.now() / 1000),
    authorize: (url) => {
      const query = url.searchParams
      const code = randomBytes(16).toString('hex')
      const of = (name: string) => query.get(name) ?? ''
      codes.set(code, {
        nonce: of('nonce'),
        challenge: of('code_challenge'),
        redirectUri: of('redirect_uri'),
        scope: of('scope'),
      })
      const back = new URL(of('redirect_uri'))
      const answerQuery = new URLSearchParams({ code, state: of('state'), iss: issuer })
      rogue.script.callback?.(answerQuery)
      back.search = answerQuery.toString()
      return back
    },
    sign: (claims, header = {}, key = rogue.keys[0]!) =>
      new SignJWT(claims).setProtectedHeader({ alg: key.alg, kid: key.kid, ...header }).sign(key.privateKey),
    accessToken: (claims = {}, header = {}, key = rogue.keys[0]!) =>
      rogue.sign({ ...accessClaims('alice-id'), ...claims }, { typ: 'JWT', ...header }, key),
    rotateKeys: async () => {
      rogue.keys = [await keyring.next()]
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
        keyring.giveBack()
      }),
  }

  const accessClaims = (sub: unknown): Json => ({
    iss: issuer,
    aud: ['api', 'account'],
    sub,
    typ: 'Bearer',
    azp: rogue.clientId,
    iat: rogue.now(),
    exp: rogue.now() + 300,
    preferred_username: 'alice',
    groups: ['/staff'],
    realm_access: { roles: ['admin'] },
    resource_access: { gateway: { roles: ['editor'] } },
    scope: 'openid email',
  })

  const endpoints: Record<string, Endpoint> = {
    [`${folder}/.well-known/openid-configuration`]: 'discovery',
    // As behind an ingress that wants a slash at the end.
    [`${folder}/.well-known/openid-configuration/`]: 'discovery',
    [`${folder}/token`]: 'token',
    [`${folder}/userinfo`]: 'userinfo',
    [`${folder}/certs`]: 'jwks',
  }
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const endpoint = endpoints[request.url ?? '']
    if (endpoint === undefined) return void response.writeHead(404).end()
    rogue.calls[endpoint]++
    const raw = rogue.script.raw?.[endpoint]
    if (raw !== undefined) return raw(response, request)
    if (endpoint === 'discovery') return json(response, discovery())
    if (endpoint === 'jwks') {
      const keys = rogue.keys.map((key) => key.jwk)
      return json(response, { keys: rogue.script.jwks?.(keys) ?? keys })
    }
    if (endpoint === 'userinfo') return json(response, rogue.script.userinfo?.({ ...rogue.person }) ?? rogue.person)
    return token(request, response)
  }
  const discovery = (): Json => {
    const document: Json = {
      issuer,
      authorization_endpoint: `${base}/auth`,
      token_endpoint: `${base}/token`,
      userinfo_endpoint: `${base}/userinfo`,
      jwks_uri: `${base}/certs`,
      end_session_endpoint: `${base}/logout`,
      code_challenge_methods_supported: ['plain', 'S256'],
      authorization_response_iss_parameter_supported: true,
      id_token_signing_alg_values_supported: ['RS256', 'ES256', 'HS256', 'none'],
    }
    return rogue.script.discovery?.(document) ?? document
  }
  const token = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const form = new URLSearchParams(await readBody(request))
    rogue.last = { form, headers: request.headers }
    const told = await rogue.script.token?.(form)
    if (told !== undefined) return json(response, told)
    if (form.get('grant_type') === 'refresh_token') return json(response, await tokens('', 'openid email'))
    const entry = codes.get(form.get('code') ?? '')
    codes.delete(form.get('code') ?? '')
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url')
    if (entry === undefined || entry.challenge !== challenge || entry.redirectUri !== form.get('redirect_uri')) {
      return json(response, { error: 'invalid_grant', error_description: 'Code not valid' }, 400)
    }
    return json(response, await tokens(entry.nonce, entry.scope))
  }
  const tokens = async (nonce: string, scope: string): Promise<Json> => {
    const { script } = rogue
    const access = { ...accessClaims(rogue.person.sub), ...script.accessTokenClaims?.(accessClaims(rogue.person.sub)) }
    const accessToken = await rogue.sign(access, { typ: 'JWT' })
    const sent = script.accessToken?.(accessToken) ?? accessToken
    const honest: Json = {
      iss: issuer,
      aud: rogue.clientId,
      azp: rogue.clientId,
      typ: 'ID',
      iat: rogue.now(),
      exp: rogue.now() + 300,
      auth_time: rogue.now(),
      acr: '1',
      sid: 'sid-1',
      at_hash: atHash(sent),
      ...(nonce !== '' && { nonce }),
      ...rogue.person,
    }
    const claims = script.idTokenClaims?.(honest) ?? honest
    const idToken = await rogue.sign(claims, { typ: 'JWT' })
    const body: Json = {
      access_token: sent,
      token_type: 'Bearer',
      expires_in: 300,
      refresh_token: randomBytes(16).toString('hex'),
      id_token: (await script.idToken?.(idToken, claims)) ?? idToken,
      scope,
    }
    return script.tokenBody?.(body) ?? body
  }
  return rogue
}

export const atHash = (accessToken: string): string =>
  createHash('sha256').update(accessToken).digest().subarray(0, 16).toString('base64url')

function json(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

async function readBody(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += chunk
  return text
}

/** Parts of a token, for forging: `forge({alg:'none'}, claims, '')`. Strings and bytes go in as they are. */
export function forge(header: unknown, payload: unknown, signature: string): string {
  return `${encodePart(header)}.${encodePart(payload)}.${signature}`
}

function encodePart(part: unknown): string {
  const bytes = Buffer.isBuffer(part) ? part : Buffer.from(typeof part === 'string' ? part : JSON.stringify(part))
  return bytes.toString('base64url')
}
