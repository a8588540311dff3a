// `npm test`: formatting, types, generated files, then every test. Says what was skipped for want of a real part.
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'

const bin = (name: string) => `node_modules/.bin/${name}`
const patterns = process.argv.slice(2)

interface Step {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
}

const checks: readonly Step[] = [
  { name: 'format and lint', command: bin('biome'), args: ['check', '.'] },
  { name: 'types', command: bin('tsc'), args: ['--noEmit'] },
  { name: 'generated files', command: process.execPath, args: ['scripts/docs.ts', '--check'] },
]
const files = (patterns.length > 0 ? patterns : ['test/**/*.test.ts']).flatMap((pattern) => globSync(pattern)).sort()
if (files.length === 0) {
  console.error(`no test file matches ${patterns.join(' ')}`)
  process.exit(1)
}
const tests: Step = {
  name: 'tests',
  command: process.execPath,
  args: ['--test', '--test-concurrency=2', '--test-timeout=180000', '--unhandled-rejections=strict', ...files],
}

const started = Date.now()
const failed = (patterns.length > 0 ? [tests] : [...checks, tests]).filter(({ name, command, args }) => {
  console.log(`\n# ${name}`)
  return spawnSync(command, args, { stdio: 'inherit' }).status !== 0
})
console.log(
  `\n# ${Math.round((Date.now() - started) / 1000)} s; ${failed.length === 0 ? 'all green' : `failed: ${failed.map((step) => step.name).join(', ')}`}`,
)
process.exitCode = failed.length === 0 ? 0 : 1
