/** Where people keep the settings of oauth2-proxy: each shape is one that public projects use, with names of our own. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { configOf, migrate } from './migrated.ts'

async function read(t: TestContext, name: string, text: string, env: Readonly<Record<string, string>> = {}) {
  const { file, aside } = await migrate(t, ['--args-file', name], { files: { [name]: text } })
  assert.doesNotMatch(aside, /no setting of oauth2-proxy/)
  return configOf(file, { OAUTH2_PROXY_CLIENT_ID: 'from-a-secret', ...env })
}

/** What each shape below says. */
async function shopOf(t: TestContext, name: string, text: string, env?: Readonly<Record<string, string>>) {
  const config = await read(t, name, text, env)
  assert.equal(config.publicUrls[0]!.origin, 'https://shop.example.com')
  assert.equal(config.providers[0]!.kind, 'oidc')
  const route = config.routes.at(-1)!
  assert.deepEqual(route.allow, { emailDomains: ['example.com'] })
  assert.equal(route.upstream?.url.href, 'http://127.0.0.1:3000/')
  return config
}

async function isTheShop(t: TestContext, name: string, text: string): Promise<void> {
  await shopOf(t, name, text)
}

const flags = [
  '--provider=oidc',
  '--oidc-issuer-url=https://login.example.com',
  '--client-id=shop',
  '--redirect-url=https://shop.example.com/oauth2/callback',
  '--email-domain=example.com',
  '--upstream=http://127.0.0.1:3000/',
]
const list = (indent: string) => flags.map((flag) => `${indent}- ${flag}`).join('\n')
const toml = (indent = '') =>
  flags
    .map((flag) => flag.slice(2).split(/=(.*)/))
    .map(([name, value]) => `${indent}${name!.replaceAll('-', '_')} = "${value}"`)
    .join('\n')

describe('manifests of Kubernetes', () => {
  const deployment = `apiVersion: v1
kind: Service
metadata: { name: shop }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: shop }
spec:
  template:
    spec:
      containers:
        - name: shop
          image: example.com/shop:1
          args: [--provider=mysql, --port=3000, --verbose]
          env: [{ name: OAUTH2_PROXY_COOKIE_DOMAIN, value: canary.example.com }]
        - name: auth
          image: quay.io/oauth2-proxy/oauth2-proxy:v7.6.0
          args:
${list('            ')}
          env:
            - { name: OAUTH2_PROXY_COOKIE_SECRET, valueFrom: { secretKeyRef: { name: shop, key: cookie } } }
---
`
  test('several documents, and the container among others', (t) => isTheShop(t, 'shop.yaml', deployment))

  test('an image of another name, found by its settings', (t) =>
    isTheShop(t, 'shop.yaml', deployment.replace('quay.io/oauth2-proxy/oauth2-proxy', 'example.com/sso')))

  test('a shell inside, with quotes', (t) =>
    isTheShop(
      t,
      'pod.yaml',
      `spec:
  containers:
    - image: example.com/sso
      command: [/bin/sh, -c]
      args:
        - |
          exec /bin/oauth2-proxy ${flags.map((flag) => flag.replace(/=(.*)$/, '="$1"')).join(' ')}
`,
    ))

  test('a client with the name of the program', (t) =>
    isTheShop(
      t,
      'pod.yaml',
      `spec: { containers: [{ image: oauth2-proxy, args: [${flags.map((flag) => JSON.stringify(flag)).join(', ')}, --client-id, oauth2-proxy] }] }`,
    ))

  test('quotes in a list, which no shell takes off', (t) =>
    isTheShop(t, 'args.yaml', `args:\n${list('  ').replaceAll(/=(.*)/g, '="$1"')}\n`))

  test('a config file in a ConfigMap, beside the container that reads it', (t) =>
    isTheShop(
      t,
      'all.yaml',
      `apiVersion: v1
kind: ConfigMap
metadata: { name: auth }
data:
  auth.cfg: |
${toml('    ')}
---
kind: ConfigMap
data: { shop.properties: "version=1\\nno toml = canary" }
---
kind: Pod
spec: { containers: [{ image: "oauth2-proxy:v7", args: [--config=/etc/auth.cfg] }] }
`,
    ))

  test('variables in a ConfigMap and in a Secret', async (t) => {
    const { clientId } = (
      await shopOf(
        t,
        'all.yaml',
        `kind: ConfigMap
data:
  OAUTH2_PROXY_PROVIDER: oidc
  OAUTH2_PROXY_OIDC_ISSUER_URL: https://login.example.com
  OAUTH2_PROXY_REDIRECT_URL: https://shop.example.com/oauth2/callback
  OAUTH2_PROXY_EMAIL_DOMAINS: example.com
  OAUTH2_PROXY_UPSTREAMS: http://127.0.0.1:3000/
---
kind: Secret
data: { OAUTH2_PROXY_CLIENT_ID: c2hvcA==, OAUTH2_PROXY_CLIENT_SECRET: Y2FuYXJ5 }
`,
      )
    ).providers[0]!
    assert.equal(clientId, 'shop')
  })

  test('two at once are one after the other', async (t) => {
    const two = `${deployment}${deployment.replaceAll('shop', 'wiki')}`
    const { code, aside } = await migrate(t, ['--args-file', 'two.yaml'], { files: { 'two.yaml': two } })
    assert.equal(code, 1)
    assert.match(aside, /starts it 2 times: spec\.template\.spec\.containers\.1, /)
  })

  test('of two alpha configurations beside it none is dropped in silence', async (t) => {
    const alpha = (name: string) => `---
apiVersion: v1
kind: ConfigMap
metadata: { name: ${name} }
data:
  alpha.yaml: |
    providers: [{ id: ${name}, provider: oidc, clientID: ${name}, oidcConfig: { issuerURL: https://id.example.com } }]
    upstreamConfig: { upstreams: [{ id: app, path: /, uri: http://127.0.0.1:3000 }] }
`
    const both = deployment + alpha('one') + alpha('two')
    const { code, aside } = await migrate(t, ['--args-file', 'both.yaml'], { files: { 'both.yaml': both } })
    assert.equal(code, 1)
    assert.match(aside, /holds 2 alpha configurations/)
  })
})

