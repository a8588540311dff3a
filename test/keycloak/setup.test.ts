/** `doorward setup keycloak` at a real Keycloak: what it makes is proven by signing in through it. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { run } from '../../src/cli/main.ts'
import { worldOf } from '../cli/world.ts'
import { until } from '../support/gateway.ts'
import { openKeycloak } from '../support/keycloak.ts'
import {
  arrive,
  type KeycloakJourney,
  openJourney,
  refresh,
  sessionStatus,
  toldOf,
} from '../support/keycloak-journey.ts'
import { administrator } from '../support/keycloak-keeper.ts'
import { apiAudience, clientId, clientSecret } from '../support/keycloak-realm.ts'

type Json = Readonly<Record<string, unknown>>

const password = { DOORWARD_ADMIN_PASSWORD: administrator.password }
const asAdmin = ['--admin-user', administrator.username]
const secrets = [administrator.password, clientSecret, 'secret-of-the-weak-one']

interface Told {
  readonly code: number
  readonly out: string
  readonly err: string
}

interface Calling {
  readonly env?: Readonly<Record<string, string>>
  readonly access?: readonly string[]
  readonly stdin?: string
  readonly isTTY?: boolean
}

/** One call of the command on the file of the gateway. Whatever it tells, it tells no secret. */
async function setup({ gateway }: KeycloakJourney, args: readonly string[], calling: Calling = {}): Promise<Told> {
  const { env = password, access = asAdmin, ...rest } = calling
  const told = { out: '', err: '' }
  const cwd = path.dirname(gateway.file)
  const onLine = (stream: 'out' | 'err', line: string) => (told[stream] += `${line}\n`)
  const argv = ['setup', 'keycloak', '--config', gateway.file, ...access, ...args]
  const code = await run(argv, worldOf({ cwd, env: { NO_COLOR: '1', ...env }, onLine, ...rest }))
  for (const secret of secrets)
    assert.ok(!(told.out + told.err).includes(secret), `told ${secret}: ${told.out}${told.err}`)
  return { code, ...told }
}

const stepsIn = ({ out }: Told): string[] => out.split('\n').filter((line) => /^ {2}[+~] /.test(line))

/** All that the command may have written to: the client with its mappers, and every scope. */
async function stateOf({ realm }: KeycloakJourney): Promise<unknown> {
  const clients = await realm.admin('GET', '/clients')
  const scopes = await realm.admin('GET', '/client-scopes')
  return JSON.parse(JSON.stringify([clients, scopes]))
}

async function clientOf({ realm }: KeycloakJourney) {
  const [client] = (await realm.admin('GET', `/clients?clientId=${clientId}`)) as ClientSeen[]
  return client
}

interface ClientSeen {
  readonly id: string
  readonly redirectUris: string[]
  readonly attributes: Record<string, string>
  readonly [key: string]: unknown
}

/** Signing in, groups, refresh, and a logout that starts at Keycloak: each needs another part of the set-up. */
async function provesItself(journey: KeycloakJourney): Promise<void> {
  const { realm } = journey
  const { browser, visit } = await arrive(journey, 'ada', '/admins/')
  assert.equal(visit.status, 200, visit.text)
  assert.equal(toldOf(journey)['x-auth-groups'], '/platform/admins')
  assert.equal(toldOf(journey)['x-auth-email'], 'ada@example.test')
  assert.equal((await browser.navigate(`${journey.gateway.origin}/roles/`)).status, 200, 'realm roles')
  assert.equal(JSON.parse((await refresh(journey, browser)).body).renewed, true)
  const [sid] = await realm.sessionsOf('ada')
  await realm.admin('DELETE', `/sessions/${sid}`)
  await until(async () => (await sessionStatus(journey, browser)) === 401, 'back-channel logout', 3000)
  const again = await arrive(journey, 'ada', '/')
  const out = await again.browser.navigate(journey.gateway.own('logout'), { from: journey.gateway.origin, form: {} })
  assert.match(out.text, /You are signed out/, 'post-logout redirect URI')
}

const noClient = { realm: { realm: { clients: [] } } }

