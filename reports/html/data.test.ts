import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { gunzipSync } from 'node:zlib'
import { History } from '../../checker/history/index.ts'
import { judge } from '../../checker/judge.ts'
import { transactional } from '../../checker/transactional.ts'
import { atOnce, historyOfTransactions } from '../../checker/transactions/testing/small.ts'
import { verdictDocumentSchema } from '../../checker/verdict.ts'
import { fakeTour } from '../testing/tour.ts'
import { decodeColumns, encodeColumns, open } from './columns.ts'
import { capMapOf } from '../cap-svg.ts'
import { factsOf } from '../facts.ts'
import { coverageNote, firstBreak, identifiers, pageContent, warningsOf } from './data.ts'
import { bucketWidth, seriesOf } from './series.ts'
import { readLogs } from './logs.ts'
import { packTimeline } from './timeline.ts'
import { layoutWitness, witnessOperations } from './witness.ts'
import type { Event } from '../../checker/history/index.ts'
import type { FaultWindow, VerdictDocument } from '../../checker/verdict.ts'

const tour = await fakeTour({ seconds: 6, rate: 60 })
const quorum = tour[1]!
const one = tour[2]!
const ms = 1e6

function historyOf(...events: Event[]): History {
  const history = new History()
  for (const event of events) history.push(event)
  return history
}

/** One operation of a process: invoked, and completed unless `end` is null. */
function operation(process: number, f: string, value: number | null, start: number, end: number | null, node = 'n1', type: 'ok' | 'fail' | 'info' = 'ok'): Event[] {
  const common = { process, f, key: 'x', node }
  return [{ ...common, time: start * ms, type: 'invoke', value: f === 'read' ? null : value }, ...(end === null ? [] : [{ ...common, time: end * ms, type, value } as Event])]
}

function inOrder(...operations: Event[][]): History {
  return historyOf(...operations.flat().sort((a, b) => a.time - b.time))
}

test('the made-up tour is a valid set of documents with a stale read and a register that went back in time', async () => {
  const whole = await fakeTour()
  for (const run of whole) verdictDocumentSchema.parse(run.document)
  const rungs = (index: number) => (['linearizable', 'regular'] as const).map((model) => whole[index]!.document.ladder.find((rung) => rung.model === model)!.verdict)
  assert.equal([rungs(0), rungs(1), rungs(2)], [['holds', 'holds'], ['violated', 'holds'], ['violated', 'violated']])
})

test('a curve of completions counts every completion once', () => {
  const { operations } = seriesOf(quorum.history, quorum.document.faults)
  const total = (name: string) => Math.round(operations.curves.find((curve) => curve.name === name)!.values.reduce<number>((sum, value) => sum + (value ?? 0), 0) * operations.width_s!)
  assert.equal([total('ok'), total('fail'), total('info')], [quorum.document.operations.ok, quorum.document.operations.fail, quorum.document.operations.info])
})

test('latency counts from the intended start, and quantiles are values that occurred', () => {
  const history = historyOf(
    { time: 10 * ms, intended: 4 * ms, process: 0, type: 'invoke', f: 'read' },
    { time: 12 * ms, process: 0, type: 'ok', f: 'read' },
  )
  const { latency } = seriesOf(history, [])
  assert.equal(latency.curves.map((curve) => curve.values.filter((value) => value !== null)), [[8], [8], [8]])
})

test('a slice in which nothing was tried is a gap, not zero availability', () => {
  const history = inOrder(operation(0, 'read', 1, 0, 1), operation(1, 'read', 1, 900, 901))
  const { availability } = seriesOf(history, [])
  assert.is(availability.curves[0]!.name, 'all nodes')
  const values = availability.curves[0]!.values
  assert.is(values[0], 1)
  assert.is(values.at(-1), 1)
  assert.is(values[1], null)
})

test('sides of a partition are followed over time', () => {
  const split = { id: 1, fault: 'partition(halves)', from_ns: 10 * ms, to_ns: 20 * ms, healed_ns: 20 * ms, bit: true, evidence: '', targets: [], sides: { majority: ['n1'], minority: ['n2'] } } satisfies FaultWindow
  const history = inOrder(operation(0, 'read', 1, 11, 12, 'n1'), operation(1, 'read', null, 11, 19, 'n2', 'fail'))
  const { availability } = seriesOf(history, [split])
  const shares = (name: string) => availability.curves.find((curve) => curve.name === name)!.values.filter((value) => value !== null)
  assert.equal([shares('majority'), shares('minority')], [[1], [0]])
})

test('replicas diverge from the first peek that differs until one that agrees', () => {
  const peek = (time: number, value: Record<string, number | null>): Event => ({ time, process: 'observer', type: 'ok', f: 'peek', key: 'x', value })
  const { divergence } = seriesOf(historyOf(peek(1e9, { n1: 1, n2: 1 }), peek(2e9, { n1: 2, n2: 1 }), peek(3e9, { n1: 2, n2: 2 })), [])
  assert.equal(divergence.times_s, [1, 2, 3])
  assert.equal(divergence.curves[0]!.values, [0, 1, 0])
})

