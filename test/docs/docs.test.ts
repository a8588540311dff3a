/** The pages say what the code does: their files load, their links lead somewhere, their names exist. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { commands } from '../../src/cli/commands.ts'
import { ConfigError } from '../../src/config/problems.ts'
import { parseConfigText } from '../../src/config/read.ts'
import { resolveConfig } from '../../src/config/resolve.ts'
import { adapters } from '../../src/http/forward-auth/front-door.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { anchorsOf, blocksOf, inlineCode, readPages, relativeLinks } from './pages.ts'

const pages = readPages()
const blocks = pages.flatMap(blocksOf)
const folder = mkdtempSync(path.join(tmpdir(), 'doorward-docs-'))
after(() => rmSync(folder, { recursive: true }))

/** Files that an example names, made for the test: a list of people, or a secret of its own each. */
function withFiles(yaml: string): string {
  return yaml.replaceAll(/\{ file: ([^\s}]+) \}/g, (_, named: string) => {
    const hash = createHash('sha256').update(named).digest('hex')
    const file = path.join(folder, hash)
    writeFileSync(file, /people|emails/.test(named) ? 'ada@example.com\n' : hash)
    return `{ file: ${file} }`
  })
}

function problemsOf(yaml: string): readonly string[] {
  try {
    resolveConfig(parseConfigText(withFiles(yaml), 'doorward.yaml', {}), { env: {}, networkInterfaces: {} })
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(({ path, message }) => `${path}: ${message}`)
  }
}

test('every config of a page is one that starts', () => {
  const configs = blocks.filter(({ language, code }) => language === 'yaml' && code.startsWith('version: 1'))
  assert.ok(configs.length >= 8, 'the pages have configs')
  const wrong = configs.flatMap(({ file, line, code }) => problemsOf(code).map((each) => `${file}:${line}: ${each}`))
  assert.deepEqual(wrong, [])
  assert.deepEqual(problemsOf(readFileSync('config.example.yaml', 'utf8')), [])
  assert.deepEqual(problemsOf('version: 1\n'), ['publicUrl: is missing', 'routes: is missing'], 'the check does check')
})

test('every other YAML and JSON can be read', () => {
  for (const { file, line, language, code } of blocks) {
    if (language === 'json') assert.doesNotThrow(() => JSON.parse(code), `${file}:${line}`)
    if (language !== 'yaml') continue
    const errors = parseAllDocuments(code).flatMap((document) => document.errors)
    assert.deepEqual(errors, [], `${file}:${line}`)
  }
})

test('every link between pages leads to a file and a heading', () => {
  const wrong = pages.flatMap((page) =>
    relativeLinks(page)
      .filter((address) => !leadsSomewhere(page.file, address))
      .map((address) => `${page.file}: ${address}`),
  )
  assert.deepEqual(wrong, [])
})

function leadsSomewhere(from: string, address: string): boolean {
  const [name = '', anchor] = address.split('#', 2)
  const file = name === '' ? from : path.join(path.dirname(from), name)
  if (!existsSync(file)) return false
  return anchor === undefined || anchorsOf(readFileSync(file, 'utf8')).has(anchor)
}

test('every page of docs/ can be reached from its index', () => {
  const reached = new Set<string>()
  const visit = (file: string) => {
    if (reached.has(file) || !file.endsWith('.md')) return
    reached.add(file)
    const page = pages.find((one) => one.file === file)
    for (const address of page === undefined ? [] : relativeLinks(page)) {
      visit(path.join(path.dirname(file), address.split('#', 1)[0]!))
    }
  }
  visit('docs/README.md')
  assert.deepEqual(
    globSync('docs/**/*.md').filter((file) => !reached.has(file)),
    [],
  )
})

const everywhere = new Set(['help', 'version', 'debug'])

/** Undefined where the command line is one that exists. */
function wrongCall(line: string): string | undefined {
  // What follows `--` is for another program.
  const words = line.split(/ -- /, 1)[0]!.split(/\s+/)
  const [name = ''] = words
  const command = commands.find((one) => one.name === name)
  if (command === undefined && !name.startsWith('--')) return `there is no command ${name}`
  const option = words
    .flatMap((word) => /^--([a-z-]+)/.exec(word)?.[1] ?? [])
    .find((word) => !everywhere.has(word) && command?.options[word] === undefined)
  return option === undefined ? undefined : `${name} has no option --${option}`
}

test('every command of a page exists, with its options', () => {
  const lines = [
    ...pages.flatMap((page) => inlineCode(page).map((code) => ({ file: page.file, code }))),
    ...blocks
      .filter(({ language }) => language === 'sh')
      .flatMap(({ file, code }) => code.split('\n').map((line) => ({ file, code: line.replace(/\s+#.*$/, '') }))),
  ]
  const calls = lines.flatMap(({ file, code }) =>
    [...code.matchAll(/(?:^|\| )(?:(?:npx )?node bin\/doorward\.js|doorward) ([a-z-][^|>]*)/g)].map((match) => ({
      file,
      line: match[1]!.trim(),
    })),
  )
  assert.ok(calls.length > 20)
  const wrong = calls.flatMap(({ file, line }) => {
    const problem = wrongCall(line)
    return problem === undefined ? [] : [`${file}: doorward ${line}: ${problem}`]
  })
  assert.deepEqual(wrong, [])
  assert.equal(wrongCall('chekc'), 'there is no command chekc')
  assert.equal(wrongCall('check --fast'), 'check has no option --fast')
})

test('every file that a page names exists, and holds the name beside it', () => {
  const wrong: string[] = []
  for (const page of pages) {
    for (const code of inlineCode(page)) {
      if (!/^(?:src|test|bench|scripts|bin|docs)\/[\w./*-]*$/.test(code)) continue
      if (globSync(code).length === 0) wrong.push(`${page.file}: ${code}`)
    }
    for (const [, name, file] of page.text.matchAll(/`(\w+)`,?\s+\(?`(src\/[\w/.-]+\.ts)`/g)) {
      if (!existsSync(file!) || !readFileSync(file!, 'utf8').includes(name!))
        wrong.push(`${page.file}: ${name} in ${file}`)
    }
  }
  assert.deepEqual(wrong, [])
})

test('the pages of gateways and the endpoints are the same', () => {
  const named = new Set<string>()
  for (const { file, text } of pages.filter(({ file }) => file.startsWith('docs/gateways/'))) {
    for (const [, name] of text.matchAll(/\/auth\/([a-z-]+)/g)) {
      named.add(name!)
      assert.ok(
        adapters.some((adapter) => adapter.name === name),
        `${file}: /auth/${name}`,
      )
    }
  }
  assert.deepEqual([...named].sort(), adapters.map(({ name }) => name).sort())
})

test('the table of metrics and the metrics are the same', async () => {
  const rendered = await createMetrics({ version: '0.0.0', processMetrics: false }).render()
  const real = [...rendered.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]!).sort()
  const page = pages.find(({ file }) => file === 'docs/operations.md')!
  const rows = [...page.text.matchAll(/^\| (`doorward_\w+`.*?) \|/gm)].flatMap((match) => match[1]!.split(', '))
  assert.deepEqual(rows.map((name) => name.replaceAll('`', '')).sort(), real)
})
