/** How careless servers read a path, to judge what an upstream could have made of what it was sent. */

const decode = (text: string): string =>
  text.replace(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

const backslashes = (path: string): string => path.replaceAll('\\', '/')
const withoutParameters = (path: string): string => path.replace(/;[^/]*/g, '')
const mergedSlashes = (path: string): string => path.replace(/\/{2,}/g, '/')
const cutAt =
  (mark: string) =>
  (path: string): string =>
    path.split(mark, 1)[0]!

function withoutDots(path: string): string {
  const kept: string[] = []
  for (const segment of path.split('/').slice(1)) {
    if (segment === '..') kept.pop()
    else if (segment !== '.') kept.push(segment)
  }
  return `/${kept.join('/')}`
}

const steps = [
  backslashes,
  cutAt('\0'),
  cutAt('#'),
  cutAt('?'),
  withoutParameters,
  mergedSlashes,
  withoutDots,
  (path: string) => path.toLowerCase(),
]

/** Every reading of a raw target: decoded up to three times, then each step alone and all of them in a row. */
export function readingsOf(target: string): string[] {
  const readings = new Set<string>()
  let layer = target
  for (let round = 0; round <= 3; round++) {
    readings.add(layer)
    for (const step of steps) readings.add(step(layer))
    readings.add(steps.reduce((path, step) => step(path), layer))
    readings.add(withoutDots(mergedSlashes(backslashes(layer))))
    layer = decode(layer)
  }
  return [...readings]
}

/** True where no reader would leave what everybody may see: `/public/…` and `/health`. */
export const staysPublic = (target: string): boolean =>
  readingsOf(target).every((path) => /^\/public(?:[/?#].*)?$/s.test(path) || /^\/health(?:[?#].*)?$/s.test(path))
