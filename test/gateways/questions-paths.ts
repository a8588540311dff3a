/** Paths that two programs could read differently, byte for byte: what counts is what the application was sent. */
import assert from 'node:assert/strict'
import { readingsOf, staysPublic } from '../attacks/readings.ts'
import { corpus } from '../support/corpus.ts'
import type { GatewayUnderTest } from './gateway-under-test.ts'
import { navigation, type Question } from './question.ts'

const marks = [
  '%2f',
  '%2F',
  '%5c',
  '\\',
  '//',
  ';',
  ';x=1',
  '?',
  '#',
  '%3f',
  '%23',
  '%3b',
  '%00',
  '%zz',
  '%',
  '/./',
  '/../',
]
const ours = marks.flatMap((mark) => [
  `/public${mark}admin`,
  `/public/x${mark}../admin`,
  `/public/..${mark}admin`,
  `${mark.startsWith('/') ? '' : '/'}${mark}admin/x`,
  `/admin${mark}x`,
  `/_doorward/${mark}../admin/x`,
  `/_doorward/..${mark}admin/x`,
])
const targets = [
  ...new Set([...corpus.pathBypass, ...ours, '/ADMIN/x', '/Admin', '/%61dmin/x', '/_doorward/../admin/x']),
]

async function nothingProtectedWithoutSignIn(gateway: GatewayUnderTest): Promise<void> {
  for (const target of targets) {
    const { reached } = await gateway.during(async () => {
      await gateway.tryToAsk({ target })
      await gateway.tryToAsk({ target, headers: navigation })
    })
    for (const { url } of reached) assert.ok(staysPublic(url), `${JSON.stringify(target)} reached ${url}`)
  }
}

/** An encoded `?` or `#` belongs to a name (`/C%23/`), and the rules read it so. */
const leadsToAdmin = (url: string) =>
  readingsOf(url.replaceAll(/%(?:25)*(?:23|3f)/gi, '-')).some((path) => /^\/admin(?:[/?#]|$)/i.test(path))

async function judgedIsWhatArrives(gateway: GatewayUnderTest): Promise<void> {
  for (const target of targets) {
    const { reached } = await gateway.during(() => gateway.tryToAsk({ target, as: 'bob' }))
    for (const { url } of reached) assert.ok(!leadsToAdmin(url), `${JSON.stringify(target)} reached ${url}`)
  }
  for (const target of ['/x/a%20b?c=%2Fd&e', '/x/%C3%A9', "/x/a+b(c)!$&'*=~@,"]) {
    const { result, reached } = await gateway.during(() => gateway.ask({ target, as: 'bob' }))
    assert.equal(result.status, 200, target)
    assert.deepEqual(
      reached.map(({ url }) => decodeURIComponent(url)),
      [decodeURIComponent(target)],
    )
  }
}

export const pathQuestions: readonly Question[] = [
  { name: 'No odd path reaches what is protected without a sign-in', answer: nothingProtectedWithoutSignIn },
  { name: 'What was judged is the path that the application gets', answer: judgedIsWhatArrives },
]