test('makes the client of an empty realm: plan, question, change, and nothing to do a second time', async (t) => {
  const journey = await openJourney(t, noClient)
  if (journey === undefined) return
  const untouched = await stateOf(journey)
  const plan = await setup(journey, ['--plan'])
  assert.equal(plan.code, 0, plan.err)
  assert.ok(stepsIn(plan).includes(`  + client ${clientId}`), plan.out)
  const refused = await setup(journey, [], { stdin: 'y\n' })
  assert.deepEqual([refused.code, stepsIn(refused)], [1, stepsIn(plan)])
  assert.match(refused.err, /nothing was changed\n.*hint: add --yes/)
  assert.equal((await setup(journey, [], { isTTY: true, stdin: 'n\n' })).code, 1)
  assert.deepEqual(await stateOf(journey), untouched, 'nothing is written before somebody says yes')

  const done = await setup(journey, [], { isTTY: true, stdin: 'y\n' })
  assert.deepEqual([done.code, stepsIn(done)], [0, stepsIn(plan)], done.err)
  await provesItself(journey)

  const before = await stateOf(journey)
  const again = await setup(journey, ['--yes'])
  assert.deepEqual([again.code, stepsIn(again)], [0, []], again.err)
  assert.match(again.out, /nothing to do/)
  assert.deepEqual(await stateOf(journey), before)
})

test('repairs a damaged client, does what the plan says and no more, and keeps what is of others', async (t) => {
  const journey = await openJourney(t, { realm: damaged })
  if (journey === undefined) return
  const { realm, gateway } = journey
  const before = await clientOf(journey)
  const plan = JSON.parse((await setup(journey, ['--json', '--plan'])).out)
  assert.deepEqual(await clientOf(journey), before)
  const done = await setup(journey, ['--json', '--yes'])
  assert.equal(done.code, 0, done.err)
  assert.deepEqual({ ...JSON.parse(done.out), applied: false }, plan)
  const labels = plan.steps.map(({ what }: { what: string }) => what)
  assert.deepEqual(labels, [
    'Enabled',
    'Standard flow',
    'Implicit flow',
    'Direct access grants',
    'Front channel logout',
    'PKCE Method',
    'Backchannel logout session required',
    'Use refresh tokens',
    'Client Secret',
    'Valid redirect URIs',
    'Valid post logout redirect URIs',
    'Web origins',
    'Backchannel logout URL',
    'mapper groups',
    `mapper audience ${apiAudience}`,
    'client scope basic of the client',
    'client scope email of the client',
    'client scope roles of the client',
    'client scope acr of the client',
  ])
  await provesItself(journey)

  const after = (await clientOf(journey))!
  assert.deepEqual(
    after.redirectUris.toSorted(),
    [`${gateway.own('callback')}`, 'https://old.example.com/*'].toSorted(),
  )
  assert.equal(after.attributes['post.logout.redirect.uris'], `https://old.example.com/*##${gateway.own('signed-out')}`)
  assert.equal(after.attributes['access.token.lifespan'], '77', 'an attribute of somebody else')
  assert.equal(after.description, 'of somebody else')
  assert.ok(
    plan.remarks.some((remark: string) => remark.includes('https://old.example.com/*')),
    plan.remarks,
  )
  const mappers = after.protocolMappers as { name: string }[]
  assert.deepEqual(mappers.map(({ name }) => name).toSorted(), [`audience ${apiAudience}`, 'groups', 'shoe size'])
  assert.equal((await realm.sessionsOf('bob')).length, 0)
})

const damaged = {
  client: {
    enabled: false,
    description: 'of somebody else',
    secret: 'what-somebody-typed-in-the-console',
    standardFlowEnabled: false,
    implicitFlowEnabled: true,
    directAccessGrantsEnabled: true,
    frontchannelLogout: true,
    redirectUris: ['https://old.example.com/*'],
    webOrigins: ['https://old.example.com'],
    defaultClientScopes: ['profile'],
    optionalClientScopes: ['basic', 'offline_access'],
    protocolMappers: [
      {
        name: 'groups',
        protocol: 'openid-connect',
        protocolMapper: 'oidc-group-membership-mapper',
        config: { 'claim.name': 'groups', 'full.path': 'false', 'id.token.claim': 'false' },
      },
      {
        name: 'shoe size',
        protocol: 'openid-connect',
        protocolMapper: 'oidc-usermodel-attribute-mapper',
        config: { 'claim.name': 'shoe_size', 'user.attribute': 'shoeSize', 'id.token.claim': 'true' },
      },
    ],
  },
  attributes: {
    'pkce.code.challenge.method': 'plain',
    'post.logout.redirect.uris': '+',
    'backchannel.logout.url': 'https://old.example.com/logout',
    'backchannel.logout.session.required': 'false',
    'use.refresh.tokens': 'false',
    'access.token.lifespan': '77',
  },
}

