import { createHash } from 'node:crypto'
import type { BrandConfig } from '../../config/config.ts'
import { black, type Colour, luminance, mix, readColour, textOn, toCss, visibleOn, white } from './colour.ts'
import { type Html, html } from './html.ts'

/** The one style sheet of our pages, and the hash by which the Content-Security-Policy lets it in. */
export interface Style {
  /** The text between `<style>` and `</style>`, to the letter. */
  readonly sheet: Html
  /** `sha256-…`, CSP level 3 hash source without its quotes. */
  readonly hash: string
}

const darkCard: Colour = [27, 31, 37]
const darkPage: Colour = [17, 20, 24]
const lightPage: Colour = [243, 244, 247]
const accent: Colour = [40, 84, 197]

export function styleOf(brand: BrandConfig): Style {
  const sheet = html`${palette(brand)}${rules}`
  return { sheet, hash: `sha256-${createHash('sha256').update(String(sheet)).digest('base64')}` }
}

/**
 * Brand colours as custom properties. The edge is the brand's colour, moved until it stands out from the card, so that
 * a button is seen whatever colour fills it. They pass through numbers, so no text of the file
 * reaches the sheet.
 */
function palette(brand: BrandConfig): Html {
  const colour = readColour(brand.color ?? '') ?? accent
  const background = readColour(brand.background ?? '')
  return html`
:root {
  color-scheme: light dark;
  --page: ${toCss(background ?? lightPage)}; --card: #fff; --text: #1b1f25; --muted: #565f6b; --line: #dde1e7;
  --accent: ${toCss(colour)}; --on-accent: ${toCss(textOn(colour))}; --soft: #f3f4f7;
  --edge: ${toCss(visibleOn(colour, white))};
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: ${toCss(background === undefined ? darkPage : dimmed(background))};
    --card: ${toCss(darkCard)}; --text: #e9ebee; --muted: #a9b2bd; --line: #373e48;
    --soft: #23282f; --edge: ${toCss(visibleOn(colour, darkCard))};
  }
}`
}

/** A bright page around a dark card would dazzle. */
const dimmed = (background: Colour): Colour => (luminance(background) > 0.1 ? mix(background, black, 0.8) : background)

const rules = html`
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; min-height: 100vh; padding: 1.5rem 1rem; display: flex; align-items: center; justify-content: center;
  background: var(--page); color: var(--text);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  overflow-wrap: anywhere;
}
.card {
  width: 100%; max-width: 30rem; background: var(--card); border: 1px solid var(--line);
  border-top: 4px solid var(--edge); border-radius: 12px; padding: 1.75rem 2rem;
  box-shadow: 0 1px 2px rgb(0 0 0 / 6%), 0 12px 32px rgb(0 0 0 / 7%);
}
header { display: flex; align-items: center; gap: .6rem; margin-bottom: 1.5rem; font-weight: 600; color: var(--muted); }
header img { height: 2rem; max-width: 8rem; object-fit: contain; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .75rem; letter-spacing: -.01em; text-wrap: balance; }
h2 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
p { margin: 0 0 .75rem; }
ul { margin: .25rem 0 .75rem; padding-left: 1.2rem; }
li { margin: .2rem 0; }
li::marker { color: var(--muted); }
a { color: inherit; text-underline-offset: .18em; }
code { font: .9em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; user-select: all; }
form { margin: 0; display: contents; }
.actions { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1.5rem; }
.stack { flex-direction: column; list-style: none; padding: 0; }
.stack li { margin: 0; display: flex; }
.button {
  flex: 1 1 auto; display: inline-block; padding: .65rem 1.15rem; border: 1px solid var(--muted); border-radius: 8px;
  background: transparent; color: var(--text); font: inherit; font-weight: 600; text-align: center;
  text-decoration: none; cursor: pointer;
}
.button:hover { background: var(--soft); }
.primary { background: var(--accent); border-color: var(--edge); color: var(--on-accent); }
.primary:hover { background: var(--accent); text-decoration: underline; }
:focus-visible { outline: 3px solid var(--text); outline-offset: 3px; border-radius: 8px; }
dl { margin: 1rem 0; padding: .75rem 1rem; background: var(--soft); border-radius: 8px; }
dl div { display: flex; flex-wrap: wrap; gap: 0 .75rem; padding: .1rem 0; }
dt { color: var(--muted); flex: 0 0 8rem; }
dd { margin: 0; flex: 1 1 12rem; min-width: 0; }
footer { margin-top: 1.75rem; padding-top: 1rem; border-top: 1px solid var(--line); font-size: .875rem; color: var(--muted); }
footer p { margin: .2rem 0; }
@media (max-width: 30rem) { body { align-items: flex-start; } .card { padding: 1.25rem; } dt { flex-basis: 100%; } }
`
