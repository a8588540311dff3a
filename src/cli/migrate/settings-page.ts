/** The tables of docs/migrate-oauth2-proxy.md, from the rows that the command itself works with. */
import type { Setting } from './setting.ts'
import { settingNames, settings } from './settings.ts'

export function settingsPage(): string {
  const rows = settingNames.map((name) => ({ name, fate: (settings[name] satisfies Setting as Setting).fate }))
  const carried = rows.flatMap(({ name, fate }) =>
    fate.is === 'carried' ? [[code(name), code(fate.key), fate.note]] : [],
  )
  const always = rows.flatMap(({ name, fate }) => (fate.is === 'always' ? [[code(name), fate.how]] : []))
  const refused = rows.flatMap(({ name, fate }) => (fate.is === 'refused' ? [[code(name), fate.why]] : []))
  const none = rows.flatMap(({ name, fate }) => (fate.is === 'none' ? [[code(name), fate.why]] : []))
  return [
    '### Taken over',
    tableOf(['setting', 'key', ''], carried),
    '### Always so',
    tableOf(['setting', 'in Doorward'], always),
    '### Refused, because it would weaken',
    tableOf(['setting', 'instead'], refused),
    '### Without an equal',
    tableOf(['setting', 'why, or what instead'], none),
  ].join('\n\n')
}

const code = (text: string): string => `\`${text}\``

const tableOf = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`.replaceAll('|  |', '| |')).join('\n')
