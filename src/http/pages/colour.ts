/** The colour arithmetic of WCAG 2.2, so that a brand's colours stay readable whatever they are. */

/** Red, green and blue, 0 to 255. */
export type Colour = readonly [red: number, green: number, blue: number]

export const white: Colour = [255, 255, 255]
export const black: Colour = [0, 0, 0]

/** Reads `#rgb`, `#rrggbb`, `rgb(…)` and `hsl(…)`, without transparency; undefined for the rest. */
export function readColour(text: string): Colour | undefined {
  const hex = /^#([\da-f]{3}|[\da-f]{6})$/i.exec(text.trim())?.[1]
  if (hex !== undefined) return readHex(hex)
  const call = /^(rgb|hsl)\(\s*(\d+(?:\.\d+)?)(?:deg)?[\s,]+(\d+(?:\.\d+)?)%?[\s,]+(\d+(?:\.\d+)?)%?\s*\)$/i.exec(
    text.trim(),
  )
  if (call === null) return undefined
  const [first, second, third] = [Number(call[2]), Number(call[3]), Number(call[4])]
  return call[1]!.toLowerCase() === 'rgb' ? clamp([first, second, third]) : fromHsl(first, second / 100, third / 100)
}

function readHex(hex: string): Colour {
  const full = hex.length === 3 ? hex.replaceAll(/./g, '$&$&') : hex
  const channel = (at: number) => Number.parseInt(full.slice(at, at + 2), 16)
  return [channel(0), channel(2), channel(4)]
}

/** CSS Color 4, section 7.1. */
function fromHsl(hue: number, saturation: number, lightness: number): Colour {
  const channel = (n: number) => {
    const k = (n + hue / 30) % 12
    return 255 * (lightness - saturation * Math.min(lightness, 1 - lightness) * Math.max(-1, Math.min(k - 3, 9 - k, 1)))
  }
  return clamp([channel(0), channel(8), channel(4)])
}

const clamp = ([red, green, blue]: Colour): Colour => [bound(red), bound(green), bound(blue)]
const bound = (channel: number): number => Math.max(0, Math.min(255, Math.round(channel)))

export const toCss = (colour: Colour): string => `rgb(${colour.join(' ')})`

/** `share` of the second colour, 0 to 1. */
export function mix(one: Colour, other: Colour, share: number): Colour {
  const channel = (at: 0 | 1 | 2) => one[at] * (1 - share) + other[at] * share
  return clamp([channel(0), channel(1), channel(2)])
}

/** WCAG 2.2, relative luminance: 0 (black) to 1 (white). */
export function luminance(colour: Colour): number {
  const linear = (channel: number) => {
    const part = channel / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  }
  return 0.2126 * linear(colour[0]) + 0.7152 * linear(colour[1]) + 0.0722 * linear(colour[2])
}

/** WCAG 2.2, contrast ratio: 1 to 21. */
export function contrast(one: Colour, other: Colour): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number]
  return (light + 0.05) / (dark + 0.05)
}

/** White or black, whichever reads better. It never falls below 4.5: the two ratios multiply to 21. */
export const textOn = (colour: Colour): Colour => (contrast(colour, white) >= contrast(colour, black) ? white : black)

/** The colour, moved away from the surface until it stands out from it by `ratio` (3 for controls, WCAG 1.4.11). */
export function visibleOn(colour: Colour, surface: Colour, ratio = 3): Colour {
  const away = textOn(surface)
  for (let share = 0; share < 1; share += 0.05) {
    const moved = mix(colour, away, share)
    if (contrast(moved, surface) >= ratio) return moved
  }
  return away
}
