import { namesVariable } from './interpolate.ts'
import type { Problems } from './problems.ts'

/** Keys of the file whose values are secret wherever they stand, also misplaced or in the wrong shape. */
const secretKeys = new Set([
  'clientsecret',
  'secret',
  'secrets',
  'password',
  'key',
  'privatekey',
  'token',
  'passphrase',
])

const isSecretKey = (key: string): boolean => secretKeys.has(key.toLowerCase().replaceAll(/[-_]/g, ''))

/**
 * Hides every text under a secret-bearing key from messages, keys of a misread `{braces}` included. The names in
 * `{ env: NAME }` and `{ file: path }` are no secrets and stay readable.
 */
export function hideSecrets(content: unknown, problems: Problems): void {
  walk(content, false, (text) => problems.hide(text, '[secret]'))
}

function walk(value: unknown, secret: boolean, hide: (text: string) => void): void {
  if (typeof value === 'string' || typeof value === 'number') {
    const text = String(value).trim()
    if (secret && text.length >= 3 && !namesVariable(text)) hide(text)
    return
  }
  if (Array.isArray(value)) {
    for (const item of value) walk(item, secret, hide)
    return
  }
  if (typeof value !== 'object' || value === null) return
  for (const [key, item] of Object.entries(value)) {
    if (secret && (key === 'env' || key === 'file') && typeof item === 'string') continue
    if (secret && !secretShape.has(key)) walk(key, true, hide)
    walk(item, secret || isSecretKey(key), hide)
  }
}

const secretShape = new Set(['env', 'file'])
