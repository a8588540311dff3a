/** Redirects of the discovery document, within the server that was asked alone; and issuers that differ. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { silentLog } from '../../src/core/log.ts'
import { openProvider } from '../../src/oidc/provider.ts'
import { openRogueProvider, type RogueProvider } from '../support/rogue-provider.ts'
import { failureOf, logIn, openWorld, providerConfig } from './journey.ts'

/** The next so many questions for the document are redirected. */
function redirect(rogue: RogueProvider, location: string, times = 1, status = 302): void {
  let left = times
  rogue.script.raw = {
    discovery: (response) => {
      if (--left === 0) delete rogue.script.raw
      response.writeHead(status, { location }).end()
    },
  }
}

const wellKnown = '/realms/main/.well-known/openid-configuration'

for (const status of [301, 302, 303, 307, 308]) {
  test(`a slash at the end of the address: followed (${status})`, async (t) => {
    const world = await openWorld(t)
    redirect(world.rogue, `${wellKnown}/`, 1, status)
    assert.equal((await logIn(world)).identity.username, 'alice')
    assert.equal(world.rogue.calls.discovery, 2)
  })
}

test('two in a row are followed, by whole and by relative addresses; a third, and a circle, are told', async (t) => {
  const world = await openWorld(t)
  const { rogue, clock } = world
  redirect(rogue, `${new URL(rogue.issuer).origin}${wellKnown}/`, 2)
  await logIn(world)
  const other = await openWorld(t)
  redirect(other.rogue, 'openid-configuration', 1000)
  const place = `${other.rogue.issuer}/.well-known/openid-configuration`
  await assert.rejects(other.provider.metadata(), {
    code: 'provider_unreachable',
    message: `${place} answered 302, a redirect to ${place} after two others`,
  })
  assert.equal(other.rogue.calls.discovery, 3)
  assert.ok(clock.time > 0)
})

async function openSecond(t: TestContext): Promise<RogueProvider> {
  const second = await openRogueProvider()
  t.after(second.close)
  return second
}

test('another server is never asked: host, port, scheme, a name in front of an @', async (t) => {
  const second = await openSecond(t)
  const elsewhere = [
    `${second.issuer}/.well-known/openid-configuration`,
    `//127.0.0.1:${new URL(second.issuer).port}${wellKnown}`,
    'https://sso.example.com/realms/main/.well-known/openid-configuration',
  ]
  for (const location of elsewhere) {
    const { rogue, provider } = await openWorld(t)
    redirect(rogue, location)
    const leads = new URL(location, rogue.issuer)
    await assert.rejects(provider.metadata(), {
      message:
        `${rogue.issuer}/.well-known/openid-configuration answered 302, a redirect to ${leads.href}, which is never followed; ` +
        `set \`issuer: ${leads.origin}/realms/main\` if that is what its tokens say`,
    })
    assert.equal(rogue.calls.discovery, 1)
  }
  const { rogue, provider, clock } = await openWorld(t)
  const { host } = new URL(rogue.issuer)
  const strange = [`https://${host}${wellKnown}`, `http://ada:pw@${host}${wellKnown}`, 'data:,{}', 'http://[']
  for (const [asked, location] of strange.entries()) {
    redirect(rogue, location)
    clock.time += 60_000
    await assert.rejects(provider.metadata(), (error: Error) => {
      assert.match(error.message, /answered 302, a redirect to /)
      assert.ok(!error.message.includes('pw'), 'no credentials in a log')
      return true
    })
    assert.equal(rogue.calls.discovery, asked + 1, location)
  }
  assert.equal(second.calls.discovery, 0)
})

test('what it leads to still has to name the issuer of the file, to the letter', async (t) => {
  for (const issuer of ['https://evil.example', undefined]) {
    const { rogue, provider } = await openWorld(t)
    redirect(rogue, `${wellKnown}/`)
    rogue.script.discovery = (document) => ({ ...document, issuer })
    await assert.rejects(provider.metadata(), (error: Error) =>
      error.message.startsWith(`invalid issuer: expected ${rogue.issuer}, got ${issuer ?? 'none'}; `),
    )
  }
  const { rogue, provider } = await openWorld(t)
  redirect(rogue, `${wellKnown}/`)
  rogue.script.discovery = (document) => ({ ...document, issuer: `${document.issuer}/` })
  await assert.rejects(provider.metadata(), (error: Error) => {
    assert.ok(error.message.includes(`got ${rogue.issuer}/; set \`issuer: ${rogue.issuer}/\` if`), error.message)
    assert.match(error.message, /they differ by the slash at the end alone$/)
    return true
  })
})

