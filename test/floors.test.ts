import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'

/** The house, bottom first. A room imports from itself and from the floors below it, from nothing else. */
const floors = [
  ['core'],
  ['config', 'keys', 'storage', 'telemetry', 'issuer'],
  ['session', 'oidc', 'bearer', 'policy', 'proxy', 'oauth', 'mcp'],
  ['gate'],
  ['runtime.ts'],
  ['http'],
  ['server.ts', 'dev'],
  ['cli'],
]
const floorOf = new Map(floors.flatMap((rooms, floor) => rooms.map((room) => [room, floor] as const)))
const roomOf = (file: string) => path.relative('src', file).split(path.sep)[0]!
const importsOf = (file: string) =>
  [...readFileSync(file, 'utf8').matchAll(/(?:from|import\()\s*'([^']+)'/g)].map((match) => match[1]!)

const files = globSync('src/**/*.ts')

test('imports go down only, and rooms on one floor do not know each other', () => {
  const wrong: string[] = []
  for (const file of files) {
    for (const spec of importsOf(file).filter((name) => name.startsWith('.'))) {
      const [from, to] = [roomOf(file), roomOf(path.join(path.dirname(file), spec))]
      assert.ok(floorOf.has(from) && floorOf.has(to), `${file}: ${from} or ${to} is on no floor`)
      if (from !== to && floorOf.get(to)! >= floorOf.get(from)!) wrong.push(`${file} -> ${spec}`)
    }
  }
  assert.deepEqual(wrong, [])
})

test('Fastify appears on the http floor and above alone', () => {
  const http = floorOf.get('http')!
  const wrong = files.filter(
    (file) => floorOf.get(roomOf(file))! < http && importsOf(file).some((spec) => /^@?fastify(\/|$)/.test(spec)),
  )
  assert.deepEqual(wrong, [])
})

test('core does no I/O', () => {
  const allowed = new Set(['node:crypto', 'node:net', 'node:util'])
  const wrong = files
    .filter((file) => roomOf(file) === 'core')
    .flatMap((file) => importsOf(file).filter((spec) => !spec.startsWith('.') && !allowed.has(spec)))
  assert.deepEqual(wrong, [])
})

test('no drawers, no barrels, no file past 300 lines', () => {
  const drawers = files.filter((file) => /(^|\/)(utils?|helpers?|common|misc|index)(\/|\.ts$)/.test(file))
  const long = files.filter((file) => readFileSync(file, 'utf8').split('\n').length > 300)
  assert.deepEqual({ drawers, long }, { drawers: [], long: [] })
})