test('no chart gets more than a few hundred points, however long the run', () => {
  for (const span of [0.001, 1, 60, 3600, 1e6]) assert.ok(span / bucketWidth(span, 240) <= 240.5)
})

test('a cycle of transactions is drawn with an explained edge from each to the next', async () => {
  const history = historyOfTransactions(atOnce([[['append', 'x', 1], ['append', 'y', 1]], [['r', 'x', []], ['r', 'y', [1]]]]))
  const document = await judge(history, { run: null, promised: 'linearizable', judgements: [transactional('serializable')] })
  verdictDocumentSchema.parse(document)
  const { configurations } = pageContent({ title: '', runs: [{ name: 'skew', history, document }], repeat: '', generated: '' })
  const { cycle } = configurations[0]!.witnesses.find((card) => card.cycle !== null)!
  assert.equal(cycle!.transactions.map(({ name, lines }) => [name, ...lines]).sort(([a], [b]) => a!.localeCompare(b!)), [['T0', 'append 1 to x', 'append 1 to y'], ['T1', 'read x = []', 'read y = [1]']])
  assert.equal(cycle!.edges.map(({ from, to, kind }) => [cycle!.transactions[from]!.name, kind, cycle!.transactions[to]!.name]), [['T1', 'rw', 'T0'], ['T0', 'wr', 'T1']])
  assert.match(cycle!.edges[1]!.because, 'T1 read y = [1], which T0 wrote')
})

test('a line of a log stands where its instant lies in the run; one without an instant belongs to the line above', () => {
  const logs = readLogs([{ node: 'n2', text: '2026-01-01T00:00:02.500Z warn late\n  at once\n' }, { node: 'n1', text: 'starting\n2026-01-01T00:00:01.000Z info \u202eready\n' }], '2026-01-01T00:00:00.000Z')
  assert.equal(logs.lines.map((line) => [line.node, line.time_s, line.text]), [['n1', null, 'starting'], ['n1', 1, 'info \\u202eready'], ['n2', 2.5, 'warn late'], ['n2', 2.5, '  at once']])
  assert.is(readLogs([{ node: 'n1', text: '2026-01-01T00:00:01.000Z x' }], null).lines[0]!.time_s, null)
})

test('of very long logs the beginning and the end are kept, and what is missing is counted', () => {
  const logs = readLogs([{ node: 'n1', text: Array.from({ length: 20_000 }, (_, index) => `line ${index}`).join('\n') }], null)
  assert.equal([logs.lines.length, logs.missing, logs.lines[0]!.text, logs.lines.at(-1)!.text], [8000, 12_000, 'line 0', 'line 19999'])
})

test('columns come back as they went in, negative codes and never-completed operations included', () => {
  const columns = {
    length: 3,
    start: Float64Array.of(5, 5, 4_000_000_000),
    duration: Uint32Array.of(1, open, 70_000),
    process: Int32Array.of(0, 65_536, 3),
    kind: Uint8Array.of(0, 6, 5),
    key: Int32Array.of(-1, -2, 1_073_741_823),
    value: Int32Array.of(7, -300, 0),
    row: Uint32Array.of(9, 4, 4_000_000_000),
    node: Uint8Array.of(0, 1, 255),
  }
  assert.equal(decodeColumns(encodeColumns(columns), 3), columns)
})

test('a run within the budget is embedded whole', () => {
  const packed = packTimeline(quorum.history, quorum.document, 1e6)
  const columns = decodeColumns(gunzipSync(Buffer.from(packed.columns, 'base64')), packed.header.length)
  assert.is(packed.header.length, quorum.document.operations.invoked)
  assert.is(packed.header.half_s, null)
  assert.match(coverageNote(packed.header), /^All [\d,]+ operations of the run\.$/)
  const last = columns.length - 1
  assert.ok(Math.abs(columns.start[last]! * 1000 - quorum.history.timeAt(columns.row[last]!)) <= 500)
})

test('beyond the budget every witness and what is around it stays', () => {
  const packed = packTimeline(one.history, one.document, 500)
  const columns = decodeColumns(gunzipSync(Buffer.from(packed.columns, 'base64')), packed.header.length)
  const rows = new Set(columns.row)
  assert.ok(packed.header.length <= 500 && packed.header.length > 400)
  assert.ok(packed.header.half_s !== null && packed.header.half_s > 0)
  for (const witness of one.document.judgements.flatMap((judgement) => judgement.witnesses)) for (const row of witness.operations.slice(0, 300)) assert.ok(rows.has(row))
  assert.match(coverageNote(packed.header), 'within')
})

