import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { filterDate, filterText, linkKey, neededTables, needsQueues, queueRulesText, queuesText, struckPackets, tableText, undisturbed } from './filter.ts'
import type { Disturbance, Place, Topology } from './filter.ts'

const ports = { client: 7000, peer: 7001, admin: 7002 }
const place = (id: string, last: number, engine = 0): Place => ({ id, address: `198.18.${engine}.${last}`, ports, engine, outside: undefined })
const [n1, n2] = [place('n1', 11), place('n2', 12)]
const topology: Topology = { places: [n1, n2], oneWayConnections: true }
const until = Date.UTC(2026, 10, 20, 12, 0, 0)

const wrong = (...entries: [from: string, to: string, what: Partial<Disturbance>][]): Map<string, Disturbance> =>
  new Map(entries.map(([from, to, what]) => [linkKey({ from, to }), { ...undisturbed, ...what }]))

/** The rules without chain headers and lease. */
const rules = (text: string): string[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('-A'))
    .map((line) => line.replace(/^-A SPLITBRAIN-/, '').replace(/ -m time --datestop \S+/, '').replace(/ -j DROP$/, ''))

test('a one-way cut drops the messages of one direction at both ends and leaves the other alone', () => {
  const cut = wrong(['n1', 'n2', { cut: true }])
  assert.equal(rules(filterText(topology, n2, cut, until)), ['IN -s 198.18.0.11 -p tcp --dport 7001'])
  assert.equal(rules(filterText(topology, n1, cut, until)), ['OUT -d 198.18.0.12 -p tcp --dport 7001'])
})

test('a cut of both directions drops everything between the two', () => {
  const cut = wrong(['n1', 'n2', { cut: true }], ['n2', 'n1', { cut: true }])
  assert.equal(rules(filterText(topology, n1, cut, until)), ['IN -s 198.18.0.12', 'OUT -d 198.18.0.12'])
})

test('where one connection carries both directions, a one-way cut drops every packet of one', () => {
  const cut = wrong(['n1', 'n2', { cut: true }])
  assert.equal(rules(filterText({ ...topology, oneWayConnections: false }, n2, cut, until)), ['IN -s 198.18.0.11'])
})

test('clients that are cut off reach the client port of that node no more', () => {
  assert.equal(rules(filterText(topology, n1, wrong(['clients', 'n1', { cut: true }]), until)), ['IN -p tcp --dport 7000'])
  assert.equal(rules(filterText(topology, n2, wrong(['clients', 'n1', { cut: true }]), until)), [])
})

test('loss is rolled once, where packets arrive', () => {
  const lossy = wrong(['n1', 'n2', { lose: 0.25 }])
  assert.equal(rules(filterText(topology, n1, lossy, until)), [])
  assert.equal(rules(filterText(topology, n2, lossy, until)), ['IN -s 198.18.0.11 -p tcp --dport 7001 -m statistic --mode random --probability 0.250000'])
})

test('between engines the sender cuts, at the address and port that the receiver is published on', () => {
  const [a, b] = [
    { ...n1, outside: { address: '192.0.2.1', port: 32768 } },
    { ...place('n2', 12, 1), outside: { address: '192.0.2.2', port: 32769 } },
  ]
  const apart = { ...topology, places: [a, b] }
  const cut = wrong(['n1', 'n2', { cut: true }])
  assert.equal(rules(filterText(apart, a, cut, until)), ['OUT -d 192.0.2.2 -p tcp --dport 32769'])
  assert.equal(rules(filterText(apart, b, cut, until)), [])
})

test('every rule ends by itself', () => {
  const text = filterText(topology, n2, wrong(['n1', 'n2', { cut: true, lose: 0.5 }], ['clients', 'n2', { cut: true }]), until)
  const lines = text.split('\n').filter((line) => line.startsWith('-A'))
  assert.is(lines.length, 3)
  for (const line of lines) assert.match(line, '-m time --datestop 2026-11-20T12:00:00 -j DROP')
  assert.is(filterDate(until + 1), '2026-11-20T12:00:01')
})

test('with nothing wrong the chains are emptied and no queue is needed', () => {
  assert.is(filterText(topology, n1, new Map(), until), '*filter\n:SPLITBRAIN-IN - [0:0]\n:SPLITBRAIN-OUT - [0:0]\nCOMMIT\n')
  assert.not(needsQueues(topology, n1, new Map()))
  assert.is(queuesText(topology, n1, new Map(), true), 'qdisc del dev eth0 root\n')
})

test('a limited or delayed link gets a queue of its own on the way out', () => {
  const slow = wrong(['n1', 'n2', { bytesPerSecond: 1000, delay: { ms: 20, jitterMs: 10 } }])
  assert.ok(needsQueues(topology, n1, slow))
  assert.not(needsQueues(topology, n2, slow))
  assert.is(
    queuesText(topology, n1, slow, false),
    [
      'qdisc add dev eth0 root handle 1: htb default 0',
      'class add dev eth0 parent 1: classid 1:10 htb rate 8000bit ceil 8000bit',
      'qdisc add dev eth0 parent 1:10 netem delay 25ms 5ms limit 20000',
      '',
    ].join('\n'),
  )
  assert.match(queueRulesText(topology, n1, slow, until, true), '-A SPLITBRAIN-QUEUE -d 198.18.0.12 -p tcp --dport 7001 -m time --datestop 2026-11-20T12:00:00 -j CLASSIFY --set-class 1:10')
})

test('doubled, reset and silent packets, and detours', () => {
  const odd = wrong(['n1', 'n2', { duplicate: 0.5, reset: 0.25, silentBefore: 3, detour: '198.18.0.1:4000' }])
  assert.equal(neededTables(topology, n1, odd), ['mangle', 'nat'])
  assert.equal(neededTables(topology, n2, odd), [])
  const to = '-d 198.18.0.12 -p tcp --dport 7001'
  assert.equal(rules(filterText(topology, n1, odd, until)), [`OUT ${to} -m connmark ! --mark 3`, `OUT ${to} -j REJECT --reject-with tcp-reset`])
  assert.equal(rules(filterText(topology, n2, odd, until)), ['IN -s 198.18.0.11 -p tcp --dport 7001 -m statistic --mode random --probability 0.250000 -j REJECT --reject-with tcp-reset'])
  assert.equal(rules(tableText('mangle', topology, n1, odd, until)), [`MARK ${to} --syn -j CONNMARK --set-mark 3`, `TWICE ${to} -m statistic --mode random --probability 0.500000 -j TEE --gateway 198.18.0.12`])
  assert.equal(rules(tableText('nat', topology, n1, odd, until)), [`DETOUR ${to} -j DNAT --to-destination 198.18.0.1:4000`])
})

test('struck packets are counted rule by rule, for one link alone', () => {
  const odd = wrong(['n1', 'n2', { cut: true }], ['clients', 'n2', { lose: 0.5 }])
  const saved = '*filter\n:SPLITBRAIN-IN - [0:0]\n[7:420] -A SPLITBRAIN-IN -s 198.18.0.11/32 -j DROP\n[2:120] -A SPLITBRAIN-IN -p tcp -j DROP\n[9:9] -A INPUT -j SPLITBRAIN-IN\nCOMMIT\n'
  assert.is(struckPackets(saved, { from: 'n1', to: 'n2' }, topology, n2, odd), 7)
  assert.is(struckPackets(saved, { from: 'clients', to: 'n2' }, topology, n2, odd), 2)
})

test.run()
