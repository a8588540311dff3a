import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cookiesWithPrefix, duplicated, readCookie, withoutCookies } from '../../src/session/cookie-header.ts'
import { createOwnCookieTest } from '../../src/session/cookie-name.ts'
import { createDroppedCookieTest } from '../../src/session/dropped-cookies.ts'

const name = '__Host-Http-dw-0123abcd'
const isOwn = createOwnCookieTest([
  { session: name, second: `${name}-2`, loginPrefix: `${name}-login-`, marker: `${name}-marker` },
])

test('the cookie with exactly our name is read, wherever it stands', () => {
  const cases: readonly (readonly [string, string | undefined | typeof duplicated])[] = [
    [`${name}=v`, 'v'],
    [`a=1; ${name}=v; b=2`, 'v'],
    [`a=1;${name}=v`, 'v'],
    [`a=1, ${name}=v`, 'v'],
    [`a=1;\t ${name}=v  ; b`, 'v'],
    [`$Version=1; $Path=/; ${name}=v`, 'v'],
    [`${name}=a=b`, 'a=b'],
    [`${name}=`, ''],
    [`${name}="v"`, '"v"'],
    ['', undefined],
    [name, undefined],
    [`${name} =v`, undefined],
    [`${name}-2=v`, undefined],
    [`x${name}=v`, undefined],
    [`a=${name}=v`, undefined],
    [`a=1 ${name}=v`, undefined],
    [`${name.toLowerCase()}=v`, undefined],
    [`${name.toLowerCase()}=w; ${name}=v`, 'v'],
    [`${name}-2=w; ${name}=v; ${name}-marker=m`, 'v'],
    [`${name}=v; ${name}=v`, duplicated],
    [`${name}=v, ${name}=w`, duplicated],
    [`${name}=; a=1; ${name}=w`, duplicated],
  ]
  for (const [header, value] of cases) assert.equal(readCookie(header, name), value, header)
})

test('cookies by prefix: all of them, in order, up to a limit', () => {
  const header = `l-a=1; x=l-b=2; l-c; l-d=4, l-e=5;l-a=6; xl-f=7`
  assert.deepEqual(cookiesWithPrefix(header, 'l-', 9), [
    { name: 'l-a', value: '1' },
    { name: 'l-d', value: '4' },
    { name: 'l-e', value: '5' },
    { name: 'l-a', value: '6' },
  ])
  assert.equal(cookiesWithPrefix(header, 'l-', 2).length, 2)
  assert.deepEqual(cookiesWithPrefix('', 'l-', 9), [])
})

test('an upstream gets every cookie but ours, byte for byte', () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['a=1; b="x y"; c=%zz', 'a=1; b="x y"; c=%zz'],
    [`${name}=v`, undefined],
    [` ${name}=v; `, undefined],
    [`${name}=v; a=1`, 'a=1'],
    [`a=1; ${name}=v`, 'a=1'],
    [`a=1; ${name}=v; b=2`, 'a=1; b=2'],
    [`a=1, ${name}=v`, 'a=1'],
    [`a=1,2,3; ${name}=v; b=4,5`, 'a=1,2,3; b=4,5'],
    [`${name}=v; ${name}-2=w; ${name}-login-x=y; ${name}-marker=m; ${name}=z; a=1`, 'a=1'],
    [`${name.toUpperCase()}=v; a=1`, 'a=1'],
    [`${name}; a=1`, 'a=1'],
    [`a="1; ${name}=v"`, 'a="1'],
    [`${name}-theme=dark; x${name}=1`, `${name}-theme=dark; x${name}=1`],
    ['', ''],
  ]
  for (const [header, left] of cases) assert.equal(withoutCookies(header, isOwn), left, header)
})