test('a process that ended in info goes on in the same lane', () => {
  const { header } = packTimeline(quorum.history, quorum.document, 1e6)
  assert.is(header.threads, 10)
  assert.equal(header.lanes.map((lane) => lane.name), ['0 · n1', '5 · n1', '1 · n2', '6 · n2', '2 · n3', '7 · n3', '3 · n4', '8 · n4', '4 · n5', '9 · n5'])
})

test('in a witness the read that says something is marked, not the write that ends later', () => {
  // w(1), then w(2) all the time; r→2 and after it r→1
  const history = inOrder(operation(0, 'write', 1, 0, 1), operation(1, 'write', 2, 2, 20), operation(2, 'read', 2, 3, 4), operation(3, 'read', 1, 5, 6))
  const layout = layoutWitness(witnessOperations(history, [0, 2, 3, 5]))
  assert.equal(layout.operations.map((placed) => [placed.label, placed.last]), [['write 1', false], ['write 2', false], ['read → 2', false], ['read → 1', true]])
  assert.equal(layout.orders, [{ from: 0, to: 1 }, { from: 0, to: 2 }, { from: 2, to: 3 }])
})

test('a witness keeps the order of all events and gives every label its room', () => {
  const history = inOrder(operation(0, 'write', 1, 0, 0.001), operation(1, 'read', null, 10_000, null))
  const { operations, width } = layoutWitness(witnessOperations(history, [0, 2]))
  assert.ok(operations[0]!.x1 - operations[0]!.x0 >= 'write 1'.length * 7)
  assert.ok(operations[1]!.x0 > operations[0]!.x1)
  assert.is(operations[1]!.end_ns, null)
  assert.ok(operations[1]!.x1 < width)
})

test('when something broke is told against the faults', () => {
  assert.is(firstBreak(tour[0]!.history, tour[0]!.document), '')
  assert.match(firstBreak(one.history, one.document), /^The first proof \(not [a-z-]+\) is complete at [\d.]+.s, .+\.$/)
})

test('a missed objective is no proof of anything, and what broke beside the models is named', () => {
  const [abd] = tour
  const broken = (judgement: string, binding: object = {}): VerdictDocument => {
    const document = structuredClone(abd!.document)
    document.judgements = document.judgements.filter((judged) => judged.judgement !== judgement)
    document.judgements.push({ judgement, ...binding, verdict: 'violated', summary: '', operations: 1, witnesses: [{ operations: [0], explanation: '' }], metrics: {} })
    return document
  }
  assert.is(firstBreak(abd!.history, broken('slo', { binding: true })), '')
  assert.match(firstBreak(abd!.history, broken('durability')), /^The first proof \(durability violated\) is complete at /)
  assert.is(firstBreak(abd!.history, { ...broken('durability'), loses_writes: true }), '')
})

test('vacuity is warned of', () => {
  const document = structuredClone(one.document)
  document.faults[0]!.bit = false
  document.faults[1]!.healed_ns = null
  document.operations.ok = 0
  assert.equal(warningsOf(one.document), [])
  assert.is(warningsOf(document).length, 3)
})

test('rows that a witness names and the history lacks are left out', () => {
  const document = structuredClone(one.document)
  document.judgements[0]!.witnesses = [{ operations: [99_999_999], explanation: 'from another history' }]
  const [configuration] = pageContent({ title: '', runs: [{ ...one, document }], repeat: '', generated: '' }).configurations
  const card = configuration!.witnesses.find(({ explanation }) => explanation === 'from another history')!
  assert.equal([card.jsonl, card.moment, card.when], [[], -1, null])
})

test('a witness of thousands of operations is not drawn, and those that can be drawn stand before it', () => {
  const document = structuredClone(one.document)
  const rows = Array.from({ length: one.history.length }, (_, row) => row).filter((row) => one.history.type[row] === 0 && one.history.process[row]! >= 0)
  document.judgements = document.judgements.filter((judgement) => judgement.judgement === 'linearizable')
  document.judgements.unshift({ ...document.judgements[0]!, judgement: 'huge', witnesses: [{ operations: rows, explanation: 'all together' }] })
  const cards = pageContent({ title: '', runs: [{ ...one, document }], repeat: '', generated: '' }).configurations[0]!.witnesses
  assert.is(cards[0]!.judgement, 'linearizable')
  const huge = cards.find((card) => card.judgement === 'huge')!
  assert.equal([huge.layout, huge.size], [null, rows.length])
  assert.ok(huge.jsonl.length <= 800)
})

test('names become unique and harmless identifiers', () => {
  assert.equal(identifiers(['abd', 'ABD', '"><script>', '…', '__proto__']), ['abd', 'abd-2', 'script', 'run-4', 'proto'])
})

test('the CAP map has the impossible corner where a majority is needed', () => {
  const cap = capMapOf(tour.map(({ name, document }) => factsOf(name, document)))
  assert.equal([cap.impossible, cap.levels[0], cap.levels.at(-1)], [{ from: 'linearizable', to: 'regular', share: 0.9 }, 'linearizable', 'none'])
})

test.run()