describe('values of the Helm chart', () => {
  const args = (indent: string) => flags.map((flag) => `${indent}${flag.slice(2).replace('=', ': ')}`).join('\n')

  test('extraArgs as a map, secrets beside them', async (t) => {
    const { listen, operations, session } = await shopOf(
      t,
      'values.yaml',
      `replicaCount: 2
config: { clientSecret: canary, cookieSecret: canary, configFile: "" }
extraArgs:
${args('  ')}
  cookie-expire: 7h
  skip-provider-button: true
  reverse-proxy:
extraEnv:
  - { name: OAUTH2_PROXY_COOKIE_SAMESITE, value: strict }
ingress: { enabled: true, hosts: [shop.example.com] }
`,
    )
    assert.deepEqual([listen.port, operations?.port], [4180, 44_180], 'as the chart has them')
    assert.deepEqual([session.lifetime, session.sameSite], [7 * 3_600_000, 'strict'])
  })

  test('extraArgs as a list', (t) => isTheShop(t, 'values.yaml', `extraArgs:\n${list('  ')}\n`))

  test('a config file in it, below the name of a subchart, secrets elsewhere', async (t) => {
    const config = await read(
      t,
      'values.yaml',
      `global: { domain: example.com }
cert-manager: { extraArgs: [--dns01-recursive-nameservers-only] }
oauth2-proxy:
  config:
    existingSecret: shop
    configFile: |-
${toml('      ')}
      reverse_proxy = "true"
  sessionStorage:
    type: redis
    redis: { existingSecret: shop-redis, clientType: standalone, standalone: { connectionUrl: "redis://redis:6379" } }
`,
    )
    assert.equal(config.session.store, 'redis')
    assert.deepEqual(config.routes[0]!.allow, { emailDomains: ['example.com'] })
  })

  test('an Application of Argo CD: values as a text, or one parameter each', async (t) => {
    const values = `config: { existingSecret: shop }\nextraArgs:\n${args('  ')}`
    await isTheShop(
      t,
      'app.yaml',
      `kind: Application\nspec:\n  source:\n    helm:\n      values: |\n${values.replaceAll(/^/gm, '        ')}\n`,
    )
    const parameters = flags.map((flag) => {
      const [name, value] = flag.slice(2).split(/=(.*)/)
      return `        - { name: extraArgs.${name}, value: ${JSON.stringify(value)} }`
    })
    await isTheShop(
      t,
      'app.yaml',
      `kind: Application\nspec:\n  source:\n    helm:\n      parameters:\n${parameters.join('\n')}\n`,
    )
  })

  test('the alpha configuration in it', async (t) => {
    const text = `alphaConfig:
  enabled: true
  configData:
    providers:
      - { id: x, provider: oidc, clientID: shop, clientSecret: canary, oidcConfig: { issuerURL: "https://login.example.com" } }
    upstreamConfig: { upstreams: [{ id: shop, path: /, uri: "http://127.0.0.1:3000" }] }
    injectRequestHeaders: [{ name: X-Shop-User, values: [{ claim: user }] }, { name: X-Fixed, values: [{ value: Y2FuYXJ5 }] }]
extraArgs: { email-domain: example.com, redirect-url: "https://shop.example.com/oauth2/callback" }
`
    const { routes, listen } = await shopOf(t, 'values.yaml', text)
    assert.deepEqual(
      routes[0]!.headers.set.map(({ name }) => name),
      ['X-Shop-User'],
    )
    assert.equal(listen.port, 4180)
    const elsewhere = text.replace(/configData:[\s\S]*(?=extraArgs)/, 'existingSecret: shop\n')
    const { aside } = await migrate(t, ['--args-file', 'v.yaml'], { files: { 'v.yaml': elsewhere } })
    assert.match(aside, /its alpha configuration is elsewhere[\s\S]*--alpha-config FILE/)
  })

  test('people who are listed by the chart', async (t) => {
    const { routes } = await read(
      t,
      'values.yaml',
      `authenticatedEmailsFile: { enabled: true, restricted_access: "canary@example.com" }
extraArgs: { provider: oidc, oidc-issuer-url: "https://login.example.com", client-id: shop, redirect-url: "https://shop.example.com" }
`,
    )
    assert.deepEqual(routes[0]!.allow, { emails: ['ada@example.com'] })
  })

  test('a template is rendered first', async (t) => {
    const text = 'args:\n{{- range .Values.args }}\n  - {{ . }}\n{{- end }}\n'
    const { aside } = await migrate(t, ['--args-file', 'd.yaml'], { files: { 'd.yaml': text } })
    assert.match(aside, /is a template[\s\S]*helm template/)
  })
})

