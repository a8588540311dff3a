/** `--args-file`: whatever starts oauth2-proxy, from a line of flags to the values of its Helm chart. */
import type { Environment } from '../../config/interpolate.ts'
import { CommandError } from '../world.ts'
import { containersIn } from './containers.ts'
import type { Source } from './given.ts'
import { chartsIn, readChart } from './helm-values.ts'
import { type Alpha, readAlpha } from './read-alpha.ts'
import { readEnvironment, variablesOfManifest } from './read-environment.ts'
import { readFlags } from './read-flags.ts'
import { readScript } from './read-script.ts'
import { settingNamed } from './settings.ts'
import { tomlSettings } from './toml-settings.ts'
import { at, below, documentsIn, isMap, strings, textAt } from './tree.ts'

/** By the order in which oauth2-proxy reads them, the weakest first. */
export interface Manifest {
  readonly files: readonly Source[]
  readonly variables: readonly Source[]
  readonly flags: readonly Source[]
  readonly alpha: Alpha | undefined
}

/** @throws CommandError where nothing in it starts oauth2-proxy, or more than one thing does */
export function readManifest(text: string, file: string, env: Environment): Manifest {
  const documents = documentsIn(text)
  if (documents === undefined && /\{\{.*\}\}/.test(text)) {
    throw new CommandError(`${file}: is a template, and no YAML yet`, 'render it first: helm template RELEASE CHART')
  }
  const found = documents === undefined ? scriptIn(text, file, env) : manifestIn(documents.map(plainDollars), file, env)
  const all = [...found.files, ...found.variables, ...found.flags]
  if (found.alpha === undefined && all.every(({ given, unknown }) => given.length + unknown.length === 0)) {
    throw new CommandError(
      `${file}: starts no oauth2-proxy that can be seen`,
      'name its manifest, compose file, Helm values or script; a TOML file is for --cfg, an alpha one for --alpha-config',
    )
  }
  return found
}

function scriptIn(text: string, file: string, env: Environment): Manifest {
  const { flags, variables } = readScript(text)
  return {
    files: [],
    variables: [readEnvironment(variables, file)],
    flags: [readFlags(flags, env, file)],
    alpha: undefined,
  }
}

function manifestIn(documents: readonly unknown[], file: string, env: Environment): Manifest {
  const list = documents.length === 1 && Array.isArray(documents[0]) ? strings(documents[0]) : []
  if (list.some((word) => word.startsWith('-')))
    return scriptIn(list.map((word) => JSON.stringify(word)).join(' \\\n'), file, env)
  const { own, others } = containersIn(documents)
  const charts = documents.flatMap(chartsIn)
  const places = [...own.map(({ place }) => place), ...charts.map(() => 'values of its chart')]
  if (places.length > 1) {
    throw new CommandError(
      `${file}: starts it ${places.length} times: ${places.join(', ')}`,
      'give each a file of its own, and migrate one after the other',
    )
  }
  const chart = charts[0] === undefined ? undefined : readChart(charts[0], file, env)
  const elsewhere = variablesOfManifest(documents, new Set([...others, ...own.map(({ node }) => node)]))
  const maps = documents.filter((tree) => at(tree, 'kind') === 'ConfigMap').flatMap((tree) => filesOf(tree, file, env))
  const alphas = [chart?.alpha, ...maps.map(({ alpha }) => alpha)].filter((one) => one !== undefined)
  if (alphas.length > 1) {
    throw new CommandError(
      `${file}: holds ${alphas.length} alpha configurations, and one oauth2-proxy reads one`,
      'leave the one it is started with, and remove the others',
    )
  }
  return {
    files: [...maps.flatMap(({ toml }) => toml ?? []), ...(chart?.file === undefined ? [] : [chart.file])],
    variables: [
      ...(chart === undefined ? [] : [chart.variables]),
      readEnvironment(elsewhere, file),
      ...own.map(({ variables }) => readEnvironment(variables, file)),
    ],
    flags: [...(chart === undefined ? [] : [chart.flags]), ...own.map(({ flags }) => readFlags(flags, env, file))],
    alpha: alphas[0],
  }
}

interface MapFile {
  readonly toml?: Source
  readonly alpha?: Alpha
}

/** Config files that a ConfigMap holds, by what is in them: their names are anybody's choice. */
function filesOf(tree: unknown, file: string, env: Environment): MapFile[] {
  const data = at(tree, 'data')
  return Object.keys(isMap(data) ? data : {}).flatMap((key): MapFile[] => {
    const text = textAt(data, key) ?? ''
    const place = `${key} of ${file}`
    if (isOurToml(key, text)) return [{ toml: tomlSettings(text, place, env) }]
    const isAlpha = /^(?:providers|upstreamConfig|injectRequestHeaders):/m.test(text)
    return isAlpha ? [{ alpha: readAlpha(text, place, env) }] : []
  })
}

/** Files of other programs have a `version` or a `scope` of their own. */
function isOurToml(name: string, text: string): boolean {
  const keys = [...text.matchAll(/^(\w+)\s*=/gm)].map(([, key]) => key!)
  const known = keys.filter((key) => settingNamed(key) !== undefined).length
  return known > 0 && (/oauth2?[-_]?proxy/.test(name) || (known > 1 && known * 2 > keys.length))
}

/** compose writes `$$` for a dollar, and may say what a variable is where nobody sets it. */
function plainDollars(tree: unknown): unknown {
  if (below(tree, 'services') === undefined) return tree
  return inTexts(tree, (text) => text.replaceAll('$$', '$').replaceAll(/\$\{(\w+):?\?[^}]*\}/g, '$${$1}'))
}

function inTexts(node: unknown, change: (text: string) => string): unknown {
  if (typeof node === 'string') return change(node)
  if (Array.isArray(node)) return node.map((item) => inTexts(item, change))
  if (!isMap(node)) return node
  return Object.fromEntries(Object.entries(node).map(([key, child]) => [key, inTexts(child, change)]))
}
