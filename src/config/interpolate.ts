import { quoted, Refused } from './refused.ts'

/** The environment, as an argument. */
export type Environment = Readonly<Record<string, string | undefined>>

export interface Interpolated {
  readonly text: string
  /** Values that came from the environment, with the name each came by; messages show the name alone. */
  readonly substituted: readonly { readonly name: string; readonly value: string }[]
  readonly refused: readonly Refused[]
}

const reference = /(\$?)\$\{([^{}]*)\}/g
const variable = /^([A-Za-z_]\w*)(?::-(.*))?$/s

/**
 * Puts environment values in place of `${NAME}` and `${NAME:-default}`; `$${NAME}` is the literal text.
 * As in a shell, the default also stands in for an empty value. Anything else in `${...}` is a placeholder that
 * another tool left behind, and is refused: a gateway must not start with it as a password.
 */
export function interpolate(text: string, env: Environment): Interpolated {
  const substituted: { name: string; value: string }[] = []
  const refused: Refused[] = []
  const result = text.replaceAll(reference, (whole, escaped: string, inside: string) => {
    if (escaped !== '') return whole.slice(1)
    const match = variable.exec(inside)
    if (match === null) {
      refused.push(unresolved(`\${${inside}}`))
      return whole
    }
    const name = match[1]!
    const value = env[name] || match[2]
    if (value === undefined || (env[name] === undefined && match[2] === undefined)) {
      refused.push(
        new Refused(
          env[name] === ''
            ? `the environment variable ${name} is empty`
            : `the environment variable ${name} is not set`,
          `set ${name}, or give a default: \${${name}:-value}; a literal is written $\${${name}}`,
        ),
      )
      return whole
    }
    if (env[name]) substituted.push({ name, value })
    return value
  })
  if (refused.length === 0 && leftBehind.test(result)) refused.push(unresolved(quoted(result.trim())))
  return { text: result, substituted, refused }
}

/** `$name` and `$name:key`, which some deployment tools fill in, and did not. */
const leftBehind = /^\s*\$[A-Za-z_][\w.-]*(?::[\w./-]+)?\s*$/

/** True for text that is a placeholder nobody replaced: `$name`, `$name:key`, `${NAME}`. */
export const isPlaceholder = (text: string): boolean => leftBehind.test(text) || /^\s*\$\{[^{}]*\}\s*$/.test(text)

/** True for `${NAME}` alone: no secret, and what somebody has to see to repair it. */
export const namesVariable = (text: string): boolean => /^\$\{[A-Za-z_]\w*\}$/.test(text)

/** For secrets and everything else alike; the command makes a good secret where one is wanted. */
export const unresolved = (what: string): Refused =>
  new Refused(
    `${what} was not replaced by the tool that fills in this file`,
    'write the value itself, or { env: NAME } or { file: /run/secrets/name } for a secret; `openssl rand -hex 32` makes a good one',
  )