test('brings back the built-in client scopes that an import lost', async (t) => {
  const lost = { clientScopes: [{ name: 'own', protocol: 'openid-connect' }], defaultDefaultClientScopes: ['own'] }
  const journey = await openJourney(t, { realm: { realm: { ...lost, clients: [] } } })
  if (journey === undefined) return
  const done = await setup(journey, ['--yes'])
  assert.equal(done.code, 0, done.err)
  assert.match(done.out, /built-in client scope basic of the realm/)
  await provesItself(journey)
  assert.match((await setup(journey, ['--yes'])).out, /nothing to do/)
})

test('leaves alone what does the same in another way, and names what only a person can decide', async (t) => {
  const elsewhere = 'http://doorward.apps.svc:4180/_doorward/backchannel-logout'
  const scope = { name: 'teams', protocol: 'openid-connect', protocolMappers: [groupsOf('true')] }
  const journey = await openJourney(t, {
    realm: {
      client: { webOrigins: ['+'], protocolMappers: [] },
      attributes: { 'backchannel.logout.url': elsewhere, 'require.pushed.authorization.requests': 'true' },
    },
  })
  if (journey === undefined) return
  const { gateway, realm } = journey
  await realm.admin('POST', '/client-scopes', scope)
  const [made] = (
    (await realm.admin('GET', '/client-scopes')) as { id: string; name: string; protocolMappers: Json[] }[]
  ).filter(({ name }) => name === 'teams')
  await realm.admin('PUT', `/clients/${(await clientOf(journey))!.id}/default-client-scopes/${made!.id}`)
  const plan = await setup(journey, ['--plan'])
  assert.deepEqual(stepsIn(plan), [
    '  ~ Pushed authorization request required: on -> off',
    `  + mapper audience ${apiAudience}: ${apiAudience} as an audience of access tokens`,
  ])
  assert.match(plan.out, new RegExp(`remark: the back-channel logout URL ${elsewhere} is kept`))
  assert.match(plan.out, /remark: API clients need an audience mapper of their own for gateway-api/)
  const other = elsewhere.replace('apps', 'prod')
  const moved = await setup(journey, ['--plan', '--backchannel-url', other])
  assert.ok(stepsIn(moved).includes(`  ~ Backchannel logout URL: ${elsewhere} -> ${other}`), moved.out)

  const [mapper] = made!.protocolMappers
  await realm.admin('PUT', `/client-scopes/${made!.id}/protocol-mappers/models/${mapper!.id}`, {
    ...mapper,
    ...groupsOf('false'),
  })
  const { provider } = JSON.parse(readFileSync(gateway.file, 'utf8'))
  gateway.write({ provider: { ...provider, scopes: ['profile', 'email', 'nowhere', 'organization:*'] } })
  const tasks = await setup(journey, ['--plan'])
  assert.ok(!tasks.out.includes('+ mapper groups'), 'two mappers of one claim')
  assert.match(tasks.out, /by hand: the mapper "groups" of a client scope does not send the groups of a person/)
  assert.match(tasks.out, /by hand: the realm has no client scope "nowhere": make it, or take it out of `scopes`/)
  assert.doesNotMatch(tasks.out, /organization/)
})

const groupsOf = (fullPath: string) => ({
  name: 'groups',
  protocol: 'openid-connect',
  protocolMapper: 'oidc-group-membership-mapper',
  config: { 'claim.name': 'groups', 'full.path': fullPath, 'id.token.claim': 'true' },
})

