import type { BrandConfig } from '../config/config.ts'
import { type Html, type HtmlValue, html } from '../http/pages/html.ts'
import { styleOf } from '../http/pages/style.ts'

/** A page of the demo world (provider and application), in the look of our own pages but free to hold forms and script. */
export interface DemoPage {
  /** Who speaks: the demo provider or the demo application. */
  readonly site: string
  readonly heading: string
  /** Any colour that tells the two apart from Doorward's own pages. */
  readonly colour: string
  readonly wide?: boolean
  readonly body: HtmlValue
  readonly script?: Html
}

export function demoPage({ site, heading, colour, wide = false, body, script }: DemoPage): Html {
  const brand: BrandConfig = { name: site, logo: undefined, color: colour, background: undefined, contact: undefined }
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${heading} · ${site}</title>
<link rel="icon" href="data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=">
<style>${styleOf(brand).sheet}${extra}</style>
</head>
<body>
<div class="card${wide && ' wide'}">
<header><span>${site}</span></header>
<main>
<h1>${heading}</h1>
${body}
</main>
</div>
${script !== undefined && html`<script>${script}</script>`}
</body>
</html>
`
}

const extra = html`
.card.wide { max-width: 58rem; align-self: flex-start; }
.grid { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(15rem, 100%), 1fr)); gap: 1rem; margin: 1.25rem 0; }
.panel { border: 1px solid var(--line); border-radius: 10px; padding: 1rem 1.15rem; min-width: 0; }
.panel h2 { margin: 0 0 .5rem; }
.big { font-size: 1.5rem; font-variant-numeric: tabular-nums; margin: .25rem 0; }
.row { display: flex; gap: .5rem; margin-top: .5rem; }
.row .button { flex: none; padding-block: .5rem; }
.note { color: var(--muted); font-size: .875rem; margin: .75rem 0 0; }
.alert { border-left: 4px solid var(--edge); padding-left: .75rem; }
label { display: block; font-weight: 600; margin: .75rem 0 .25rem; }
input:not([type=hidden]) {
  width: 100%; padding: .55rem .7rem; font: inherit; color: var(--text); background: var(--card);
  border: 1px solid var(--muted); border-radius: 8px;
}
table { width: 100%; border-collapse: collapse; font-size: .9rem; }
caption { text-align: left; font-weight: 600; padding-bottom: .5rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0; border-top: 1px solid var(--line); }
th { font-weight: 500; color: var(--muted); width: 35%; }
hr { border: 0; border-top: 1px solid var(--line); margin: 1.5rem 0; }
@media (max-width: 30rem) { table, tbody, tr, th, td { display: block; width: auto; } td { border-top: 0; padding-top: 0; } }
pre { padding: .75rem 1rem; background: var(--soft); border-radius: 8px; white-space: pre-wrap; }
nav ul { display: flex; flex-wrap: wrap; align-items: center; gap: .25rem 1.25rem; list-style: none; padding: 0; margin: 0 0 1rem; }
nav li:has(form) { margin-left: auto; }
nav .button { padding: .3rem .9rem; }
`
