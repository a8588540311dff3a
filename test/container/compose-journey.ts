/** What a person does with compose.yaml once it runs: signs in, looks around, signs out. */
import assert from 'node:assert/strict'
import { type Browser, createBrowser } from '../support/browser.ts'

export interface ComposeWorld {
  /** Of Doorward, or of nginx in front of the same application. */
  readonly origin: string
  readonly keycloak: string
  readonly passwords: { readonly ada: string; readonly bob: string; readonly admin: string }
}

/** Reads what `first-start` prints. @throws Error for anything else */
export function passwordsOf(printed: string): ComposeWorld['passwords'] {
  const passwordOf = (name: string): string => {
    const found = [...printed.matchAll(new RegExp(`\\b${name} {2}(\\S{16})(?:\\s|$)`, 'g'))].at(-1)?.[1]
    if (found === undefined) throw new Error(`no password of ${name}: ${printed}`)
    return found
  }
  return { ada: passwordOf('ada'), bob: passwordOf('bob'), admin: passwordOf('admin') }
}

/** Both people, each in a browser of their own. */
export async function tryOut(world: ComposeWorld): Promise<void> {
  const [ada, bob] = [createBrowser(), createBrowser()]
  try {
    await adaLooksAround(world, ada)
    await bobIsNoAdministrator(world, bob)
    await adaSignsOut(world, ada)
  } finally {
    await Promise.all([ada.close(), bob.close()])
  }
}

const signIn = async (browser: Browser, { origin, keycloak }: ComposeWorld, name: string, password: string) => {
  const page = await browser.navigate(`${origin}/some/page?of=mine`)
  assert.ok(page.url.startsWith(`${keycloak}/realms/demo/`), `the browser stays outside: ${page.url}`)
  return browser.submit(page, { username: name, password }, 'Sign In')
}

async function adaLooksAround(world: ComposeWorld, ada: Browser): Promise<void> {
  const open = await ada.navigate(`${world.origin}/public`)
  assert.match(open.text, /whoever you are/)
  const home = await signIn(ada, world, 'ada', world.passwords.ada)
  assert.equal(home.url, `${world.origin}/some/page?of=mine`)
  assert.match(home.text, /Hello, ada/)
  const told = await ada.fetch(`${world.origin}/whoami`, { headers: { 'x-auth-user': 'root' } })
  const { 'x-auth-subject': subject, ...rest } = JSON.parse(told.body)
  assert.match(subject, /^[\da-f-]{36}$/)
  assert.deepEqual(rest, {
    'x-auth-user': 'ada',
    'x-auth-email': 'ada@example.com',
    'x-auth-groups': '/admins,/staff',
  })
  assert.equal((await ada.navigate(`${world.origin}/admin`)).status, 200)
}

async function bobIsNoAdministrator(world: ComposeWorld, bob: Browser): Promise<void> {
  const home = await signIn(bob, world, 'bob', world.passwords.bob)
  assert.match(home.text, /Hello, bob/)
  assert.equal((await bob.navigate(`${world.origin}/admin`)).status, 403)
  // An administrator of Keycloak ends his session: Keycloak tells Doorward by the name it has in the network.
  await endSessionsAtKeycloak(world, 'bob')
  assert.equal((await bob.fetch(`${world.origin}/whoami`)).status, 401)
}

async function adaSignsOut(world: ComposeWorld, ada: Browser): Promise<void> {
  const home = await ada.navigate(`${world.origin}/`)
  const bye = await ada.click(home, 'Sign out')
  assert.equal(new URL(bye.url).pathname, '/_doorward/signed-out')
  assert.equal((await ada.fetch(`${world.origin}/whoami`)).status, 401)
  const again = await ada.navigate(`${world.origin}/`)
  assert.match(again.url, /\/realms\/demo\//, 'Keycloak asks again too')
}

async function endSessionsAtKeycloak({ keycloak, passwords }: ComposeWorld, username: string): Promise<void> {
  const form = { grant_type: 'password', client_id: 'admin-cli', username: 'admin', password: passwords.admin }
  const token = `${keycloak}/realms/master/protocol/openid-connect/token`
  const granted = await fetch(token, { method: 'POST', body: new URLSearchParams(form) })
  const { access_token } = (await granted.json()) as { access_token: string }
  const call = (method: string, address: string) =>
    fetch(`${keycloak}/admin/realms/demo${address}`, { method, headers: { authorization: `Bearer ${access_token}` } })
  const [user] = (await (await call('GET', `/users?exact=true&username=${username}`)).json()) as { id: string }[]
  assert.equal((await call('POST', `/users/${user?.id}/logout`)).status, 204)
}