test('an administrator with too few rights is told which role is missing, and nothing is half done', async (t) => {
  const journey = await openJourney(t, noClient)
  if (journey === undefined) return
  const weak = await weakAdministrator(journey)
  const none = await setup(journey, ['--plan'], weak.calling)
  assert.deepEqual([none.code, none.out], [1, ''])
  assert.match(none.err, /error: the account lacks the role manage-clients, which GET \/admin\/realms\/\S+ needs\n/)
  assert.match(none.err, /hint: give it the role manage-clients of the client realm-management/)
  await weak.give('view-clients')
  assert.equal((await setup(journey, ['--plan'], weak.calling)).code, 0, 'looking is enough for a plan')
  const looking = await setup(journey, ['--yes'], weak.calling)
  assert.equal(looking.code, 1)
  assert.match(looking.err, /lacks the role manage-clients, which POST \/admin\/realms\/\S+\/clients needs/)
  assert.equal(await clientOf(journey), undefined)
  await weak.give('manage-clients')
  assert.equal((await setup(journey, ['--yes'], weak.calling)).code, 0)
})

/** A service account of the realm itself, with nothing to begin with. */
async function weakAdministrator({ realm }: KeycloakJourney) {
  const secret = 'secret-of-the-weak-one'
  await realm.admin('POST', '/clients', { clientId: 'weak', secret, serviceAccountsEnabled: true, publicClient: false })
  const idOf = async (name: string) => {
    const [client] = (await realm.admin('GET', `/clients?clientId=${name}`)) as { id: string }[]
    return client!.id
  }
  const account = (await realm.admin('GET', `/clients/${await idOf('weak')}/service-account-user`)) as { id: string }
  const management = await idOf('realm-management')
  const access = ['--admin-client', 'weak', '--admin-realm', realm.name]
  return {
    calling: { access, env: { DOORWARD_ADMIN_CLIENT_SECRET: secret } },
    async give(...names: string[]) {
      const roles = (await realm.admin('GET', `/clients/${management}/roles`)) as { name: string }[]
      const given = roles.filter(({ name }) => names.includes(name))
      await realm.admin('POST', `/users/${account.id}/role-mappings/clients/${management}`, given)
    },
  }
}

test('who does not get in is told why, in one sentence', async (t) => {
  const journey = await openJourney(t, noClient)
  if (journey === undefined) return
  const wrong = await setup(journey, ['--plan'], { env: { DOORWARD_ADMIN_PASSWORD: '-' }, stdin: 'not-it\n' })
  assert.match(wrong.err, /does not let "admin" in at the realm master: Invalid user credentials/)
  const typed = await setup(journey, ['--plan'], { env: { DOORWARD_ADMIN_PASSWORD: '-' }, isTTY: true })
  assert.equal(typed.code, 2)
  assert.match(typed.err, /that is a terminal\n.*hint: it would show what you type/)
  const token = await setup(journey, ['--plan'], { access: [], env: { DOORWARD_ADMIN_TOKEN: 'no-token' } })
  assert.match(token.err, /does not accept the token of the administrator/)
  const right = await setup(journey, ['--plan'], {
    env: { DOORWARD_ADMIN_PASSWORD: '-' },
    stdin: `${administrator.password}\n`,
  })
  assert.equal(right.code, 0, right.err)
})

test('a service account of master will do, as Keycloak makes one at its first start', async (t) => {
  const journey = await openJourney(t, noClient)
  const keycloak = await openKeycloak(t)
  if (journey === undefined || keycloak === undefined) return
  const { name } = journey.realm
  const account = { clientId: name, secret: `secret-of-${name}`, serviceAccountsEnabled: true, publicClient: false }
  const at = '/realms/master'
  const id = String(await keycloak.admin('POST', `${at}/clients`, account))
    .split('/')
    .at(-1)
  t.after(() => keycloak.admin('DELETE', `${at}/clients/${id}`))
  const user = (await keycloak.admin('GET', `${at}/clients/${id}/service-account-user`)) as { id: string }
  const role = await keycloak.admin('GET', `${at}/roles/admin`)
  await keycloak.admin('POST', `${at}/users/${user.id}/role-mappings/realm`, [role])
  const calling = { access: ['--admin-client', name], env: { DOORWARD_ADMIN_CLIENT_SECRET: account.secret } }
  assert.equal((await setup(journey, ['--yes'], calling)).code, 0)
  assert.match((await setup(journey, ['--yes'], calling)).out, /nothing to do/)
})

