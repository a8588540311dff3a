// `npm test`: formatting, types, generated files, then every test. Says what was skipped for want of a real part.
// `npm test -- PATTERN…` runs only the test files that match.
import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'

const bin = (name: string) => `node_modules/.bin/${name}`
const patterns = process.argv.slice(2)

interface Step {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
}

/** Milliseconds after which a test that waits for ever has failed. */
const patience = 180_000
const testStep = (name: string, files: readonly string[]): readonly Step[] =>
  files.length === 0 ? [] : [{ name, command: process.execPath, args: [...testArguments, ...files] }]
const testArguments = ['--test', '--test-concurrency=2', `--test-timeout=${patience}`, '--unhandled-rejections=strict']

const files = (patterns.length > 0 ? patterns : ['test/**/*.test.ts']).flatMap((pattern) => globSync(pattern)).sort()
if (files.length === 0) {
  console.error(`no test file matches ${patterns.join(' ')}`)
  process.exit(1)
}
/** A browser, Redis or Keycloak of its own takes a while; everything else is the fast part. */
const needsRealPart = (file: string) => /support\/(?:chromium|redis|replicas|keycloak)/.test(readFileSync(file, 'utf8'))

const checks: readonly Step[] = [
  { name: 'format and lint', command: bin('biome'), args: ['check', '.'] },
  { name: 'types', command: bin('tsc'), args: ['--noEmit'] },
  { name: 'generated files', command: process.execPath, args: ['scripts/docs.ts', '--check'] },
]
const steps: readonly Step[] = [
  ...(patterns.length > 0 ? [] : checks),
  ...testStep(
    'tests, the fast part',
    files.filter((file) => !needsRealPart(file)),
  ),
  ...testStep('tests with real parts', files.filter(needsRealPart)),
]

const seconds = (since: number) => `${Math.round((Date.now() - since) / 1000)} s`
const started = Date.now()
const outcomes = steps.map(({ name, command, args }) => {
  console.log(`\n# ${name}`)
  const begun = Date.now()
  const passed = spawnSync(command, args, { stdio: 'inherit' }).status === 0
  return { passed, line: `# ${passed ? 'green' : 'FAILED'}: ${name}, ${seconds(begun)}` }
})
console.log(`\n${outcomes.map(({ line }) => line).join('\n')}\n# ${seconds(started)} in all`)
process.exitCode = outcomes.every(({ passed }) => passed) ? 0 : 1
