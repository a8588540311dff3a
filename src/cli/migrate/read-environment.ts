/** `OAUTH2_PROXY_*`: of this process, of an env file, or of a container. */
import { type Given, give, type Source, type Unknown } from './given.ts'
import { nameAlone, settingNamed } from './settings.ts'
import { isMap, strings, textAt } from './tree.ts'

const prefix = /^OAUTH2_PROXY_/

/** @param values a value that is not known here (from a Secret) is undefined */
export function readEnvironment(values: ReadonlyMap<string, string | undefined>, file?: string): Source {
  const given: Given[] = []
  const unknown: Unknown[] = []
  const env = Object.fromEntries(values)
  for (const [variable, value] of values) {
    if (!prefix.test(variable)) continue
    const shown = nameAlone(variable)
    const place = file === undefined ? shown : `${shown} (${file})`
    const name = settingNamed(variable)
    if (name === undefined) unknown.push({ written: shown, place })
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

/**
 * The variables of a container or a compose service, of a ConfigMap or a Secret that it takes all of, wherever they stand.
 *
 * @param others nodes of somebody else's
 */
export function variablesOfManifest(
  documents: readonly unknown[],
  others: ReadonlySet<object> = new Set(),
): Map<string, string | undefined> {
  const found = new Map<string, string | undefined>()
  for (const tree of documents) walk(tree, found, others)
  return found
}

function walk(node: unknown, found: Map<string, string | undefined>, others: ReadonlySet<object>): void {
  if (typeof node === 'string') {
    const match = /^(OAUTH2_PROXY_\w+)(?:=(.*))?$/s.exec(node)
    if (match !== null) found.set(match[1]!, match[2])
  }
  if (typeof node !== 'object' || node === null || others.has(node)) return
  const name = textAt(node, 'name')
  if (name !== undefined && prefix.test(name)) {
    found.set(name, textAt(node, 'value'))
    return
  }
  const isSecret = textAt(node, 'kind') === 'Secret'
  for (const [key, child] of Object.entries(node)) {
    if (isSecret && key === 'data') walk(decoded(child), found, others)
    else if (!prefix.test(key) || (typeof child === 'object' && child !== null)) walk(child, found, others)
    else found.set(key, strings(child)[0])
  }
}

const decoded = (data: unknown): unknown =>
  isMap(data)
    ? Object.fromEntries(
        Object.keys(data).map((key) => [key, Buffer.from(textAt(data, key) ?? '', 'base64').toString()]),
      )
    : undefined
