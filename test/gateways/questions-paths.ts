/** Paths that two programs could read differently, byte for byte: what counts is what the application was sent. */
import assert from 'node:assert/strict'
import { readingsOf, staysPublic } from '../attacks/readings.ts'
import { corpus } from '../support/corpus.ts'
import type { GatewayUnderTest, RawQuestion } from './gateway-under-test.ts'
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

const pathOf = (url: string) => url.replace(/^https?:\/\/[^/]*/i, '')

/** What reached the application for some targets at once, and the targets for words. */
async function* inBatches(gateway: GatewayUnderTest, question: Omit<RawQuestion, 'target'>) {
  for (let from = 0; from < targets.length; from += 8) {
    const batch = targets.slice(from, from + 8)
    const { reached } = await gateway.during(() =>
      Promise.all(batch.map((target) => gateway.tryToAsk({ ...question, target }))),
    )
    yield { batch: JSON.stringify(batch), paths: reached.map(({ url }) => pathOf(url)) }
  }
}

async function nothingProtectedWithoutSignIn(gateway: GatewayUnderTest): Promise<void> {
  let passed = 0
  for await (const { batch, paths } of inBatches(gateway, { headers: navigation })) {
    for (const path of paths) assert.ok(staysPublic(path), `${path} of ${batch}`)
    passed += paths.length
  }
  assert.ok(passed > 0, 'what is public does pass')
}

/** An encoded `?` or `#` belongs to a name (`/C%23/`), and the rules read it so. */
const leadsToAdmin = (url: string) =>
  readingsOf(url.replaceAll(/%(?:25)*(?:23|3f)/gi, '-')).some((path) => /^\/admin(?:[/?#]|$)/i.test(path))

async function judgedIsWhatArrives(gateway: GatewayUnderTest): Promise<void> {
  await gateway.cookieOf('bob')
  for await (const { batch, paths } of inBatches(gateway, { as: 'bob' })) {
    for (const path of paths) assert.ok(!leadsToAdmin(path), `${path} of ${batch}`)
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
