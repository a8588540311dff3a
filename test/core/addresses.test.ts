import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clientAddress, parseNetworks, readAddress, readForwardedNode, readNetwork } from '../../src/core/addresses.ts'

test('one address has one spelling', () => {
  const spellings: Record<string, string | undefined> = {
    '192.0.2.1': '192.0.2.1',
    '::ffff:192.0.2.1': '192.0.2.1',
    '::ffff:c000:201': '192.0.2.1',
    '0:0:0:0:0:FFFF:192.0.2.1': '192.0.2.1',
    '::ffff:192.0.2.1%eth0': '192.0.2.1',
    '2001:DB8:0:0:0:0:0:1': '2001:db8::1',
    'fe80::1%eth0': 'fe80::1',
    '64:ff9b::192.0.2.1': '64:ff9b::c000:201',
    '010.0.0.1': undefined,
    '10.1': undefined,
    '2130706433': undefined,
    '0x7f.0.0.1': undefined,
    ' 10.0.0.1': undefined,
    '10.0.0.1 ': undefined,
    '10.0.0.1\n': undefined,
    '::1%': undefined,
    localhost: undefined,
    '': undefined,
  }
  for (const [text, address] of Object.entries(spellings)) assert.equal(readAddress(text), address, text)
})

test('a forwarded node may carry a port or brackets, and nothing else', () => {
  const nodes: Record<string, string | undefined> = {
    '192.0.2.1:4711': '192.0.2.1',
    '[2001:db8::1]': '2001:db8::1',
    '[2001:db8::1]:4711': '2001:db8::1',
    '[::ffff:192.0.2.1]:80': '192.0.2.1',
    '2001:db8::1': '2001:db8::1',
    '[192.0.2.1]': '192.0.2.1',
    unknown: undefined,
    _hidden: undefined,
    '"192.0.2.1"': undefined,
    '[2001:db8::1': undefined,
    '2001:db8::1]': undefined,
    '192.0.2.1:': undefined,
    '192.0.2.1:x': undefined,
    '999.0.2.1:80': undefined,
    'for=192.0.2.1': undefined,
    'app.example.com': undefined,
  }
  for (const [text, address] of Object.entries(nodes)) assert.equal(readForwardedNode(text), address, text)
})

test('networks are read strictly', () => {
  assert.deepEqual(readNetwork('10.0.0.0/8'), { family: 'ipv4', address: '10.0.0.0', prefix: 8 })
  assert.deepEqual(readNetwork('10.0.0.1'), { family: 'ipv4', address: '10.0.0.1', prefix: 32 })
  assert.deepEqual(readNetwork('::ffff:10.0.0.0/104'), { family: 'ipv4', address: '10.0.0.0', prefix: 8 })
  for (const wrong of [
    '',
    '/',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/08',
    '10.0.0.0/-1',
    '::/129',
    '10/8',
    '*',
    'all',
    '::ffff:0.0.0.0/0',
    'fe80::1%eth0/64',
  ]) {
    assert.equal(readNetwork(wrong), undefined, wrong)
  }
  assert.throws(() => parseNetworks(['10.0.0.0/8', 'nonsense']), /not a network: nonsense/)
})

test('membership does not depend on the spelling, and one family does not hold the other', () => {
  const private4 = parseNetworks(['10.0.0.0/8'])
  assert.ok(private4.has('10.1.2.3') && private4.has('::ffff:10.1.2.3') && private4.has('::ffff:a01:203'))
  assert.ok(!private4.has('11.0.0.1') && !private4.has('') && !private4.has('10.1.2.3.4') && !private4.has('::a01:203'))
  const every6 = parseNetworks(['::/0'])
  assert.ok(every6.has('2001:db8::1') && !every6.has('192.0.2.1') && !every6.has('::ffff:192.0.2.1'))
  const nobody = parseNetworks([])
  assert.ok(nobody.isEmpty && !nobody.has('127.0.0.1'))
})

test('X-Forwarded-For is walked from the right, through trusted proxies alone', () => {
  const trusted = parseNetworks(['10.0.0.0/8', '2001:db8::/64'])
  const cases: [peer: string, header: string | undefined, client: string][] = [
    ['10.0.0.1', undefined, '10.0.0.1'],
    ['10.0.0.1', '203.0.113.7', '203.0.113.7'],
    ['::ffff:10.0.0.1', '203.0.113.7', '203.0.113.7'],
    ['10.0.0.1', '6.6.6.6, 203.0.113.7', '203.0.113.7'],
    ['10.0.0.1', '6.6.6.6,203.0.113.7,10.0.0.2', '203.0.113.7'],
    ['10.0.0.1', '203.0.113.7, [2001:db8::5]:443, 10.0.0.2:80', '203.0.113.7'],
    ['10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    // Whoever is not trusted says nothing about others.
    ['203.0.113.9', '10.0.0.5', '203.0.113.9'],
    ['203.0.113.9', undefined, '203.0.113.9'],
    // What is no address ends the walk at the last good one.
    ['10.0.0.1', '203.0.113.7, unknown', '10.0.0.1'],
    ['10.0.0.1', '203.0.113.7, unknown, 10.0.0.2', '10.0.0.2'],
    ['10.0.0.1', '203.0.113.7,, 10.0.0.2', '10.0.0.2'],
    ['10.0.0.1', '', '10.0.0.1'],
    ['10.0.0.1', ',', '10.0.0.1'],
    ['10.0.0.1', ',203.0.113.7', '203.0.113.7'],
    ['10.0.0.1', '127.0.0.1\u0000, 10.0.0.2', '10.0.0.2'],
    ['', '203.0.113.7', ''],
  ]
  for (const [peer, header, client] of cases) {
    assert.equal(clientAddress(peer, header, trusted), client, `${peer} <- ${header}`)
  }
  assert.equal(clientAddress('10.0.0.1', '203.0.113.7', parseNetworks([])), '10.0.0.1')
})
