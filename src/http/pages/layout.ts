import type { BrandConfig } from '../../config/config.ts'
import { type Html, type HtmlValue, html } from './html.ts'
import { styleOf } from './style.ts'

/** What every page has. */
export interface Page {
  /** The only h1, and the title of the tab. */
  readonly heading: string
  readonly body: HtmlValue
  /** Shown at the foot, for the person to quote and for the log line to be found. */
  readonly requestId?: string | undefined
  /** Address of ours to move on to at once, without a script. */
  readonly refresh?: string | undefined
}

/** The document around a page: no script, nothing loaded from anywhere. */
export function layout(brand: BrandConfig, page: Page): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
${page.refresh !== undefined && html`<meta http-equiv="refresh" content="0; url=${page.refresh}">`}
<title>${page.heading} · ${brand.name}</title>
<link rel="icon" href="${brand.logo ?? emptyIcon}">
<style>${styleOf(brand).sheet}</style>
</head>
<body>
<div class="card">
<header>${brand.logo !== undefined && html`<img src="${brand.logo}" alt="">`}<span>${brand.name}</span></header>
<main>
<h1>${page.heading}</h1>
${page.body}
</main>
${foot(brand, page.requestId)}
</div>
</body>
</html>
`
}

/** Keeps browsers from asking for /favicon.ico, which would be one more request through the gate. */
const emptyIcon = 'data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA='

function foot(brand: BrandConfig, requestId: string | undefined): Html | undefined {
  if (brand.contact === undefined && requestId === undefined) return undefined
  return html`<footer>
${brand.contact !== undefined && html`<p>${brand.contact}</p>`}
${requestId !== undefined && html`<p>Request <code>${requestId}</code></p>`}
</footer>`
}

/** A button that posts: action and hidden fields. */
export interface PostForm {
  readonly action: string
  readonly fields: Readonly<Record<string, string>>
}

export const postButton = (form: PostForm, label: string, primary = true): Html =>
  html`<form method="post" action="${form.action}">${Object.entries(form.fields).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )}<button class="button${primary && ' primary'}">${label}</button></form>`

/** A link that looks like a button, because it is what to do next. */
export const linkButton = (href: string, label: string, primary = true): Html =>
  html`<a class="button${primary && ' primary'}" href="${href}">${label}</a>`

export const actions = (...buttons: readonly HtmlValue[]): Html => html`<div class="actions">${buttons}</div>`

/** Text that others chose: isolated, so that its writing direction cannot reorder our sentence (Unicode UAX 9). */
export const foreign = (text: string): Html => html`<bdi>${text}</bdi>`
