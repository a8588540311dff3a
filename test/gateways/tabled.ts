/** Gateways that are asked all questions, and the table of docs/gateways/README.md that says so. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { requirePart } from '../support/real-part.ts'
import { versionOf } from './gateway-process.ts'
import type { GatewayProduct } from './gateway-product.ts'
import { startGatewayUnderTest } from './gateway-under-test.ts'
import type { Question } from './question.ts'
import { failureQuestions } from './questions-failure.ts'
import { identityQuestions } from './questions-identity.ts'
import { pathQuestions } from './questions-paths.ts'
import { signInQuestions } from './questions-sign-in.ts'
import { streamQuestions } from './questions-streams.ts'
import { type Section, sectionOf, tableOf, versionLine, withSection } from './table.ts'

const questions: readonly Question[] = [
  ...signInQuestions,
  ...identityQuestions,
  ...pathQuestions,
  ...streamQuestions,
  ...failureQuestions,
]

const page = new URL('../../docs/gateways/README.md', import.meta.url)

/** Defines the tests. DOORWARD_UPDATE_GATEWAYS=1 writes the table where every answer was as it says. */
export function askInTable(section: Section, gateways: readonly GatewayProduct[]): void {
  const table = tableOf(questions, gateways)
  const versions = new Map<string, string>()
  /** Questions that came out as the table says, over all gateways. */
  let held = 0
  after(() => {
    console.log(`\n${versionLine(versions)}\n${table}`)
  })

  for (const product of gateways) {
    test(product.name, async (t) => {
      const command = requirePart(t, product.part)
      if (command === undefined) return
      versions.set(product.name, versionOf(command, product))
      const gateway = await startGatewayUnderTest(t, product, command)
      for (const { name, answer } of questions) {
        const remark = product.remarks[name]
        const skip = remark !== undefined && 'cannot' in remark ? remark.cannot : false
        await t.test(name, { skip, timeout: 30_000 }, async (t) => {
          await answer(gateway, t)
          held++
        })
      }
    })
  }

  test('the table of the page is what was asked', () => {
    const text = readFileSync(page, 'utf8')
    if (process.env.DOORWARD_UPDATE_GATEWAYS !== undefined) {
      const cannot = gateways.flatMap(({ remarks }) => Object.values(remarks)).filter((remark) => 'cannot' in remark)
      assert.equal(held, gateways.length * questions.length - cannot.length, 'a table is written where all of it holds')
      writeFileSync(page, withSection(text, section, versionLine(versions), table))
    }
    const shown = sectionOf(readFileSync(page, 'utf8'), section)
    assert.equal(shown.table, table, 'run this test with DOORWARD_UPDATE_GATEWAYS=1')
    for (const { name } of gateways) assert.ok(shown.versions.includes(`${name} `), `no version of ${name}`)
  })

  test('a remark names a question', () => {
    const names = new Set(questions.map(({ name }) => name))
    for (const product of gateways) {
      for (const name of Object.keys(product.remarks)) assert.ok(names.has(name), `${product.name}: ${name}`)
    }
  })
}
