/** Flags of oauth2-proxy: typed after `--`, in a script, or the arguments of a container. */
import type { Environment } from '../../config/interpolate.ts'
import { type Given, give, type Source, type Unknown } from './given.ts'
import { isProgram } from './read-script.ts'
import { nameAlone, settingNamed, settings } from './settings.ts'

/** @param file named in comments; undefined where they were typed */
export function readFlags(words: readonly string[], env: Environment, file?: string): Source {
  const given: Given[] = []
  const unknown: Unknown[] = []
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!
    const [flag = '', ...rest] = word.split('=')
    const isFlag = /^--?[A-Za-z]/.test(flag)
    const place = [isFlag ? nameAlone(flag) : 'a word that is no flag', file === undefined ? [] : `(${file})`]
      .flat()
      .join(' ')
    const name = isFlag ? settingNamed(flag) : undefined
    if (name === undefined) {
      // The program itself comes first in a command. Any other word may be a secret that lost its flag.
      if (isFlag || !isProgram(flag)) unknown.push({ written: isFlag ? nameAlone(flag) : '', place })
      if (flag.startsWith('-') && rest.length === 0 && isValue(words[index + 1])) index++
      continue
    }
    // As there: a switch takes its value after `=` alone.
    const isSwitch = settings[name].kind === 'switch'
    const value = rest.length > 0 ? rest.join('=') : isSwitch ? 'true' : words[++index]
    given.push(give(name, [value ?? ''], place, { env }))
  }
  return { given, unknown }
}

/** What follows a flag that nobody knows may be its value; with one dash too, as text in base64 may begin. */
const isValue = (word: string | undefined): boolean =>
  word !== undefined &&
  (!word.startsWith('-') || (!word.startsWith('--') && settingNamed(word.split('=')[0]!) === undefined))
