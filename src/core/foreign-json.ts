import { isJsonObject } from './strict-json.ts'

/** The JSON of an answer; undefined where it is none. For answers that prove nothing: what does is read strictly. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The same where an object is expected: without members where there is none. */
export function readMembers(text: string): Readonly<Record<string, unknown>> {
  const value = readJson(text)
  return isJsonObject(value) ? value : {}
}