test('an upstream gets none of the cookies its route drops, in whatever spelling, and all that look alike', () => {
  const isDropped = createDroppedCookieTest(['headlamp-auth-*', 'Theme', 'a%2Db'], isOwn)
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['headlamp-auth-main=t', undefined],
    ['headlamp-auth-=t; headlamp-auth-main.0=t; headlamp-auth-main.1=t', undefined],
    [`a=1; headlamp-auth-main=t; ${name}=v; b=2`, 'a=1; b=2'],
    ['headlamp-auth-main=s; a=1; headlamp-auth-main=t', 'a=1'],
    ['a=1, headlamp-auth-main=t', 'a=1'],
    ['headlamp-auth-main="t"; a=1', 'a=1'],
    ['headlamp-auth-main="t; a=1"', 'a=1"'],
    ['a="1; headlamp-auth-main=t"; b=2', 'a="1; b=2'],
    ['Headlamp-Auth-Main=t; HEADLAMP-AUTH-MAIN=t; a=1', 'a=1'],
    ['headlamp%2Dauth%2dmain=t; %68eadlamp-auth-x=t; a=1', 'a=1'],
    ['\theadlamp-auth-main =t;  headlamp-auth-main', undefined],
    ['theme=dark; THEME=dark; a-b=1; a%2db=1', undefined],
    [
      'headlamp-auth=1; xheadlamp-auth-main=1; theme2=1; my-theme=1',
      'headlamp-auth=1; xheadlamp-auth-main=1; theme2=1; my-theme=1',
    ],
    ['a=headlamp-auth-main=t; b=theme', 'a=headlamp-auth-main=t; b=theme'],
    ['headlamp%252Dauth-main=1; %=1; %zz=1', 'headlamp%252Dauth-main=1; %=1; %zz=1'],
    ['__proto__=1; constructor=1', '__proto__=1; constructor=1'],
    // White space of Latin-1 and of UTF-8, a quoted name, one that ends at a NUL: each is the name to some reader.
    ['\x85theme=1; \xa0theme\x85=1; \xc2\x85theme=1; \xe2\x80\x83theme=1; a=1', 'a=1'],
    ['"theme"=1; "theme=1; theme%00x=1; +theme=1; %20theme%09=1; a=1', 'a=1'],
    ['a=1 theme=2; b=2', 'b=2'],
    ['a="1"\ttheme = 2; b=2', 'b=2'],
    ['a=1 headlamp-auth-main=2', undefined],
    ['a= theme=2; b=2', 'b=2'],
    ['a=my theme; b=theme=x; c=x y=z', 'a=my theme; b=theme=x; c=x y=z'],
  ]
  for (const [header, left] of cases) assert.equal(withoutCookies(header, isDropped), left, header)
  assert.equal(withoutCookies(`a=1; ${name}=v`, createDroppedCookieTest(['*'], isOwn)), undefined)
  assert.equal(createDroppedCookieTest([], isOwn), isOwn)
  // PHP has underscores where these stand.
  const asPhp = createDroppedCookieTest(['app_sess'], isOwn)
  assert.equal(withoutCookies('app.sess=1; app[sess=1; app%20sess=1; app+sess=1; appsess=1', asPhp), 'appsess=1')
})

test('a header full of near misses costs linear work', () => {
  const header = `${`${name}x`.repeat(20_000)}; ${' '.repeat(20_000)}`
  const started = performance.now()
  assert.equal(readCookie(header, name), undefined)
  assert.deepEqual(cookiesWithPrefix(header, `${name}-login-`, 5), [])
  assert.equal(withoutCookies(header, isOwn), header)
  const isDropped = createDroppedCookieTest(['theme', 'headlamp-auth-*'], isOwn)
  for (const part of [' ', '=', ' =', 'a =', '"', '%', '+', '\x85', 'x theme', ';', '; =']) {
    const long = `a${part.repeat(30_000)}x`
    assert.equal(withoutCookies(long, isDropped), long.includes('theme=') ? undefined : long)
  }
  assert.ok(performance.now() - started < 250)
})
