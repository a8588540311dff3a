import { type Html, html } from '../http/pages/html.ts'
import { foreign, postButton } from '../http/pages/layout.ts'
import { demoPage } from './page.ts'
import type { Visitor } from './visitor.ts'

const site = 'Demo application'
const colour = '#7c3aed'

const navigation = html`
<nav aria-label="Pages"><ul>
<li><a href="/">Home</a></li>
<li><a href="/public/">Public page</a></li>
<li><a href="/admin/">Admin page</a></li>
<li><a href="/api/whoami">/api/whoami</a></li>
<li>${postButton({ action: '/_doorward/logout', fields: {} }, 'Sign out', false)}</li>
</ul></nav>`

/** Who it is, live things, and every header the gateway sent. */
export function homePage(visitor: Visitor, headers: readonly (readonly [string, string])[], apiHint?: string): Html {
  return demoPage({
    site,
    colour,
    wide: true,
    heading: visitor.user === '' ? 'Hello, stranger' : `Hello, ${visitor.user}`,
    script: liveScript,
    body: html`
<p>This application has no login of its own. The gateway in front told it who you are.</p>
${navigation}
<div class="grid">
${whoPanel(visitor)}
<section class="panel" aria-labelledby="clock-title"><h2 id="clock-title">Server clock</h2>
<p class="big" id="clock">…</p><p class="note">Server-sent events, one each second.</p></section>
<section class="panel" aria-labelledby="echo-title"><h2 id="echo-title">Websocket echo</h2>
<form id="echo"><label for="say">Say something</label>
<div class="row"><input id="say" autocomplete="off" value="Is anybody there?"><button class="button">Send</button></div>
</form><p class="note" id="echoed" role="status">Connecting…</p></section>
</div>
<section class="panel"><table><caption>Headers received</caption>
${headers.map(([name, value]) => html`<tr><th scope="row">${/^x-auth-/i.test(name) ? html`<strong>${name}</strong>` : name}</th><td>${value}</td></tr>`)}
</table></section>
${
  apiHint !== undefined &&
  html`<h2>Without a browser</h2><p class="note">A machine shows a bearer token instead of a session:</p>
<pre tabindex="0"><code>${apiHint}</code></pre>`
}`,
  })
}

function whoPanel({ user, subject, email, groups }: Visitor): Html {
  const rows = [
    ['User', user],
    ['Subject', subject],
    ['E-mail', email],
    ['Groups', groups.join(', ')],
  ] as const
  return html`<section class="panel" aria-labelledby="who-title"><h2 id="who-title">Signed in</h2>
<dl>${rows.map(([term, value]) => html`<div><dt>${term}</dt><dd>${foreign(value || '–')}</dd></div>`)}</dl></section>`
}

const unsaid =
  'The gateway did not say who you are: public routes never read the session, so nobody is told who you are. ' +
  'If you are signed in, you still are.'

export const publicPage = ({ user }: Visitor): Html =>
  demoPage({
    site,
    colour,
    wide: true,
    heading: 'A public page',
    body: html`${navigation}<p>Everybody may read this.</p>
<p>${user === '' ? unsaid : html`The gateway says you are ${foreign(user)}.`}</p>`,
  })

export const adminPage = ({ user, groups }: Visitor): Html =>
  demoPage({
    site,
    colour,
    wide: true,
    heading: 'The admin page',
    body: html`${navigation}<p>Only members of <code>/admins</code> get here. You are ${foreign(user)}, a member of
${foreign(groups.join(', '))}.</p>`,
  })

export const notFoundPage = (): Html =>
  demoPage({ site, colour, wide: true, heading: 'There is no such page', body: navigation })

const liveScript = html`
const clock = document.getElementById('clock')
const events = new EventSource('/sse')
events.onmessage = (event) => { clock.textContent = new Date(event.data).toLocaleTimeString() }
events.onerror = () => { clock.textContent = 'not connected' }
const echoed = document.getElementById('echoed')
const socket = new WebSocket(location.origin.replace('http', 'ws') + '/ws')
socket.onopen = () => { echoed.textContent = 'Connected.' }
socket.onmessage = (event) => { echoed.textContent = 'The server says: ' + event.data }
socket.onclose = () => { echoed.textContent = 'Not connected.' }
document.getElementById('echo').onsubmit = (event) => {
  event.preventDefault()
  socket.send(document.getElementById('say').value)
}
`
