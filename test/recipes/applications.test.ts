/** What applications are told by the files of their recipes, for those that are not started here. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import type { IdpUser } from '../../src/dev/idp.ts'
import { demoUsers } from '../../src/dev/idp-users.ts'
import { sessionSecret, signedIn, startGateway, type TestGateway } from '../support/gateway.ts'
import { recipeBlock, recipeKeys } from './documented.ts'

const joerg: IdpUser = {
  ...demoUsers[0]!,
  username: 'joerg',
  password: 'joerg',
  name: 'Jörg Müller',
  more: { grafana_role: 'Editor' },
}

/** Doorward with the file of a page that holds a text, in front of an application that tells its headers. */
function startRecipe(t: TestContext, page: string, upstream: string, holds?: string): Promise<TestGateway> {
  return startGateway(t, {
    users: [...demoUsers, joerg],
    config: (world) => ({
      ...recipeKeys(page, world, [upstream, world.application], holds),
      session: { secret: sessionSecret },
    }),
  })
}

/** `[section]` -> key -> value of an ini file. */
function readIni(text: string): Readonly<Record<string, Readonly<Record<string, string>>>> {
  const sections: Record<string, Record<string, string>> = {}
  let section = ''
  for (const line of text.split('\n')) {
    section = /^\[(.+)\]$/.exec(line)?.[1] ?? section
    const [, key, value] = /^(\w+) = (.*)$/.exec(line) ?? []
    if (key !== undefined) sections[section] = { ...sections[section], [key]: value! }
  }
  return sections
}

test('Grafana by JWT: header, keys and claims are where grafana.ini looks', async (t) => {
  const gateway = await startRecipe(t, 'grafana', 'http://127.0.0.1:3000', 'assertion:')
  const ini = recipeBlock('grafana', 'ini', '[auth.jwt]').replaceAll('https://grafana.example.com', gateway.origin)
  const jwt = readIni(ini)['auth.jwt']!
  await signedIn(gateway, 'ada')
  const { headers } = gateway.application.last()
  const statement = String(headers[jwt.header_name!.toLowerCase()])
  const { iss, aud, ...further } = JSON.parse(jwt.expect_claims!)
  assert.deepEqual(further, {})
  const keys = createRemoteJWKSet(new URL(jwt.jwk_set_url!))
  const { payload } = await jwtVerify(statement, keys, { issuer: iss, audience: aud })
  assert.match(String(payload[jwt.username_claim!]), /^[0-9a-f-]{36}$/)
  assert.equal(payload[jwt.email_claim!], 'ada@example.com')
  assert.deepEqual(payload.groups, ['/staff', '/admins'], 'what role_attribute_path reads')
  assert.deepEqual(
    Object.keys(headers).filter((name) => /^x-(?:auth|webauth)-/.test(name)),
    ['x-auth-assertion'],
  )
})

test('Grafana by headers: the names of grafana.ini, and no others', async (t) => {
  const gateway = await startRecipe(t, 'grafana', 'http://127.0.0.1:3000', 'X-WEBAUTH-USER')
  const proxy = readIni(recipeBlock('grafana', 'ini', '[auth.proxy]'))['auth.proxy']!
  const wanted = Object.fromEntries(proxy.headers!.split(' ').map((pair) => pair.split(':') as [string, string]))
  const browser = await signedIn(gateway, 'joerg')
  await browser.fetch(`${gateway.origin}/`, { headers: { 'X-WebAuth-Role': 'Admin', X_WEBAUTH_USER: 'admin' } })
  const { headers } = gateway.application.last()
  const told = (name: string) => Buffer.from(String(headers[name.toLowerCase()]), 'latin1').toString()
  assert.match(told(proxy.header_name!), /^[0-9a-f-]{36}$/)
  assert.deepEqual(
    [told(wanted.Name!), told(wanted.Email!), told(wanted.Role!)],
    ['Jörg Müller', 'ada@example.com', 'Editor'],
  )
  assert.deepEqual(Object.keys(headers).filter((name) => name.replaceAll('_', '-').startsWith('x-webauth')).length, 4)
})

test('Open WebUI: its three headers, and none of a client', async (t) => {
  const gateway = await startRecipe(t, 'open-webui', 'http://127.0.0.1:8080')
  const settings = recipeBlock('open-webui', 'sh', 'WEBUI_URL')
  const header = (what: string) => new RegExp(`^WEBUI_AUTH_TRUSTED_${what}_HEADER=(.+)$`, 'm').exec(settings)![1]!
  const browser = await signedIn(gateway, 'joerg')
  const forged = Object.fromEntries(['EMAIL', 'NAME', 'GROUPS'].map((what) => [header(what).replaceAll('-', '_'), 'x']))
  await browser.fetch(`${gateway.origin}/`, { headers: forged })
  const { headers } = gateway.application.last()
  assert.equal(headers[header('EMAIL').toLowerCase()], 'ada@example.com')
  assert.equal(decodeURIComponent(String(headers[header('NAME').toLowerCase()])), 'Jörg Müller')
  assert.equal(headers[header('GROUPS').toLowerCase()], '/staff,/admins')
  for (const name of Object.keys(forged)) assert.equal(headers[name.toLowerCase()], undefined)
})