describe('compose files', () => {
  test('flags in one text, with one dash as older ones had them', (t) =>
    isTheShop(
      t,
      'compose.yaml',
      `services:
  shop: { image: shop, command: --port=3000 }
  auth:
    image: example.com/oauth2-proxy:2.2
    environment: [OAUTH2_PROXY_CLIENT_ID, OAUTH2_PROXY_COOKIE_SECRET=canary]
    command: |
${flags.map((flag) => `      ${flag.slice(1)}`).join('\n')}
`,
    ))

  test('one flag in a text', async (t) => {
    const files = { 'c.yaml': 'services: { auth: { image: oauth2-proxy, command: --config /auth.cfg } }\n' }
    const { aside } = await migrate(t, ['--args-file', 'c.yaml'], { files })
    assert.match(aside, /--config \(c\.yaml\): \/auth\.cfg is not here/)
  })

  test('a base that services share, and variables of compose', async (t) => {
    const { routes, session } = await shopOf(
      t,
      'compose.yaml',
      `x-auth: &auth
  image: quay.io/oauth2-proxy/oauth2-proxy:\${TAG:-v7}
  command: --cookie-samesite=strict
services:
  auth:
    <<: *auth
    environment:
      OAUTH2_PROXY_PROVIDER: oidc
      OAUTH2_PROXY_CLIENT_ID: shop
      OAUTH2_PROXY_CLIENT_SECRET: \${SHOP_SECRET:?not set}
      OAUTH2_PROXY_COOKIE_SECRET: \${COOKIE_SECRET-canary}
      OAUTH2_PROXY_OIDC_ISSUER_URL: https://login.\${Domain}
      OAUTH2_PROXY_REDIRECT_URL: https://shop.\${Domain}/oauth2/callback
      OAUTH2_PROXY_EMAIL_DOMAINS: \${DOMAINS:-example.com}
      OAUTH2_PROXY_UPSTREAMS: http://127.0.0.1:\${PORT}/
      OAUTH2_PROXY_SKIP_AUTH_ROUTES: ^/health$$
`,
      { Domain: 'example.com', PORT: '3000' },
    )
    assert.deepEqual([routes[0]!.path, routes[0]!.allow, session.sameSite], ['/health', 'public', 'strict'])
  })
})

