/** Who asks in `doorward explain`: nobody, the claims of a file, or the owner of a token. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { type BearerResult, openBearerVerifier } from '../bearer/verifier.ts'
import type { Config } from '../config/config.ts'
import { ClaimError, type Claims, hasClaim, identityFrom } from '../core/claims.ts'
import { systemClock } from '../core/clock.ts'
import { GatewayError } from '../core/errors.ts'
import type { Identity } from '../core/identity.ts'
import { silentLog } from '../core/log.ts'
import { isJsonObject, parseStrictJson } from '../core/strict-json.ts'
import { readJwt } from '../issuer/jwt.ts'
import { type Call, CommandError, UsageError, type World } from './world.ts'

export type Person =
  | { readonly kind: 'nobody' }
  /** Taken at their word: the claims of a file, or of a token that was not verified. */
  | { readonly kind: 'claims'; readonly identity: Identity; readonly from: 'file' | 'token' }
  | { readonly kind: 'token'; readonly result: BearerResult }

/** @throws UsageError where `--as` or `--token` cannot be read; CommandError where the issuer does not answer */
export async function readPerson({ options, world, out }: Call, config: Config): Promise<Person> {
  const [file, token] = [options.text('as'), options.text('token')]
  if (file !== undefined && token !== undefined) {
    throw new UsageError('--as and --token name two people', 'give one of them')
  }
  if (options.flag('no-verify') && token === undefined) {
    throw new UsageError('--no-verify says nothing without --token', 'claims of --as are never verified')
  }
  if (file !== undefined) return claimsPerson(await readClaims(file, world), config, 'file')
  if (token === undefined) return { kind: 'nobody' }
  const text = await readToken(token, world)
  if (options.flag('no-verify')) return claimsPerson(decode(text), config, 'token')
  const done = out.progress('asking the issuer for its keys')
  return { kind: 'token', result: await verify(text, config).finally(done) }
}

async function readClaims(file: string, world: World): Promise<Claims> {
  const text = file === '-' ? await readAll(world) : readText(file, world)
  try {
    const claims = parseStrictJson(text)
    if (isJsonObject(claims)) return claims
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw new UsageError(`--as ${file}: this is not a JSON object of claims`, claimsHint)
}

const claimsHint = 'the least there can be: {"sub": "u-1", "groups": ["/staff"]}'

function readText(file: string, { cwd }: World): string {
  const absolute = path.resolve(cwd, file)
  try {
    return readFileSync(absolute, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
    const reasons: Readonly<Record<string, string>> = {
      ENOENT: 'the file does not exist',
      EACCES: 'the file may not be read by this user',
      EISDIR: 'this is a directory',
    }
    const reason = reasons[code] ?? `the file cannot be read (${code})`
    throw new UsageError(`--as ${file}: ${reason}`, `looked at ${absolute}; pipe the claims in with --as -`)
  }
}

/** Standard input to its end. A character may come in two chunks. */
async function readAll({ stdin }: World): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of stdin) text += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })
  return text + decoder.decode()
}

/** From the command line or, for `-`, from standard input; a header's `Bearer ` in front does no harm. */
async function readToken(given: string, world: World): Promise<string> {
  const text = given === '-' ? await readAll(world) : given
  const token = text.trim().replace(/^bearer\s+/i, '')
  if (token === '') throw new UsageError('no token came', 'give it as --token TOKEN, or pipe it in with --token -')
  return token
}

function decode(token: string): Claims {
  const jwt = readJwt(token)
  if (jwt !== undefined) return jwt.payload
  throw new UsageError('the token is not a JWT, so there is nothing to read in it', 'access tokens have two dots')
}

/** The rules of the provider or bearer issuer that `iss` names, else of the first provider, as at a login there. */
function claimsPerson(claims: Claims, config: Config, from: 'file' | 'token'): Person {
  const provider = config.providers.find(({ issuer }) => issuer === claims.iss)
  const bearer = config.bearer.find(({ issuer }) => issuer === claims.iss)
  if (claims.iss !== undefined && provider === undefined && bearer === undefined) {
    const known = [...new Set([...config.providers, ...config.bearer].map(({ issuer }) => issuer))].join(' and ')
    throw new UsageError(
      `the claims are of another issuer: ${JSON.stringify(claims.iss)}`,
      `the config file knows ${known}`,
    )
  }
  if (!hasClaim(claims, 'sub')) throw new UsageError('claim sub: is missing, so a login would fail too', claimsHint)
  const byToken = from === 'token' && bearer !== undefined
  const rules = byToken ? asBearer(bearer) : (provider ?? (bearer && asBearer(bearer)) ?? config.providers[0])
  if (rules === undefined)
    throw new UsageError('the file names nobody these claims could come from', 'add `iss` to them')
  try {
    const named = 'name' in rules ? { ...rules, provider: rules.name } : rules
    return { kind: 'claims', identity: identityFrom({ idToken: claims }, named), from }
  } catch (error) {
    if (error instanceof ClaimError)
      throw new UsageError(`${error.message}, so a login would fail too`, 'correct this claim and try again')
    throw error
  }
}

/** As the verifier does it. */
const asBearer = (entry: Config['bearer'][number]) => ({ ...entry, provider: entry.issuer, groupsKept: [] })

async function verify(token: string, { bearer, allowInsecureHttp }: Config): Promise<BearerResult> {
  if (bearer.length === 0) {
    throw new UsageError(
      'the config file has no `bearer:`, so no token is accepted',
      'add it (`doorward help config bearer`), or only read the token with --no-verify',
    )
  }
  const verifier = openBearerVerifier(bearer, { clock: systemClock, log: silentLog, allowInsecureHttp })
  try {
    return await verifier.verify(token)
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    throw new CommandError(`the token cannot be verified: ${error.message}`, 'only read it with --no-verify', {
      cause: error,
    })
  } finally {
    await verifier.close()
  }
}
