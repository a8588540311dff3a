/**
 * Times of tokens: seconds since the epoch (NumericDate, RFC 7519 2). Some issuers write milliseconds; read as seconds,
 * such an `exp` is tens of thousands of years away, and the token would live for ever.
 */

/** No token has an end this late (the year 5138), and every time in milliseconds since 1973 is later. */
const tooLate = 100_000_000_000

export const isNumericDate = (value: unknown): value is number =>
  typeof value === 'number' && value > 0 && value < tooLate

/** Whether a time of our days was written in milliseconds. */
export const isMilliseconds = (value: unknown): boolean =>
  typeof value === 'number' && value >= tooLate && value < tooLate * 1000

/** What is wrong with a time that is none, for whoever runs the issuer. Behind the name of the claim. */
export const wordsForNoDate = (value: unknown): string =>
  isMilliseconds(value) ? 'is in milliseconds, and has to be in seconds (RFC 7519 2)' : 'is missing or no time'
