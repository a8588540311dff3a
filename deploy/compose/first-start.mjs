// Makes every secret of compose.yaml once, and gives each service its own. What exists is kept, so nothing changes later.
import { randomBytes } from 'node:crypto'
import { chownSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'

const { DOORWARD_PORT, KEYCLOAK_PORT, NGINX_PORT } = process.env

const made = '/made/secrets.json'
if (!existsSync(made)) {
  const key = () => randomBytes(32).toString('hex')
  const password = () => randomBytes(12).toString('base64url')
  const fresh = {
    SESSION_SECRET: key(),
    CLIENT_SECRET: key(),
    REDIS_PASSWORD: key(),
    ADMIN_PASSWORD: password(),
    ADA_PASSWORD: password(),
    BOB_PASSWORD: password(),
  }
  // Whole or not at all: a start that is cut off here begins again.
  writeFileSync(`${made}.new`, JSON.stringify(fresh), { mode: 0o600 })
  renameSync(`${made}.new`, made)
}
const secrets = JSON.parse(readFileSync(made, 'utf8'))

const doorward = 65532
const redis = 65532
const keycloak = 1000

give('/for/doorward/session', secrets.SESSION_SECRET, doorward)
give('/for/doorward/client-secret', secrets.CLIENT_SECRET, doorward)
give('/for/doorward/redis-password', secrets.REDIS_PASSWORD, doorward)
give('/for/redis/redis.conf', `requirepass ${secrets.REDIS_PASSWORD}\nsave ""\nappendonly no\n`, redis)
give('/for/keycloak/realm.json', filledIn(readFileSync('/deploy/realm.json', 'utf8')), keycloak)
give(
  '/for/keycloak/keycloak.conf',
  `bootstrap-admin-username=admin\nbootstrap-admin-password=${secrets.ADMIN_PASSWORD}\n`,
  keycloak,
)

console.log(`
Open      http://localhost:${DOORWARD_PORT}
          sign in as  ada  ${secrets.ADA_PASSWORD}   who may open /admin
          or as       bob  ${secrets.BOB_PASSWORD}   who may not
Keycloak  http://localhost:${KEYCLOAK_PORT}/admin
                      admin  ${secrets.ADMIN_PASSWORD}
`)

/** Readable by its owner alone, and never half written. */
function give(file, text, owner) {
  writeFileSync(`${file}.new`, text, { mode: 0o400, flag: 'w' })
  chownSync(`${file}.new`, owner, owner)
  renameSync(`${file}.new`, file)
}

/** @throws Error for a name that nobody knows: no `${…}` may end up as a password */
function filledIn(text) {
  const values = { ...secrets, DOORWARD_PORT, NGINX_PORT }
  return text.replaceAll(/\$\{(\w+)\}/g, (whole, name) => {
    if (values[name] === undefined) throw new Error(`realm.json: nothing known of ${whole}`)
    return values[name]
  })
}
