/** compose.yaml and its files agree with each other, and nothing weak is in them. No Docker needed. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { parseConfigText } from '../../src/config/read.ts'
import { resolveConfig } from '../../src/config/resolve.ts'
import { urisToRegister } from '../../src/config/uris.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const read = (file: string) => readFileSync(path.join(root, file), 'utf8')
/** As compose fills it in where no variable is set. */
const filledIn = (text: string) => text.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1')

interface Service {
  readonly image: string
  readonly build?: unknown
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly healthcheck?: { readonly disable?: boolean }
  readonly profiles?: readonly string[]
  readonly user?: string
  readonly read_only?: boolean
  readonly cap_add?: readonly string[]
}

const { services, volumes } = parse(filledIn(read('compose.yaml')), { merge: true }) as {
  services: Readonly<Record<string, Service>>
  volumes: Readonly<Record<string, unknown>>
}
const all = Object.entries(services)
const realm = JSON.parse(read('deploy/compose/realm.json'))
const ports = { DOORWARD_PORT: '4180', KEYCLOAK_PORT: '8080', NGINX_PORT: '4280' }

function resolved(env: Readonly<Record<string, string>> = {}) {
  const folder = mkdtempSync(path.join(tmpdir(), 'doorward-compose-'))
  const text = read('deploy/compose/doorward.yaml').replaceAll(/\/run\/doorward\/([\w-]+)/g, (_, name: string) => {
    writeFileSync(path.join(folder, name), `${name}-0123456789-abcdefghijklmnop`)
    return path.join(folder, name)
  })
  try {
    return resolveConfig(parseConfigText(text, 'doorward.yaml', env), { env, networkInterfaces: {} }).config
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('compose: the gateway and the realm mean the same addresses', () => {
  for (const env of [{}, { DOORWARD_PORT: '5180', KEYCLOAK_PORT: '9080', NGINX_PORT: '5280' }]) {
    const config = resolved(env)
    const named = { ...ports, ...env }
    const client = JSON.parse(
      JSON.stringify(realm.clients[0]).replaceAll(/\$\{(\w+)\}/g, (_, name: keyof typeof ports) => named[name] ?? ''),
    )
    const [uris] = urisToRegister(config)
    assert.deepEqual(client.redirectUris, uris?.redirectUris)
    assert.deepEqual(client.attributes['post.logout.redirect.uris'].split('##'), uris?.postLogoutRedirectUris)
    const [provider] = config.providers
    assert.equal(provider?.issuer, `http://localhost:${named.KEYCLOAK_PORT}/realms/${realm.realm}`)
    assert.equal(provider?.clientId, client.clientId)
  }
  const [provider] = resolved().providers
  assert.equal(provider?.issuer, `${services.keycloak?.environment?.KC_HOSTNAME}/realms/demo`)
})

test('compose: names inside of the network are those of services', () => {
  const config = resolved()
  const backchannel = new URL(realm.clients[0].attributes['backchannel.logout.url'])
  const upstreams = [...read('deploy/compose/doorward.yaml').matchAll(/upstream: (\S+)/g)].map(([, url]) => url!)
  const used = [backchannel, config.providers[0]!.internalUrl!, ...upstreams, 'redis://redis:6379'].map(
    (url) => new URL(url).hostname,
  )
  for (const host of used) assert.ok(services[host], host)
  assert.equal(backchannel.port, String(config.listen.port))
  assert.match(read('deploy/compose/nginx.conf'), /proxy_pass http:\/\/app:3000/)
  assert.equal(config.forwardAuth?.host, '127.0.0.1', 'nobody but nginx, in the same network, may ask')
})

test('compose: published on loopback alone, from files that exist', () => {
  for (const [name, service] of all) {
    for (const port of service.ports ?? []) assert.match(port, /^127\.0\.0\.1:\d+:\d+$/, name)
    for (const mount of service.volumes ?? []) {
      const [source, , mode] = mount.split(':')
      if (source?.startsWith('./')) assert.ok(existsSync(path.join(root, source)) && mode === 'ro', mount)
      else assert.ok(source! in volumes, mount)
    }
  }
  assert.deepEqual(Object.keys(services.doorward!.environment ?? {}).sort(), Object.keys(ports).sort())
})

test('compose: who waits for a healthy service waits for one that can say so', () => {
  for (const [name, { depends_on = {} }] of all) {
    for (const [other, { condition }] of Object.entries(depends_on)) {
      const target = services[other]
      assert.ok(target && target.profiles === undefined, `${name} waits for ${other}`)
      if (condition === 'service_healthy') assert.ok(target.healthcheck && !target.healthcheck.disable, other)
      else assert.equal(condition, 'service_completed_successfully')
    }
  }
})

test('compose: nothing weak, and no more rights than needed', () => {
  const credentials = realm.users.map(({ credentials: [one] }: { credentials: [{ value: string }] }) => one.value)
  const placeholders = [...credentials, realm.clients[0].secret]
  const firstStart = read('deploy/compose/first-start.mjs')
  for (const placeholder of placeholders) {
    const name = /^\$\{(\w+)\}$/.exec(placeholder)?.[1]
    assert.ok(name !== undefined && firstStart.includes(`${name}: `), placeholder)
  }
  for (const [name, service] of all) {
    assert.ok(service.read_only || name === 'keycloak', `${name} has a root it can write to`)
    assert.deepEqual(service.cap_add ?? [], name === 'first-start' ? ['CHOWN'] : [])
    assert.doesNotMatch(JSON.stringify(service.environment ?? {}), /PASSWORD|SECRET/, 'secrets are files')
  }
  assert.equal(realm.clients[0].directAccessGrantsEnabled, false)
  assert.equal(realm.clients[0].attributes['pkce.code.challenge.method'], 'S256')
})

test('compose: every image can be another, and the same in the page', () => {
  const text = read('compose.yaml')
  for (const [, image] of text.matchAll(/^ {2,4}image: (.*)$/gm)) assert.match(image!, /^\$\{\w+_IMAGE:-\S+\}$/)
  const named = new Set([...text.matchAll(/\$\{(\w+):-/g)].map(([, name]) => name!))
  for (const name of named) assert.match(read('docs/container.md'), new RegExp(`\`${name}\``), name)
})
