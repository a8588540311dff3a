// `npm test`: formatting, types, generated files, then every test. Says what was skipped for want of a real part.
// `npm test -- PATTERN…` runs only the test files that match.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import path from 'node:path'
import { findTestFiles, splitIntoLanes } from './test-files.ts'
import type { Tally } from './test-tally.ts'

/** Milliseconds after which a test that waits for ever has failed. */
const patience = 180_000
/** Milliseconds between two looks at how far a lane is. */
const lookEvery = 1000

const patterns = process.argv.slice(2)
const scratch = mkdtempSync(path.join(tmpdir(), 'doorward-test-'))
const environment = {
  ...process.env,
  // A real server that one test file started is there for all others, until this process ends.
  DOORWARD_TEST_RUN: String(process.pid),
  NODE_COMPILE_CACHE: path.resolve('.cache/compiled'),
}

interface Outcome {
  readonly passed: boolean
  /** Missing where no tests ran, or a process ended before it could tell. */
  readonly tally?: Tally | undefined
  readonly complaint?: string
}

interface Step {
  readonly name: string
  run(): Promise<Outcome>
}

/** Processes that end with this one, whatever ends it. */
const children = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of children) child.kill('SIGTERM')
  rmSync(scratch, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))

const step = (name: string, command: string, args: readonly string[]): Step => ({
  name,
  run: async () => ({ passed: spawnSync(command, args, { stdio: 'inherit', env: environment }).status === 0 }),
})

const testArguments = (tally: string): readonly string[] => [
  `--test-timeout=${patience}`,
  '--unhandled-rejections=strict',
  ...['--test-reporter=spec', '--test-reporter-destination=stdout'],
  ...['--test-reporter=./scripts/test-tally.ts', `--test-reporter-destination=${tally}`],
]

/** Every file in a process of its own, two at a time. */
const separately = (name: string, files: readonly string[]): readonly Step[] =>
  files.length === 0 ? [] : [{ name, run: () => runSeparately(name, files) }]

async function runSeparately(name: string, files: readonly string[]): Promise<Outcome> {
  const tally = path.join(scratch, `${name}.json`)
  const args = ['--test', '--test-concurrency=2', ...testArguments(tally), ...files]
  const child = spawn(process.execPath, args, { stdio: 'inherit', env: environment })
  return outcomeOf(await exitCode(child), tally)
}

/** Two processes for each processor, since tests wait too, and four at most. The first one's output is seen at once, the others' after it. */
const inLanes = (name: string, files: readonly string[]): readonly Step[] =>
  files.length === 0 ? [] : [{ name, run: () => runLanes(files) }]

async function runLanes(files: readonly string[]): Promise<Outcome> {
  const lanes = splitIntoLanes(files, Math.min(4, 2 * availableParallelism()))
  const running = lanes.map((lane, index) => runLane(lane, index))
  const outcomes: Outcome[] = []
  for (const { show, outcome } of running) {
    show()
    outcomes.push(await outcome)
  }
  const complaints = outcomes.flatMap(({ complaint }) => complaint ?? [])
  return {
    passed: outcomes.every(({ passed }) => passed),
    tally: sum(outcomes.flatMap(({ tally }) => tally ?? [])),
    ...(complaints.length > 0 && { complaint: complaints.join('; ') }),
  }
}

function runLane(files: readonly string[], index: number) {
  const [tally, progress] = ['tally', 'progress'].map((name) => path.join(scratch, `lane-${index}.${name}`)) as [
    string,
    string,
  ]
  // Handles a file forgot to close end with the lane: they are its own affair, and hold up nobody.
  const args = ['--test-force-exit', ...testArguments(tally), 'scripts/test-lane.ts', progress, ...files]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env: environment })
  const held: Buffer[] = []
  let write = (chunk: Buffer): unknown => held.push(chunk)
  child.stdout.on('data', (chunk: Buffer) => write(chunk))
  child.stderr.on('data', (chunk: Buffer) => write(chunk))
  const stuck = endWhenStuck(child, progress)
  return {
    show() {
      write = (chunk) => process.stdout.write(chunk)
      for (const chunk of held.splice(0)) write(chunk)
    },
    outcome: exitCode(child).then((code): Outcome => {
      const file = stuck.stop()
      const outcome = outcomeOf(code, tally)
      return file === undefined ? outcome : { ...outcome, complaint: `${file} hangs and was ended with its lane` }
    }),
  }
}

