/** `doorward migrate oauth2-proxy`: what the golden case migrate.txt does not show. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { ourDuration, readGoDuration } from '../../src/cli/migrate/go-duration.ts'
import { settingNamed, settingNames, settings } from '../../src/cli/migrate/settings.ts'
import { settingsPage } from '../../src/cli/migrate/settings-page.ts'
import { readSkipRule } from '../../src/cli/migrate/skip-routes.ts'
import { readToml } from '../../src/cli/migrate/toml.ts'
import { configOf, migrate } from './migrated.ts'

const usual = [
  '--provider=keycloak-oidc',
  '--oidc-issuer-url=https://keycloak.example.com/realms/main',
  '--client-id=app',
  '--client-secret=canary',
  '--redirect-url=https://app.example.com/oauth2/callback',
  '--upstream=http://127.0.0.1:3000',
]
const people = '--email-domain=example.com'
const flags = (...words: string[]) => ['--', ...usual, ...words]

describe('who may come in is never more than before', () => {
  const cases: readonly (readonly [words: string[], allow: unknown])[] = [
    [['--email-domain=example.com'], { emailDomains: ['example.com'] }],
    [['--email-domain=@Example.com,b.org'], { emailDomains: ['example.com', 'b.org'] }],
    [['--authenticated-emails-file=/e'], { emails: ['ada@example.com'] }],
    [
      ['--authenticated-emails-file=/e', '--email-domain=b.org'],
      { anyOf: [{ emails: ['ada@example.com'] }, { emailDomains: ['b.org'] }] },
    ],
    [['--email-domain=*', '--allowed-group=/staff'], { groups: ['/staff'] }],
    [['--email-domain=b.org', '--allowed-group=/staff'], { emailDomains: ['b.org'], groups: ['/staff'] }],
    [
      ['--email-domain=*', '--allowed-group=/staff', '--allowed-role=ops', '--allowed-role=app:admin'],
      {
        anyOf: [{ groups: ['/staff'] }, { realmRoles: ['ops'] }, { clientRoles: [{ client: 'app', role: 'admin' }] }],
      },
    ],
    [['--email-domain=*', '--allowed-group=role:ops'], { realmRoles: ['ops'] }],
  ]
  for (const [words, allow] of cases) {
    test(words.join(' '), async (t) => {
      const { code, file, aside } = await migrate(t, flags(...words))
      assert.equal(code, 0, aside)
      const { routes } = configOf(file)
      assert.deepEqual(routes.at(-1)!.allow, allow)
    })
  }

  for (const words of [
    ['--email-domain=*'],
    [],
    ['--email-domain=.example.com'],
    ['--email-domain=*.example.com', '--allowed-group=/staff'],
    ['--email-domain=*', '--authenticated-emails-file=/e'],
    ['--email-domain=example.com', '--google-group=ops@example.com'],
    ['--email-domain=example.com', '--github-repo=a/b'],
    ['--email-domain=example.com', '--gitlab-project=a/b=30'],
    ['--email-domain=example.com', '--provider=github', '--github-user=ada'],
    ['--email-domain=example.com', '--bitbucket-team=x'],
    ['--email-domain=*', '--openshift-sar={"verb":"get"}'],
  ]) {
    test(`a question: ${words.join(' ') || 'nothing said'}`, async (t) => {
      const { code, file, aside } = await migrate(t, flags(...words))
      assert.equal(code, 1)
      assert.match(file, /allow: TODO/)
      assert.match(aside, /who may come in\?/)
      assert.throws(() => configOf(file), /TODO/, 'and it does not start')
    })
  }
})

test('what weakens is told and not written', async (t) => {
  for (const name of settingNames) {
    const { fate, kind } = settings[name] as { fate: { is: string; why?: string }; kind: string }
    if (fate.is !== 'refused') continue
    const { file, aside } = await migrate(t, flags(people, `--${name}=${kind === 'switch' ? 'true' : '10.0.0.0/8'}`))
    assert.ok(aside.includes(`--${name}: ${fate.why}`), name)
    configOf(file)
    const { aside: quiet } = await migrate(t, flags(people, `--${name}=${kind === 'switch' ? 'false' : ''}`))
    assert.ok(!quiet.includes(name), `${name} that is off needs no word`)
  }
})

test('every setting is known in every spelling, and a file with it loads or asks', async (t) => {
  assert.ok(settingNames.length > 150)
  for (const name of settingNames) {
    const underscored = name.replaceAll('-', '_')
    for (const spelling of [`--${name}`, underscored, `${underscored}s`, `OAUTH2_PROXY_${underscored.toUpperCase()}`]) {
      assert.equal(settingNamed(spelling), name, spelling)
    }
    if (name === 'config' || name === 'alpha-config') continue
    const { kind } = settings[name]
    const { code, aside } = await migrate(
      t,
      flags(people, `--${name}=${kind === 'switch' ? 'true' : kind === 'secret' ? 'canary' : 'x'}`),
    )
    // A word that fits nowhere is a problem of the new file with its line, never a stack.
    assert.ok(code === 0 || code === 1, name)
    assert.doesNotMatch(aside, /no setting of oauth2-proxy/, name)
  }
})

describe('paths without sign-in', () => {
  const taken: readonly (readonly [string, ...string[]])[] = [
    ['^/health$', '/health'],
    ['^/healthz', '/healthz/*'],
    ['^/api/', '/api/*'],
    ['^/api/.*', '/api/*'],
    ['^/api/.*$', '/api/*'],
    ['^/api(/.*)?$', '/api/*', '/api'],
    ['^/(api|uploads)/', '/api/*', '/uploads/*'],
    ['^/healthz|^/ws', '/healthz/*', '/ws/*'],
    ['^/favicon\\.ico$', '/favicon.ico'],
    ['^/favicon.ico$', '/favicon.ico'],
    ['^/.well-known/.*', '/.well-known/*'],
    ['^\\/api\\/v1\\/', '/api/v1/*'],
    ['^/ok/?$', '/ok', '/ok/'],
    ['^/(?:a|b(?:c|d))$', '/a', '/bc', '/bd'],
  ]
  for (const [regex, ...paths] of taken) {
    test(regex, () => {
      const { paths: read, left } = readSkipRule(regex, true)
      assert.deepEqual([[...new Set(read.map((one) => one.path))].sort(), left], [paths.sort(), undefined])
    })
  }

  const left = [
    '/metrics',
    '.*',
    '^/',
    '^/.*',
    '^',
    '',
    '/',
    '^/api/v[0-9]+/',
    '^/static/[^/]*$',
    'OPTIONS=^/api/',
    '^/a.*c$',
    '^/x/.*\\.js$',
    '^/(a|b)+/',
    '^/v1*',
    '^/(?!admin)',
    '^/a\\d$',
    'POST!=^/x',
    '!=^/x',
    '^/a//b',
    '^/a/../b',
    '(?i)^/api/',
    '^/%2e%2e/',
    `^/${'(a|b)'.repeat(8)}$`,
    '^/(a',
    '^/a)$',
  ]
  for (const regex of left) {
    test(`left: ${regex}`, () => {
      const rule = readSkipRule(regex, true)
      assert.deepEqual(rule.paths, [])
      assert.ok(rule.left)
    })
  }

  test('a path that is read matches nothing that the expression does not, its own end aside', () => {
    const probes = [
      '/',
      '/api',
      '/api/',
      '/api/x',
      '/apix',
      '/health',
      '/healthz',
      '/healthz/x',
      '/x/health',
      '/ws',
      '/ok',
      '/ok/',
      '/okx',
      '/admin',
    ]
    for (const [regex] of taken) {
      for (const { path: route, wider } of readSkipRule(regex, true).paths) {
        const prefix = route.replace(/\/\*$/, '')
        for (const probe of probes) {
          const matched = route.endsWith('/*') ? probe === prefix || probe.startsWith(`${prefix}/`) : probe === route
          if (matched && !(wider && probe === prefix)) assert.match(probe, new RegExp(regex), `${regex} ${probe}`)
        }
      }
    }
  })

  test('one method is public, the others are not, and each upstream below is', async (t) => {
    const { file } = await migrate(t, [
      ...flags(people, '--upstream=http://127.0.0.1:4000/open/deep/', '--skip-auth-route=GET=^/one$'),
      '--skip-auth-route=POST=^/one$',
      '--skip-auth-route=^/open/',
    ])
    const { routes } = configOf(file)
    assert.deepEqual(
      routes.map(({ path: at, methods, allow, upstream }) => [
        at,
        methods?.join(),
        allow === 'public',
        upstream?.url.port,
      ]),
      [
        ['/one', 'GET,POST', true, '3000'],
        ['/one', undefined, false, '3000'],
        ['/open/deep/*', undefined, true, '4000'],
        ['/open/*', undefined, true, '3000'],
        ['/*', undefined, false, '3000'],
      ],
    )
  })
})

describe('sources', () => {
  test('flags over environment over file, lists whole, alpha above all', async (t) => {
    const files = {
      'a.cfg': 'client_id = "file"\nscope = "openid file"\nemail_domains = ["file.org"]\ncookie_expire = "2h"\n',
      'a.yaml': 'providers: [{ clientID: alpha }]\n',
    }
    const env = {
      OAUTH2_PROXY_CLIENT_ID: 'env',
      OAUTH2_PROXY_SCOPE: 'openid env',
      OAUTH2_PROXY_EMAIL_DOMAINS: 'env.org',
    }
    const words = ['--', ...usual, '--client-id=flag', '--email-domain=a.org', '--email-domain', 'b.org']
    const { file } = await migrate(t, ['--cfg', 'a.cfg', ...words], { files, env })
    const config = configOf(file)
    assert.equal(config.providers[0]!.clientId, 'flag')
    assert.deepEqual(config.providers[0]!.scopes, ['openid', 'env'])
    assert.deepEqual(config.routes[0]!.allow, { emailDomains: ['a.org', 'b.org'] })
    assert.equal(config.session.lifetime, 2 * 3_600_000)
    const alpha = await migrate(t, ['--alpha-config', 'a.yaml', ...words], { files, env })
    assert.match(alpha.file, /clientId: alpha/)
  })

  test('a comma inside a list of a file belongs to its text', async (t) => {
    const files = { 'a.cfg': 'skip_auth_routes = ["^/a,b$"]\nemail_domains = "a.org,b.org"\n' }
    const { file } = await migrate(t, ['--cfg', 'a.cfg', '--', ...usual], { files })
    const { routes } = configOf(file)
    assert.deepEqual([routes[0]!.path, routes[1]!.allow], ['/a,b', { emailDomains: ['a.org', 'b.org'] }])
    assert.equal(routes.length, 2)
  })

  test('a file that a flag names is read where it is, and missed where it is not', async (t) => {
    const here = await migrate(t, ['--', '--config=a.cfg', ...usual], { files: { 'a.cfg': 'email_domains = "b.org"' } })
    assert.match(here.file, /emailDomains: \[b\.org\]/)
    const gone = await migrate(t, ['--', '--config=/etc/nowhere.cfg', ...usual, people])
    assert.equal(gone.code, 1)
    assert.match(gone.aside, /nowhere\.cfg is not here/)
  })

  test('a compose file, its command and its environment in both shapes', async (t) => {
    const service = (environment: string) => `services:
  proxy:
    image: oauth2-proxy
    command: [--provider=oidc, --http-address, "0.0.0.0:4180", --cookie-secure=false]
    environment:
${environment}
`
    const map =
      '      OAUTH2_PROXY_CLIENT_ID: shop\n      OAUTH2_PROXY_UPSTREAMS: http://shop:80\n      OAUTH2_PROXY_CLIENT_SECRET: canary'
    const list =
      '      - OAUTH2_PROXY_CLIENT_ID=shop\n      - OAUTH2_PROXY_UPSTREAMS=http://shop:80\n      - OAUTH2_PROXY_CLIENT_SECRET=canary'
    for (const environment of [map, list]) {
      const { file } = await migrate(t, ['--args-file', 'compose.yaml'], {
        files: { 'compose.yaml': service(environment) },
      })
      assert.match(file, /clientId: shop/)
      assert.match(file, /upstream: http:\/\/shop/)
      assert.match(file, /listen: 0\.0\.0\.0:4180/)
      assert.match(file, /clientSecret: \{ env: OAUTH2_PROXY_CLIENT_SECRET \}/)
    }
  })

  test('TOML: what its files hold, and a line for the rest', () => {
    const text = `a = "x\\t\\"\\u0041\\\\" # c\nb='C:\\d'\n"c" = [ "1", # one\n '2', ]\nd = []\ne = true\nf = 1_000\n\n`
    assert.deepEqual(
      readToml(text, 'f').map(({ key, values, line }) => [key, values, line]),
      [
        ['a', ['x\t"A\\'], 1],
        ['b', ['C:\\d'], 2],
        ['c', ['1', '2'], 3],
        ['d', [], 5],
        ['e', ['true'], 6],
        ['f', ['1000'], 7],
      ],
    )
    for (const [wrong, line] of [
      ['a = 1\n[b]', 2],
      ['a = canary', 1],
      ['a = "x" y', 1],
      ['a "x"', 1],
      ['a = """x\n"""', 1],
      ['a = ["x" "y"]', 1],
      ['a = ["x"', 1],
      ['a = "x', 1],
      ['a = 1\na = 2', 2],
      ['a.b = 1', 1],
      ['a = { b = 1 }', 1],
      ['a = {{ .Values.x }}', 1],
      ['a = "\\q"', 1],
    ] as const) {
      assert.throws(
        () => readToml(wrong, 'f'),
        (error: Error) => error.message.startsWith(`f:${line}: `) && !/canary/.test(error.message),
        wrong,
      )
    }
  })

  test('durations of Go', () => {
    for (const [go, ours] of [
      ['168h0m0s', '168h'],
      ['1h30m', '1h30m'],
      ['1.5h', '1h30m'],
      ['90s', '1m30s'],
      ['500ms', '500ms'],
      ['0', '0s'],
    ] as const) {
      assert.equal(ourDuration(readGoDuration(go)!), ours)
    }
    assert.equal(readGoDuration('a week'), undefined)
  })
})

test('secrets: by reference, and none too short', async (t) => {
  const secretOf = async (words: string[], env: Record<string, string> = {}) =>
    /^ {2}secret: (.*?) +#/m.exec((await migrate(t, flags(people, ...words), { env })).file)![1]
  const long = 'canary-0123456789-0123456789-0123'
  assert.equal(await secretOf([`--cookie-secret=${long}`]), '{ file: /run/secrets/session }')
  assert.equal(await secretOf(['--cookie-secret=$(SEED)'], { SEED: long }), '{ env: SEED }')
  assert.equal(await secretOf(['--cookie-secret=$(SEED)']), '{ env: SEED }')
  assert.equal(await secretOf(['--cookie-secret=$(SEED)'], { SEED: 'canary-short' }), '{ file: /run/secrets/session }')
  assert.equal(await secretOf([], { OAUTH2_PROXY_COOKIE_SECRET: long }), '{ env: OAUTH2_PROXY_COOKIE_SECRET }')
  assert.equal(await secretOf(['--cookie-secret-file=/s']), '{ file: /s }')
  assert.equal(await secretOf([]), '{ file: /run/secrets/session }')
})

test('nothing that was written can add a line to the new file', async (t) => {
  const { file } = await migrate(
    t,
    flags(
      people,
      '--provider-display-name=x\nroutes: [{ allow: public }]',
      '--skip-auth-regex=^/a\n  - allow: public',
      '--scope=openid: # {',
    ),
  )
  const { routes, providers } = configOf(file)
  assert.deepEqual(
    routes.map(({ allow }) => allow),
    [{ emailDomains: ['example.com'] }],
  )
  assert.equal(providers[0]!.label, 'x\nroutes: [{ allow: public }]')
})

test('the tables of the manual are those of the command', () => {
  const page = new URL('../../docs/migrate-oauth2-proxy.md', import.meta.url)
  const text = readFileSync(page, 'utf8')
  const whole = text.replace(
    /(<!-- settings:[^\n]*-->\n)[\s\S]*(<!-- \/settings -->)/,
    (_, start, end) => `${start}\n${settingsPage()}\n\n${end}`,
  )
  if (process.env.DOORWARD_UPDATE_CASES === '1') writeFileSync(page, whole)
  else assert.equal(text, whole)
})
