/**
 * Reads JSON in which no object has the same member twice. `JSON.parse` keeps the last one silently, others the
 * first: a token whose `sub` is two people must be refused, not decided by a parser (RFC 8725 2.4, RFC 7519 4).
 *
 * @throws SyntaxError where it is not JSON, or a member comes twice
 */
export function parseStrictJson(text: string): unknown {
  const value: unknown = JSON.parse(text)
  const repeated = repeatedMember(text)
  if (repeated !== undefined) throw new SyntaxError(`the member ${JSON.stringify(repeated)} comes twice`)
  return value
}

/** A JSON object, not an array and not null. */
export const isJsonObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const token = /"(?:[^"\\]|\\.)*"|[{}[\]:,]/g

/** The first member name that one object holds twice. The text is known to be JSON. */
function repeatedMember(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = []
  let before = ''
  for (const [lexeme] of text.matchAll(token)) {
    if (lexeme === '{') open.push(new Set())
    else if (lexeme === '[') open.push(undefined)
    else if (lexeme === '}' || lexeme === ']') open.pop()
    else if (lexeme.startsWith('"') && (before === '{' || before === ',')) {
      const members = open.at(-1)
      // Parsed, since "\u0069ss" and "iss" are one name.
      const name: unknown = JSON.parse(lexeme)
      if (members !== undefined && typeof name === 'string') {
        if (members.has(name)) return name
        members.add(name)
      }
    }
    before = lexeme
  }
  return undefined
}