/** The runner ends what waits for ever; a file that never gives the processor back has to be ended from outside. */
function endWhenStuck(child: ChildProcess, progress: string) {
  let stuckIn: string | undefined
  const started = Date.now()
  const timer = setInterval(() => {
    const since = statSync(progress, { throwIfNoEntry: false })?.mtimeMs ?? started
    if (Date.now() - since < patience + 20_000) return
    stuckIn = statSync(progress, { throwIfNoEntry: false }) ? readFileSync(progress, 'utf8') : 'the first file'
    child.kill('SIGKILL')
  }, lookEvery)
  return {
    /** The file that was stuck, if one was. */
    stop(): string | undefined {
      clearInterval(timer)
      return stuckIn
    },
  }
}

function exitCode(child: ChildProcess): Promise<number> {
  children.add(child)
  return new Promise((resolve) => {
    child.once('close', (code) => {
      children.delete(child)
      resolve(code ?? 1)
    })
  })
}

function outcomeOf(code: number, tallyFile: string): Outcome {
  const tally = readTally(tallyFile)
  if (tally === undefined)
    return { passed: false, complaint: `a process of tests ended with code ${code} before they did` }
  if (tally.failed.length > 0) return { passed: false, tally }
  if (code !== 0)
    return {
      passed: false,
      tally,
      complaint: `something that no test waited for, with code ${code}: see the notes above`,
    }
  return { passed: true, tally }
}

function readTally(file: string): Tally | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

const sum = (tallies: readonly Tally[]): Tally => ({
  passed: tallies.reduce((total, { passed }) => total + passed, 0),
  failed: tallies.flatMap(({ failed }) => failed),
  skipped: tallies.flatMap(({ skipped }) => skipped),
})

function stepsFor(patterns: readonly string[]): readonly Step[] {
  const files = findTestFiles(patterns.length > 0 ? patterns : ['test/**/*.test.ts'])
  const checks = [
    step('format and lint', 'node_modules/.bin/biome', ['check', '.']),
    step('types', 'node_modules/.bin/tsc', ['--noEmit']),
    step('generated files', process.execPath, ['scripts/docs.ts', '--check']),
  ]
  const tests = [
    ...inLanes('tests, the fast part', files.shared),
    ...separately('tests in processes of their own', files.alone),
    ...separately('tests with real parts', files.real),
  ]
  return patterns.length > 0 || tests.length === 0 ? tests : [...checks, ...tests]
}

const steps = stepsFor(patterns)
if (steps.length === 0) {
  console.error(`no test file matches ${patterns.join(' ')}`)
  process.exit(1)
}
const seconds = (since: number) => `${Math.round((Date.now() - since) / 1000)} s`
const started = Date.now()
const outcomes: (Outcome & { line: string })[] = []
for (const { name, run } of steps) {
  console.log(`\n# ${name}`)
  const begun = Date.now()
  const outcome = await run()
  outcomes.push({ ...outcome, line: `# ${outcome.passed ? 'green' : 'FAILED'}: ${name}, ${seconds(begun)}` })
}

const { passed, failed, skipped } = sum(outcomes.flatMap(({ tally }) => tally ?? []))
const failures = [
  ...failed.map(({ name, file, line }) => `${path.relative('', file)}:${line} ${name}`),
  ...outcomes.flatMap(({ complaint }) => complaint ?? []),
]
console.log()
for (const failure of failures) console.log(`# failed: ${failure}`)
for (const [reason, tests] of Object.entries(Object.groupBy(skipped, (reason) => reason)))
  console.log(`# skipped: ${tests?.length} (${reason})`)
console.log(`${outcomes.map(({ line }) => line).join('\n')}\n# ${seconds(started)} in all`)
console.log(`${passed} passed, ${failures.length} failed, ${skipped.length} skipped`)
process.exitCode = outcomes.every((outcome) => outcome.passed) ? 0 : 1
