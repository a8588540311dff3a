import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { run } from '../../src/cli/main.ts'
import { parseConfigText } from '../../src/config/read.ts'
import { resolveConfig } from '../../src/config/resolve.ts'
import { worldOf } from './world.ts'

export interface Told {
  readonly code: number
  /** Our file. */
  readonly file: string
  readonly aside: string
}

/** `doorward migrate oauth2-proxy`, in a folder with files. Whatever is called canary in them is a secret. */
export async function migrate(
  t: TestContext,
  argv: readonly string[],
  more: { env?: Record<string, string>; files?: Record<string, string> } = {},
): Promise<Told> {
  const cwd = mkdtempSync(path.join(tmpdir(), 'migrate-'))
  t.after(() => rmSync(cwd, { recursive: true }))
  for (const [name, text] of Object.entries(more.files ?? {})) writeFileSync(path.join(cwd, name), text)
  const lines = { out: [] as string[], err: [] as string[] }
  const world = worldOf({ cwd, env: more.env ?? {}, onLine: (stream, line) => lines[stream].push(line) })
  const code = await run(['migrate', 'oauth2-proxy', ...argv], world)
  const told = { code, file: lines.out.join('\n'), aside: lines.err.join('\n') }
  assert.doesNotMatch(told.file + told.aside, /canary/i, 'a secret is never shown')
  assert.doesNotMatch(told.aside, /unexpected/)
  return told
}

/** What would run, with secrets, lists and variables made up. */
export function configOf(file: string, env: Readonly<Record<string, string>> = {}) {
  const text = file
    .replaceAll(/\{ (?:file|env): [^ ]+ \}/g, '"a5f0c1d2e3b4968778695a4b3c2d1e0f"')
    .replaceAll(/emails: "a5f0[^"]+"/g, 'emails: [ada@example.com]')
  return resolveConfig(parseConfigText(text, 'doorward.yaml', env), { env, networkInterfaces: {} }).config
}
