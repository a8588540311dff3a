/** One table of questions for all gateways: the decision is one, whoever asks. */
import type { HeaderLine } from '../attacks/wire.ts'
import type { ClientRequest } from './gateway-wires.ts'

const navigation: readonly HeaderLine[] = [
  ['Accept', 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8'],
  ['Sec-Fetch-Mode', 'navigate'],
  ['Sec-Fetch-Dest', 'document'],
  ['Sec-Fetch-Site', 'none'],
]
const script: readonly HeaderLine[] = [
  ['Accept', '*/*'],
  ['Sec-Fetch-Mode', 'cors'],
  ['Sec-Fetch-Dest', 'empty'],
  ['Sec-Fetch-Site', 'same-origin'],
]
const upgrade: readonly HeaderLine[] = [
  ['Connection', 'Upgrade'],
  ['Upgrade', 'websocket'],
  ['Sec-WebSocket-Version', '13'],
  ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
]
const own: HeaderLine = ['Origin', 'https://app.example.com']
const foreign: HeaderLine = ['Origin', 'https://evil.example']

export type ExpectedAnswer =
  /** 200, and whose headers come with it. */
  | 'anonymous'
  | 'alice'
  /** To the sign-in: 302, or 401 with Location. */
  | 'sign in'
  /** 401 with nowhere to go. */
  | 'unauthorized'
  /** 401 with the page that says so; for nginx with a Location that leads to it. */
  | 'form not sent'
  | 'forbidden'

export interface Question {
  readonly name: string
  readonly request: ClientRequest
  readonly isSignedIn?: boolean
  readonly expected: ExpectedAnswer
}

/**
 * One decision, whichever gateway asks. Routes: `/public/*` public, `/optional/*` optional, `/admin/*` for a group
 * that alice is not in, `/read/*` GET alone, `/office/*` from 203.0.113.0/24 alone, `/far/*` from elsewhere, `/app/*`
 * signed in; nothing else.
 */
export const questions: readonly Question[] = [
  { name: 'a page', request: { uri: '/app/x?y=1&z=%2F', headers: navigation }, expected: 'sign in' },
  {
    name: 'a page, from a browser without Fetch Metadata',
    request: { uri: '/app/x', headers: [['Accept', 'text/html']] },
    expected: 'sign in',
  },
  { name: 'HEAD of a page', request: { method: 'HEAD', uri: '/app/x', headers: navigation }, expected: 'sign in' },
  { name: 'a script', request: { uri: '/app/x', headers: script }, expected: 'unauthorized' },
  { name: 'a program', request: { uri: '/app/x', headers: [['Accept', '*/*']] }, expected: 'unauthorized' },
  { name: 'no header at all', request: { uri: '/app/x' }, expected: 'unauthorized' },
  {
    name: 'a prefetch',
    request: { uri: '/app/x', headers: [...navigation, ['Sec-Purpose', 'prefetch;prerender']] },
    expected: 'unauthorized',
  },
  {
    name: 'a frame',
    request: { uri: '/app/x', headers: [navigation[0]!, ['Sec-Fetch-Mode', 'navigate'], ['Sec-Fetch-Dest', 'iframe']] },
    expected: 'unauthorized',
  },
  {
    name: 'a form',
    request: { method: 'POST', uri: '/app/x', headers: [...navigation, own] },
    expected: 'form not sent',
  },
  { name: 'PUT', request: { method: 'PUT', uri: '/app/x', headers: script }, expected: 'unauthorized' },
  { name: 'a method of WebDAV', request: { method: 'PROPFIND', uri: '/app/x' }, expected: 'unauthorized' },
  { name: 'a page, signed in', request: { uri: '/app/x', headers: navigation }, isSignedIn: true, expected: 'alice' },
  { name: 'a script, signed in', request: { uri: '/app/x', headers: script }, isSignedIn: true, expected: 'alice' },
  {
    name: 'a form of ours, signed in',
    request: { method: 'POST', uri: '/app/x', headers: [...navigation, own] },
    isSignedIn: true,
    expected: 'alice',
  },
  {
    name: 'a form of another site, signed in',
    request: { method: 'POST', uri: '/app/x', headers: [...navigation.slice(0, 3), foreign] },
    isSignedIn: true,
    expected: 'forbidden',
  },
  {
    name: 'a form of nobody knows where, signed in',
    request: { method: 'POST', uri: '/app/x', headers: navigation.slice(0, 3) },
    isSignedIn: true,
    expected: 'forbidden',
  },
  { name: 'what alice may not', request: { uri: '/admin/x' }, isSignedIn: true, expected: 'forbidden' },
  {
    name: 'what alice may not, as a page',
    request: { uri: '/admin', headers: navigation },
    isSignedIn: true,
    expected: 'forbidden',
  },
  {
    name: 'what alice may not, in other letters',
    request: { uri: '/ADMIN/x' },
    isSignedIn: true,
    expected: 'forbidden',
  },
  { name: 'public', request: { uri: '/public/x?y' }, expected: 'anonymous' },
  { name: 'public, signed in', request: { uri: '/public/x' }, isSignedIn: true, expected: 'anonymous' },
  { name: 'public, posted', request: { method: 'POST', uri: '/public/x' }, expected: 'anonymous' },
  { name: 'optional', request: { uri: '/optional/x' }, expected: 'anonymous' },
  { name: 'optional, signed in', request: { uri: '/optional/x' }, isSignedIn: true, expected: 'alice' },
  { name: 'no route', request: { uri: '/nowhere', headers: navigation }, isSignedIn: true, expected: 'forbidden' },
  { name: 'no route, anonymous', request: { uri: '/', headers: navigation }, expected: 'forbidden' },
  { name: 'public in other letters', request: { uri: '/PUBLIC/x' }, expected: 'forbidden' },
  {
    name: 'a method the route has not',
    request: { method: 'DELETE', uri: '/read/x' },
    isSignedIn: true,
    expected: 'forbidden',
  },
  {
    name: 'a method in lower case',
    request: { method: 'get', uri: '/read/x' },
    isSignedIn: true,
    expected: 'forbidden',
  },
  { name: 'HEAD where GET may', request: { method: 'HEAD', uri: '/read/x' }, isSignedIn: true, expected: 'alice' },
  { name: 'OPTIONS that is no preflight', request: { method: 'OPTIONS', uri: '/app/x' }, expected: 'unauthorized' },
  {
    name: 'a preflight nobody allowed',
    request: { method: 'OPTIONS', uri: '/app/x', headers: [foreign, ['Access-Control-Request-Method', 'PUT']] },
    expected: 'unauthorized',
  },
  {
    name: 'a preflight of an origin that the route lists',
    request: {
      method: 'OPTIONS',
      uri: '/cors/x',
      headers: [
        ['Origin', 'https://spa.example.com'],
        ['Access-Control-Request-Method', 'PUT'],
      ],
    },
    expected: 'anonymous',
  },
  { name: 'TRACE', request: { method: 'TRACE', uri: '/public/x' }, expected: 'forbidden' },
  { name: 'another host', request: { host: 'evil.example', uri: '/public/x' }, expected: 'forbidden' },
  {
    name: 'another host, signed in',
    request: { host: 'evil.example', uri: '/app/x', headers: navigation },
    isSignedIn: true,
    expected: 'forbidden',
  },
  {
    name: 'the host with its own port',
    request: { host: 'APP.example.com:443', uri: '/app/x' },
    isSignedIn: true,
    expected: 'alice',
  },
  {
    name: 'the host on another port',
    request: { host: 'app.example.com:8443', uri: '/app/x' },
    isSignedIn: true,
    expected: 'forbidden',
  },
  { name: 'from the office', request: { uri: '/office/x' }, isSignedIn: true, expected: 'alice' },
  { name: 'from elsewhere', request: { uri: '/far/x' }, isSignedIn: true, expected: 'forbidden' },
  { name: 'a websocket', request: { uri: '/app/ws', headers: [...upgrade, own] }, expected: 'unauthorized' },
  {
    name: 'a websocket, signed in',
    request: { uri: '/app/ws', headers: [...upgrade, own] },
    isSignedIn: true,
    expected: 'alice',
  },
  {
    name: 'a websocket of another site',
    request: { uri: '/app/ws', headers: [...upgrade, foreign] },
    isSignedIn: true,
    expected: 'forbidden',
  },
  {
    name: 'a websocket of nobody knows where',
    request: { uri: '/app/ws', headers: upgrade },
    isSignedIn: true,
    expected: 'forbidden',
  },
  {
    name: 'who somebody else would like to be',
    request: { uri: '/app/x', headers: spoofed() },
    expected: 'unauthorized',
  },
  {
    name: 'who alice would like to be',
    request: { uri: '/app/x', headers: spoofed() },
    isSignedIn: true,
    expected: 'alice',
  },
  { name: 'who nobody would like to be', request: { uri: '/public/x', headers: spoofed() }, expected: 'anonymous' },
]

/** Names we set, in every spelling that somebody reads alike. */
function spoofed(): HeaderLine[] {
  return [
    'X-Auth-User',
    'x-auth-user',
    'X_Auth_User',
    'X-AUTH-EMAIL',
    'X-Auth-Groups',
    'X-Auth-Subject',
    'Remote-User',
  ].map((name) => [name, 'mallory'])
}
