/**
 * Script tests: commands with the output and exit code they must have, and the files they work on (see cases/).
 *
 *     $ NAME=value doorward check --config a.yaml
 *     out| a line of standard output; [...] stands for anything within a line
 *     err| a line of standard error
 *     exit 1
 *     -- a.yaml --
 *     the file
 *
 * DOORWARD_UPDATE_CASES=1 writes what the commands say now. Read it aloud before you commit it.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { run } from '../../src/cli/main.ts'
import { worldOf } from './world.ts'

export interface Step {
  readonly command: string
  readonly expected: readonly string[]
}

interface Script {
  /** Comments and blank lines in front of each command stay with it. */
  readonly steps: readonly { readonly before: string[]; readonly command: string; readonly expected: string[] }[]
  readonly files: ReadonlyMap<string, string>
  readonly fileText: string
}

export function readScript(text: string): Script {
  const start = text.search(/^-- .+ --$/m)
  const fileText = start === -1 ? '' : text.slice(start)
  const parts = fileText.split(/^-- (.+) --\n/m).slice(1)
  const files = new Map(parts.flatMap((name, index) => (index % 2 === 0 ? [[name, parts[index + 1]!] as const] : [])))
  const steps: { before: string[]; command: string; expected: string[] }[] = []
  let before: string[] = []
  for (const line of (start === -1 ? text : text.slice(0, start)).trimEnd().split('\n')) {
    if (line.startsWith('$ ')) {
      steps.push({ before, command: line.slice(2), expected: [] })
      before = []
    } else if (/^(?:out|err)\||^exit /.test(line)) steps.at(-1)!.expected.push(line)
    else before.push(line)
  }
  return { steps, files, fileText }
}

/** Runs every step in one new folder; gives the script as it would have to be written. */
export async function play(
  script: Script,
): Promise<{ readonly told: readonly string[][]; readonly everything: string }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'doorward-cli-'))
  try {
    for (const [name, text] of script.files) {
      mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
      writeFileSync(path.join(folder, name), text)
    }
    const told: string[][] = []
    for (const { command } of script.steps) told.push(await tell(command, folder))
    return { told, everything: told.flat().join('\n') }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function tell(command: string, folder: string): Promise<string[]> {
  const words = command.match(/(?:[^\s']+|'[^']*')+/g)!.map((word) => word.replaceAll("'", ''))
  const at = words.indexOf('doorward')
  const env = Object.fromEntries(words.slice(0, at).map((pair) => pair.split('=', 2)))
  const lines: string[] = []
  const world = worldOf({ cwd: folder, env, onLine: (stream, line) => lines.push(`${stream}| ${line}`.trimEnd()) })
  const code = await run(words.slice(at + 1), world)
  return [...lines.map((line) => line.replaceAll(folder, '$FOLDER')), `exit ${code}`]
}

/** True where each line is as expected. */
export const fits = (told: readonly string[], expected: readonly string[]): boolean =>
  told.length === expected.length && told.every((line, index) => patternOf(expected[index]!).test(line))

const patternOf = (line: string): RegExp =>
  new RegExp(
    `^${line
      .split('[...]')
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
  )

/** Keeps lines with [...] that still fit. */
export function update(file: string, script: Script, told: readonly string[][]): void {
  const steps = script.steps.map(({ before, command, expected }, index) => {
    const lines = told[index]!.map((line, at) => {
      const old = expected[at]
      return old?.includes('[...]') && patternOf(old).test(line) ? old : line
    })
    return [...before, `$ ${command}`, ...lines].join('\n')
  })
  writeFileSync(file, `${steps.join('\n')}\n${script.fileText === '' ? '' : `\n${script.fileText}`}`)
}

export const readCase = (file: string): Script => readScript(readFileSync(file, 'utf8'))