test('makes a missing realm only when told to', async (t) => {
  const journey = await openJourney(t, noClient)
  if (journey === undefined) return
  const { gateway, realm } = journey
  gateway.write({ routes: [{ allow: { claims: { identity_provider: ['corp'] } }, respond: { status: 200 } }] })
  const users = (await realm.admin('GET', '/users')) as unknown[]
  assert.equal(users.length, 2)
  await realm.admin('DELETE', '')
  const missing = await setup(journey, ['--yes'])
  assert.match(
    missing.err,
    new RegExp(
      `this Keycloak has no realm "${realm.name}"; this account sees .*master.*\n.*hint: make it with --create-realm`,
    ),
  )
  const plan = await setup(journey, ['--plan', '--create-realm'])
  const done = await setup(journey, ['--yes', '--create-realm'])
  assert.deepEqual([done.code, stepsIn(done)], [0, stepsIn(plan)], done.err)
  assert.equal(stepsIn(done)[0], `  + realm ${realm.name}`)
  assert.match(done.out, /\+ mapper identity_provider: /, 'a rule asks for the claim')
  assert.match((await setup(journey, ['--yes'])).out, /nothing to do/)
})

test('writes the secret of Keycloak to a file when asked, for a config that waits for it', async (t) => {
  const file = 'client-secret'
  const journey = await openJourney(t, noClient)
  if (journey === undefined) return
  const { gateway, realm } = journey
  const target = path.join(path.dirname(gateway.file), file)
  gateway.write({ provider: { kind: 'keycloak', issuer: realm.issuer, clientId, clientSecret: { file } } })
  assert.equal((await setup(journey, ['--plan'])).code, 1, 'without the option the file is missed')
  assert.equal((await setup(journey, ['--plan', '--secret-file', file])).code, 0)
  assert.equal(existsSync(target), false)
  const done = await setup(journey, ['--yes', '--secret-file', file])
  assert.equal(done.code, 0, done.err)
  const secret = readFileSync(target, 'utf8')
  assert.ok(secret.length >= 32)
  assert.equal(statSync(target).mode & 0o777, 0o600)
  assert.ok(!(done.out + done.err).includes(secret))
  assert.equal((await clientOf(journey))?.secret, secret)
  assert.match((await setup(journey, ['--yes', '--secret-file', file])).out, /nothing to do/)
  assert.match((await setup(journey, ['--yes'])).out, /nothing to do/, 'the config file reads it now')

  writeFileSync(target, 'something else')
  const refused = await setup(journey, ['--yes', '--secret-file', file])
  assert.match(refused.err, /the file exists and holds something else\n.*--force/)
  assert.equal(readFileSync(target, 'utf8'), 'something else')
  assert.equal((await setup(journey, ['--yes', '--secret-file', file, '--force'])).code, 0)
  assert.equal(readFileSync(target, 'utf8'), secret)
  assert.equal(statSync(target).mode & 0o777, 0o600)
})

for (const kind of ['a key of its own', 'no secret at all'] as const) {
  test(`sets up a client with ${kind}`, async (t: TestContext) => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const clientAuth = kind === 'no secret at all' ? 'none' : { method: 'private_key_jwt', key, keyId: 'one' }
    const journey = await openJourney(t, {
      ...noClient,
      gateway: (realm) => ({
        config: (world) => {
          const { provider, ...keys } = realm.configOf(world)
          const { clientSecret: _, ...rest } = provider as Json
          return { ...keys, provider: { ...rest, clientAuth } }
        },
      }),
    })
    if (journey === undefined) return
    const done = await setup(journey, ['--yes'])
    assert.equal(done.code, 0, done.err)
    assert.doesNotMatch(done.out, /PRIVATE/)
    await provesItself(journey)
    assert.match((await setup(journey, ['--yes'])).out, /nothing to do/)
  })
}
