/** `OAUTH2_PROXY_*`: of this process, of an env file, or of a container. */
import { parse } from 'yaml'
import { type Given, give, type Source, type Unknown } from './given.ts'
import { settingNamed } from './settings.ts'

const prefix = /^OAUTH2_PROXY_/

/** @param values a value that is not known here (from a Secret) is undefined */
export function readEnvironment(values: ReadonlyMap<string, string | undefined>, file?: string): Source {
  const given: Given[] = []
  const unknown: Unknown[] = []
  const env = Object.fromEntries(values)
  for (const [variable, value] of values) {
    if (!prefix.test(variable)) continue
    const place = file === undefined ? variable : `${variable} (${file})`
    const name = settingNamed(variable)
    if (name === undefined) unknown.push({ written: variable, place })
    else given.push(give(name, [value ?? `\${${variable}}`], place, { variable, env }))
  }
  return { given, unknown }
}

/** `NAME=value` lines, as docker and compose read them. */
export function variablesIn(text: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const line of text.split('\n')) {
    const match = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*$/.exec(line)
    if (match === null) continue
    const [, name, written = ''] = match
    const quoted = /^(["'])(.*)\1(?:\s+#.*)?$/.exec(written)
    found.set(name!, quoted === null ? written.replace(/\s+#.*$/, '') : quoted[2]!)
  }
  return found
}

/** The variables of a container or a compose service, wherever they stand in a manifest. */
export function variablesOfManifest(text: string): Map<string, string | undefined> {
  const found = new Map<string, string | undefined>()
  walk(treeOf(text), found)
  return found
}

function treeOf(text: string): unknown {
  try {
    return parse(text, { maxAliasCount: 100, logLevel: 'silent' })
  } catch {
    return undefined
  }
}

function walk(node: unknown, found: Map<string, string | undefined>): void {
  if (typeof node === 'string') {
    const match = /^(OAUTH2_PROXY_\w+)=(.*)$/s.exec(node)
    if (match !== null) found.set(match[1]!, match[2]!)
  }
  if (typeof node !== 'object' || node === null) return
  if ('name' in node && typeof node.name === 'string' && prefix.test(node.name)) {
    found.set(node.name, 'value' in node && node.value !== null ? String(node.value) : undefined)
    return
  }
  for (const [key, child] of Object.entries(node)) {
    if (!prefix.test(key) || typeof child === 'object') walk(child, found)
    else found.set(key, String(child))
  }
}
