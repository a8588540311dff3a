/**
 * The bytes of a canonical base64url text (RFC 4648 5, no padding); undefined for anything else. Spare bits in the
 * last character, padding and the other alphabet are refused, so that one value has exactly one spelling.
 */
export function readBase64url(text: string, maxLength: number): Buffer | undefined {
  if (text.length === 0 || text.length > maxLength) return undefined
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}
