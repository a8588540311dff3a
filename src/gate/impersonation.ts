/** Owns how a person is named to a Kubernetes API that lets this gateway speak for others (user impersonation). */
import type { ImpersonateConfig } from '../config/config.ts'
import type { TemplatePart } from '../config/headers-config.ts'
import type { Identity } from '../core/identity.ts'
import type { Log } from '../core/log.ts'
import type { Unmet } from '../core/verdict.ts'
import { encodeHeaderValue, type Rendering, templateText } from './identity-headers.ts'

/** Header lines, name and value in turn: a line per group. Or why this identity cannot be spoken for. */
export type Impersonation = { readonly lines: readonly string[] } | { readonly unfit: Unmet }

/** Called once per session and route. */
export type Impersonate = (identity: Identity) => Impersonation

/**
 * Without its user the request would be the gateway's own, and a group the provider made up could be one that the
 * cluster gives power to. So both are refused and not left out.
 */
export function compileImpersonation(config: ImpersonateConfig, log: Log): Impersonate {
  const allowed = new Set(config.allowSystem)
  const isSystem = (name: string): boolean => /^system:/i.test(name) && !allowed.has(name)

  return (identity) => {
    const rendering = { identity, tokens: undefined, config: { encoding: 'utf8', groupSeparator: ',' }, log } as const
    const user = templateText(config.user, rendering)
    if (!isWhole(user)) return refuse(log, 'the user name is not known', 'an account whose user name is known')
    const groups = config.groups ? groupsOf(identity, config.groupsPrefix, log) : []
    const system = [user, ...groups].find(isSystem)
    if (system !== undefined) {
      const why = `${system} is a name of the cluster itself; set groupsPrefix, or name it in allowSystem`
      return refuse(log, why, 'no user name or group that begins with system:')
    }
    const lines = ['Impersonate-User', user, ...groups.flatMap((group) => ['Impersonate-Group', group])]
    const uid = config.uid === undefined ? '' : templateText(config.uid, rendering)
    if (isWhole(uid)) lines.push('Impersonate-Uid', uid)
    for (const { name, parts } of config.extra) {
      for (const value of valuesOf(parts, rendering)) if (isWhole(value)) lines.push(name, value)
    }
    return { lines: lines.map((text) => encodeHeaderValue(text, 'utf8')) }
  }
}

function refuse(log: Log, why: string, wanted: string): Impersonation {
  log.warn({ why }, 'an account cannot be impersonated')
  return { unfit: { requirement: 'impersonate', wanted } }
}

/** A value whose edges a server would trim reads as another name there: ` system:masters`. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the last line of defence against header injection
const isWhole = (text: string): boolean => text !== '' && text === text.trim() && !/[\x00-\x1f\x7f]/.test(text)

function groupsOf({ groups }: Identity, prefix: string, log: Log): readonly string[] {
  const whole = groups.filter(isWhole)
  if (whole.length < groups.length) {
    log.warn({ dropped: groups.length - whole.length }, 'groups with blanks around them were dropped')
  }
  return whole.map((group) => prefix + group)
}

/** A claim or the groups by themselves may have several values, which stay apart. */
function valuesOf(parts: readonly TemplatePart[], rendering: Rendering): readonly string[] {
  const [only] = parts
  const list =
    parts.length !== 1 || only === undefined
      ? undefined
      : only.kind === 'groups'
        ? rendering.identity.groups
        : only.kind === 'claim'
          ? rendering.identity.claims[only.claim]
          : undefined
  if (!Array.isArray(list)) return [templateText(parts, rendering)]
  return list.filter((value) => typeof value === 'string')
}