test('an alias is named with the name the provider goes by', async (t) => {
  const { rogue, provider } = await openWorld(t)
  const issuer = 'https://auth.example.com/realms/main'
  rogue.script.discovery = (document) => ({ ...document, issuer })
  const { host } = new URL(rogue.issuer)
  await assert.rejects(provider.metadata(), (error: Error) => {
    assert.ok(
      error.message.startsWith(`invalid issuer: expected ${rogue.issuer}, got ${issuer}; set \`issuer: ${issuer}\``),
    )
    assert.ok(error.message.endsWith(`; ${host} is an alias, auth.example.com is the name the provider goes by`))
    return true
  })
})

test('keys are never asked for elsewhere, not even at the same server', async (t) => {
  const { rogue, provider } = await openWorld(t)
  rogue.script.raw = { jwks: (response) => void response.writeHead(302, { location: '/realms/main/certs' }).end() }
  await assert.rejects(provider.keySet.keys(), /\/certs answered 302, a redirect, which is never followed$/)
  assert.equal(rogue.calls.jwks, 1)
})

test('internalUrl: within the server that was really asked; where it sends people away, that is said', async (t) => {
  const { rogue, clock } = await openWorld(t)
  const internalUrl = new URL(new URL(rogue.issuer).origin)
  const issuer = 'https://sso.example.test/realms/main'
  rogue.script.discovery = (document) => JSON.parse(JSON.stringify(document).replaceAll(rogue.issuer, issuer))
  const open = () => {
    const config = { ...providerConfig(rogue), issuer, internalUrl }
    const provider = openProvider(config, { clock, log: silentLog, allowInsecureHttp: false })
    t.after(provider.close)
    return provider
  }
  redirect(rogue, `${wellKnown}/`)
  assert.equal((await open().metadata()).tokenEndpoint?.href, `${issuer}/token`)
  redirect(rogue, `https://sso.example.test${wellKnown}`)
  await assert.rejects(open().metadata(), /sends everybody to the public address: leave it out/)
  redirect(rogue, `https://keycloak.svc:8443${wellKnown}`)
  await assert.rejects(open().metadata(), /set `internalUrl: https:\/\/keycloak\.svc:8443`, or leave it out$/)
})

test('a provider that goes by another name later on: both names, where it said so, and whose line to change', async (t) => {
  const world = await openWorld(t)
  const { rogue } = world
  const { origin } = new URL(rogue.issuer)
  const other = 'https://keycloak.example.com/realms/main'
  const told = (where: string) =>
    `invalid issuer: expected ${rogue.issuer}, got ${other} ${where}; ` +
    `give the provider one name, whoever asks (Keycloak: hostname=${origin}); ` +
    `${new URL(origin).host} is an alias, keycloak.example.com is the name the provider goes by`
  rogue.script.callback = (query) => query.set('iss', other)
  assert.equal((await failureOf(logIn(world))).message, told('in the answer that browsers bring back'))
  rogue.script.callback = (query) => query.set('state', 'another')
  assert.doesNotMatch((await failureOf(logIn(world))).message, /invalid issuer/)
  rogue.script = { idTokenClaims: (claims) => ({ ...claims, iss: other }) }
  assert.equal((await failureOf(logIn(world))).message, told('in its ID token'))
  const said = "Invalid token issuer. Expected 'http://keycloak:8080/realms/main'"
  const body = JSON.stringify({ error: 'invalid_grant', error_description: said })
  rogue.script = {
    raw: { token: (response) => response.writeHead(400, { 'content-type': 'application/json' }).end(body) },
  }
  const { message } = await failureOf(logIn(world))
  assert.match(message, /Invalid token issuer\..*; Keycloak goes by another name when it is asked from here/)
})