describe('scripts', () => {
  test('a start script, with what else it does', (t) =>
    isTheShop(
      t,
      'start.sh',
      `#!/usr/bin/env bash
set -e
echo "starting oauth2_proxy... canary"   # --upstream=http://canary
export OAUTH2_PROXY_CLIENT_SECRET=canary
shop --port=3000 --provider=mysql &
/bin/oauth2_proxy \\
  ${flags.map((flag) => flag.replace(/=(.*)$/, `='$1'`)).join(' \\\n  ')} >> /var/log/canary 2>&1 &
wait
`,
    ))

  test('docker run, whose container has the name of the program', (t) =>
    isTheShop(
      t,
      'run.sh',
      `docker run -d --name oauth2-proxy -p 8080:4180 -e OAUTH2_PROXY_CLIENT_SECRET="canary" --env=OAUTH2_PROXY_COOKIE_SECRET=canary \\
  quay.io/oauth2-proxy/oauth2-proxy:v7.6.0 ${flags.join(' ')}\n`,
    ))

  test('a unit of systemd', (t) =>
    isTheShop(
      t,
      'auth.service',
      `[Unit]
Description=who comes in
[Service]
User=oauth2-proxy
WorkingDirectory=/etc/oauth2-proxy
Environment=OAUTH2_PROXY_CLIENT_SECRET=canary
ExecStart=-/usr/local/bin/oauth2-proxy ${flags.join(' ')}
Restart=always
`,
    ))

  test('flags alone, one a line', (t) => isTheShop(t, 'flags', `# of the shop\n${flags.join('\n')}\n`))

  test('docker run of an image that a variable names', (t) =>
    isTheShop(
      t,
      'run.sh',
      `docker run -d \\\n${flags
        .map((flag) => flag.slice(2).split(/=(.*)/))
        .map(([name, value]) => `  -e OAUTH2_PROXY_${name!.replaceAll('-', '_').toUpperCase()}="${value}" \\`)
        .join('\n')}\n  -e OAUTH2_PROXY_CLIENT_SECRET=canary "$IMAGE"\n`,
    ))

  test('a list of another language', (t) =>
    isTheShop(t, 'auth.hcl', `config {\n  args = [\n${flags.map((flag) => `    "${flag}",`).join('\n')}\n  ]\n}\n`))

  test('nothing of it is shown where there is nothing to read', async (t) => {
    for (const text of ['a: canary\n', 'canary canary\n', '- canary\n', 'canary = "canary"\n', '']) {
      const { code, aside } = await migrate(t, ['--args-file', 'x'], { files: { x: text } })
      assert.equal(code, 1)
      assert.match(aside, /x: starts no oauth2-proxy that can be seen/)
    }
  })

  test('a word without its flag may be a secret', async (t) => {
    const text = `oauth2-proxy ${flags.join(' ')} canary --unheard-of canary\n`
    const { aside } = await migrate(t, ['--args-file', 'x'], { files: { x: text } })
    assert.match(aside, /a word that is no flag \(x\)/)
    assert.match(aside, /--unheard-of \(x\)/)
  })

  test('an address of the provider with a password in it', async (t) => {
    const words = ['--oidc-issuer-url=https://u:canary@sso.example/a', '--login-url=https://canary@sso.example/b']
    const { file } = await migrate(t, ['--', '--provider=oidc', '--skip-oidc-discovery', ...words])
    assert.match(file, /issuer: https:\/\/sso\.example\/a /)
  })

  test('a name and its secret in one word, or with a colon between', async (t) => {
    const words = ['--client-secret canary', '--cookie-secret:canary', '--redis-password\tcanary']
    const list = (all: readonly string[]) => all.map((word) => `  - ${JSON.stringify(word)}\n`).join('')
    const told = [
      await migrate(t, ['--args-file', 'x'], {
        files: { x: `image: oauth2-proxy\nargs:\n${list([...words, '--unheard-of', '-canary'])}` },
      }),
      await migrate(t, ['--args-file', 'x'], {
        files: { x: `config: { clientID: a }\nextraArgs:\n${list(['provider=oidc', ...words])}` },
      }),
      await migrate(t, ['--args-file', 'x'], {
        files: { x: `image: oauth2-proxy\nenvironment:\n${list(['OAUTH2_PROXY_CLIENT_SECRET: canary'])}` },
      }),
      await migrate(t, ['--alpha-config', 'x'], { files: { x: 'providers: [{ clientSecret canary: 1 }]\n' } }),
    ]
    for (const { aside } of told) assert.match(aside, /client.?secret …/i)
  })
})

test('an upstream that cannot be read is asked for, not forgotten', async (t) => {
  const words = flags.map((flag) => flag.replace(/^--upstream=.*/, '--upstream=file:///srv/www'))
  const { code, file, aside } = await migrate(t, ['--', ...words])
  assert.equal(code, 1)
  assert.match(aside, /where do requests go\?/)
  assert.doesNotMatch(file, /^forwardAuth:/m)
})
