import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { availabilityOf } from './availability.ts'
import { faultWindows } from './faults.ts'
import { judge, judgements } from './judge.ts'
import { ladderOf, strongestOf, weakerThan } from './ladder.ts'
import { latencyOf } from './latency.ts'
import { periodsOf } from './periods.ts'
import { vacuity } from './vacuity.ts'
import { models, verdictDocumentSchema } from './verdict.ts'
import { setFull } from './set-full.ts'
import { context } from './testing/context.ts'
import { Suite } from './testing/monotone.ts'
import { RunBuilder } from './testing/run.ts'
import type { History } from './history/index.ts'
import type { JudgementVerdict, Model, VerdictDocument, VerdictWord } from './verdict.ts'

const suite = new Suite()
const sides = { majority: ['n1', 'n2'], minority: ['n3'] }
const cap = (): RunBuilder =>
  new RunBuilder()
    .write('x', 1, 0, 5)
    .fault('partition(majority-minority)', 10, 100, 110, { sides })
    .write('x', 2, 20, 25)
    .op('read', 'x', 1, { from: 40, to: 42, node: 'n3' })
    .op('read', 'x', null, { from: 50, to: 60, node: 'n3', outcome: 'info' })
    .op('read', 'x', 2, { from: 90, to: 105, node: 'n3' })
    .read('x', 2, 120, 121)
    .quiesce(130)

const of = (document: VerdictDocument, model: Model): string => {
  const { verdict, by } = document.ladder.find((rung) => rung.model === model)!
  return `${verdict} (${by})`
}

test('fault windows last from the observed effect to the beginning of the heal', () => {
  assert.equal(faultWindows(cap().history()), [{ id: 1, fault: 'partition(majority-minority)', from_ns: 10e6, to_ns: 100e6, healed_ns: 110e6, bit: true, evidence: 'seen', targets: [], sides }])
})

test('overlapping faults, one that did not bite and one that never healed, are told apart', () => {
  const windows = faultWindows(new RunBuilder().fault('kill', 10, 50, 55).fault('pause', 20, 60, null).fault('slow', 30, 70, 75, { bit: false }).history())
  assert.equal(windows.map(({ id, bit, healed_ns, to_ns }) => [id, bit, healed_ns, to_ns]), [[1, true, 55e6, 50e6], [2, true, null, 60e6], [3, false, 75e6, 70e6]])
})

test('what nodes counted stands in the document as they told it, and changes no verdict', async () => {
  const counted = { n1: { hints_kept: 3, epoch: 2 }, n2: { hints_kept: 0 } }
  const run = () => cap().peek('x', 140, { n1: 2, n2: 2, n3: 2 })
  const judged = (history: History) => judge(suite.seen(history), { run: null, promised: 'eventual' })
  const plain = await judged(run().history())
  const { counters, ...told } = await judged(run().counters(140, counted).history())
  assert.equal(counters, counted)
  assert.equal(told, plain)
  assert.is(plain.counters, undefined)
  assert.equal(await judged(run().counters(140, { n1: 'three' }).history()), plain)
  verdictDocumentSchema.parse({ ...told, counters })
})

test('availability counts what began and ended within the period, by side and node; what was still open is left out', () => {
  const history = cap().history()
  const rows = availabilityOf(history, faultWindows(history))
  const at = (period: string, group: string) => rows.find((row) => row.period === period && row.group === group)
  assert.equal(at('1:partition(majority-minority)', 'minority'), { period: '1:partition(majority-minority)', group: 'minority', attempted: 2, ok: 1, fail: 0, info: 1, share: 0.5 })
  assert.is(at('1:partition(majority-minority)', 'majority')!.share, 1)
  assert.is(at('healthy', 'all')!.attempted, 2)
  assert.is(at('all', 'all')!.attempted, 6)
  assert.is(at('all', 'n3')!.attempted, 3)
})

test('beside a fault stands the healthy time before and after it, as long as the fault and never inside another', () => {
  const fault = { fault: 'kill(one)', bit: true, evidence: '', targets: ['n1'], sides: {} }
  const periods = periodsOf([{ ...fault, id: 1, from_ns: 100, to_ns: 150, healed_ns: 160 }, { ...fault, id: 2, from_ns: 200, to_ns: 300, healed_ns: null }])
  assert.equal(periods.slice(4).map(({ name, spans, struck }) => [name, ...spans.flat(), ...struck!]), [
    ['before 1:kill(one)', 50, 100, 'n1'],
    ['after 1:kill(one)', 160, 200, 'n1'],
    ['before 2:kill(one)', 160, 200, 'n1'],
  ])
})

test('latency counts from the intended start, and only what succeeded', () => {
  const history = new RunBuilder().op('read', 'x', null, { from: 100, to: 104, intended: 20 }).op('write', 'x', 1, { from: 0, to: 1000, outcome: 'fail' }).history()
  const row = latencyOf(history, []).find(({ period, group, f }) => period === 'all' && group === 'n1' && f === 'all')!
  assert.is(row.count, 1)
  assert.ok(Math.abs(row.max_ms! - 84) < 0.1)
})

test('a store that promises to converge passes when it does, and its ladder says what it broke', async () => {
  const document = await judge(suite.seen(cap().peek('x', 150, { n1: 2, n3: 1 }).peek('x', 1300, { n1: 2, n3: 2 }).history()), { run: null, promised: 'eventual' })
  verdictDocumentSchema.parse(document)
  assert.is(document.verdict, 'holds')
  assert.is(of(document, 'linearizable'), 'violated (linearizable)')
  assert.is(of(document, 'regular'), 'violated (regular)')
  assert.is(of(document, 'causal'), 'holds (causal)')
  assert.is(of(document, 'sequential'), 'holds (sequential)')
  assert.is(document.strongest, 'sequential')
  assert.is(document.sentence, 'Promised eventual. Holds: not refuted by 6 operations. Converged 1.2 s after the heal. No acknowledged write lost.')
})

test('a broken promise is told with its extent, its moment and the fault', async () => {
  const document = await judge(suite.seen(cap().peek('x', 1310, { n1: 1, n3: 1 }).history()), { run: null, promised: 'linearizable' })
  assert.is(document.verdict, 'violated')
  assert.is(document.sentence, 'Promised linearizable. Violated: 1 of 1 key; the first after 0.04 s, 0.03 s into partition(majority-minority). Converged 1.2 s after the heal. 1 acknowledged write lost.')
})

test('a lost write breaks the promise of a store whose clients saw nothing wrong', async () => {
  const document = await judge(suite.seen(new RunBuilder().write('x', 1, 0, 5).read('x', 1, 6, 8).write('x', 2, 10, 15).quiesce(20).peek('x', 30, { n1: 1 }).history()), { run: null, promised: 'linearizable' })
  assert.is(of(document, 'linearizable'), 'holds (linearizable)')
  assert.is(document.verdict, 'violated')
  assert.is(document.sentence, 'Promised linearizable. Violated: durability. Converged 0.01 s after the last write. 1 acknowledged write lost.')
})

test('a fault that did not bite, or too little traffic, makes the verdict unknown, never a pass', async () => {
  const quiet = await judge(suite.seen(new RunBuilder().write('x', 1, 0, 5).read('x', 1, 6, 8).fault('kill', 10, 20, 25, { bit: false }).history()), { run: null, promised: 'linearizable' })
  assert.is(quiet.verdict, 'unknown')
  assert.match(quiet.reason!, '1:kill did not bite (not seen)')
  const small = await judge(suite.seen(new RunBuilder().write('x', 1, 0, 5).read('x', 1, 6, 8).history()), { run: null, promised: 'linearizable', okMin: 10 })
  assert.match(small.reason!, 'only 2 operations succeeded')
})

test('a violation outranks a vacuous run', async () => {
  const document = await judge(suite.seen(new RunBuilder().write('x', 1, 0, 5).read('x', null, 6, 8).fault('kill', 10, 20, null).history()), { run: null, promised: 'linearizable' })
  assert.is(document.verdict, 'violated')
})

test('an empty history, and a judgement that fails, are unknown with the reason', async () => {
  assert.is((await judge(suite.seen(new RunBuilder().history()), { run: null, promised: 'eventual' })).verdict, 'unknown')
  const failing = { name: 'linearizable', describes: '', judge: () => { throw new Error('out of ideas') } }
  const document = await judge(suite.seen(cap().history()), { run: null, promised: 'linearizable', judgements: [failing] })
  assert.match(document.judgements[0]!.reason!, 'out of ideas')
  assert.is(document.verdict, 'unknown')
})

test('where no operation succeeded no model was seen to hold, and none is the strongest', async () => {
  const document = await judge(new RunBuilder().op('write', 'x', 1, { from: 0 }).op('read', 'x', null, { from: 1 }).history(), { run: null, promised: 'linearizable' })
  assert.equal([document.verdict, document.promise_verdict, document.strongest], ['unknown', 'unknown', null])
  assert.equal(document.ladder.filter(({ verdict }) => verdict === 'holds'), [])
  assert.match(document.sentence, /^Promised linearizable\. Unknown: vacuous: only 0 operations succeeded/)
})

test('what was asked for is told as expected, not as promised', async () => {
  const history = (): History => suite.seen(cap().peek('x', 1310, { n1: 1, n3: 1 }).history())
  const [own, asked] = [await judge(history(), { run: null, promised: 'linearizable' }), await judge(history(), { run: null, promised: 'linearizable', expected: true })]
  assert.equal([own.expected, asked.expected], [undefined, true])
  assert.is(asked.sentence, own.sentence.replace('Promised', 'Expected'))
  assert.is(verdictDocumentSchema.safeParse(asked).success, true)
})

test('equal histories give equal documents', async () => {
  const document = async (): Promise<string> => JSON.stringify(await judge(suite.seen(cap().peek('x', 1310, { n1: 1, n3: 1 }).history()), { run: null, promised: 'linearizable' }))
  assert.is(await document(), await document())
})

const verdictOn = (model: Model, verdict: VerdictWord): JudgementVerdict => ({ judgement: model, model, verdict, summary: '', operations: 0, witnesses: [], metrics: {} })

test('a violated rung takes every stronger one with it; one that holds every weaker one', () => {
  const broken = ladderOf([verdictOn('monotonic-reads', 'violated'), verdictOn('linearizable', 'unknown')])
  assert.equal(broken.filter((rung) => rung.verdict === 'violated').map((rung) => rung.model), ['linearizable', 'sequential', 'causal-convergence', 'causal-memory', 'causal', 'pram', 'monotonic-reads'])
  const held = ladderOf([verdictOn('linearizable', 'holds')])
  assert.equal(held.filter((rung) => rung.verdict === 'unknown').map((rung) => rung.model), ['eventual'])
  assert.is(strongestOf(held), 'linearizable')
})

test('no model implies itself, eventual stands alone, regular implies no session guarantee, and weak causal only one', () => {
  for (const model of models) assert.not(weakerThan(model).includes(model))
  assert.equal(weakerThan('eventual'), [])
  assert.equal(weakerThan('regular'), ['safe'])
  assert.equal(weakerThan('weak-causal'), ['read-your-writes'])
})

test('every history above is monotone along the ladder', () => suite.check())

test('a workload of other objects is judged by them where its promise rests on them, and otherwise says why nothing is judged', async () => {
  const history = suite.seen(new RunBuilder().op('add', 's', 1, { from: 0, to: 5 }).op('read', 's', [1], { from: 10, to: 15 }).history())
  const run = { name: 'x', started: '', system: 'x', preset: null, workload: 'set', driver: 'sim', nodes: [], clients: 1, time_ms: 1, seed: 1, version: '1', repeat: 'x' }
  const verdictWhere = async (binding: boolean): Promise<string | undefined> => {
    const { verdict, reason } = await judge(history, { run, promised: 'monotonic-reads', judgements: [{ ...setFull(), binding }], okMin: 1 })
    return reason ?? verdict
  }
  assert.is(await verdictWhere(true), 'holds')
  assert.match((await verdictWhere(false))!, /^monotonic-reads was not judged: .* take several operations of this store/)
})

test('a run that was interrupted, or died before its end, is unknown at best', async () => {
  const reasonOf = async (run: RunBuilder): Promise<string | undefined> => (await vacuity.judge(run.history(), context)).reason
  const begun = (): RunBuilder => new RunBuilder().write('x', 1, 0, 5).read('x', 1, 6, 8).counters(9, {})
  assert.is(await reasonOf(begun().quiesce(10)), undefined)
  assert.is(await reasonOf(begun().quiesce(10).interrupted(11)), 'vacuous: the run was interrupted')
  assert.is(await reasonOf(begun()), 'vacuous: the history ends before the run did')
})

test('a fault that met no client proves nothing, unless it comes again', async () => {
  const reasonOf = async (run: RunBuilder): Promise<string | undefined> => {
    const history = run.counters(190, {}).quiesce(200).history()
    return (await vacuity.judge(history, { ...context, faults: faultWindows(history) })).reason
  }
  const between = (from: number, to: number): RunBuilder => new RunBuilder().write('x', 1, 0, from).fault('kill(one)', 20, 40, 50).read('x', 1, to, to + 5)
  assert.is(await reasonOf(between(5, 60)), 'vacuous: no client was at work while kill(one) lasted')
  assert.is(await reasonOf(between(5, 45)), undefined, 'while it healed')
  assert.is(await reasonOf(between(20, 60)), undefined, 'while it was injected')
  assert.is(await reasonOf(between(70, 80)), undefined, 'one that waited all the time')
  assert.is(await reasonOf(between(5, 45).fault('kill(one)', 100, 120, 130)), undefined)
  assert.is(await reasonOf(between(5, 45).fault('pause(one)', 100, 120, 130)), 'vacuous: no client was at work while pause(one) lasted')
})

test('what replicas had no time to agree on in a run that was cut short is no violation; what breaks a model is', async () => {
  const run = { name: 'x', started: '', system: 'x', preset: null, workload: 'register', driver: 'sim', nodes: [], clients: 1, time_ms: 1, seed: 1, version: '1', repeat: 'x' }
  const verdictOf = async (builder: RunBuilder): Promise<[VerdictWord, boolean | null]> => {
    const { verdict, convergence } = await judge(suite.seen(builder.history()), { run, promised: 'linearizable', okMin: 1 })
    return [verdict, convergence.agreed]
  }
  const apart = (): RunBuilder => new RunBuilder().write('x', 1, 0, 5).write('x', 2, 6, 8).read('x', 2, 9, 10).quiesce(11).peek('x', 12, { n1: 1, n2: 2 })
  assert.equal(await verdictOf(apart()), ['violated', false])
  assert.equal(await verdictOf(apart().interrupted(13)), ['unknown', null])
  assert.equal(await verdictOf(apart().read('x', 1, 13, 14).interrupted(15)), ['violated', null])
})

/** An imported history, by every judgement there is. */
const imported = (run: RunBuilder): Promise<VerdictDocument> => judge(run.history(), { run: null, promised: 'linearizable', judgements: judgements() })
const found = (document: VerdictDocument, name: string): JudgementVerdict => document.judgements.find(({ judgement }) => judgement === name)!

test('an object that is broken is not linearizable, though the register judgements say nothing of it', async () => {
  const document = await imported(new RunBuilder().op('add', 's', 1, { from: 0, to: 5 }).read('s', [], 10, 12))
  assert.is(document.verdict, 'violated')
  assert.is(of(document, 'linearizable'), 'violated (set-full)')
  assert.match(document.sentence, /^Promised linearizable\. Violated \(set-full\): 1 witness/)
  assert.match(found(document, 'linearizable').summary, /^Not judged: event 0 invokes "add", which a cas-register does not know/)
  verdictDocumentSchema.parse(document)
})

test('a register of maps is no bank, whatever its values add up to', async () => {
  const document = await imported(new RunBuilder().write('x', { a: 1 }, 0, 5).read('x', { a: 1 }, 10, 12).write('x', { a: 2 }, 20, 25).read('x', { a: 2 }, 30, 32))
  assert.is(found(document, 'bank').reason, 'there is no bank')
  assert.is(document.verdict, 'holds')
})

test('of several judgements of one rung the one that refutes counts, then the one that decides', () => {
  const says = (verdict: VerdictWord, judgement: string): JudgementVerdict => ({ judgement, model: 'linearizable', verdict, summary: '', operations: 0, witnesses: [], metrics: {} })
  const rung = (...words: readonly JudgementVerdict[]): unknown => { const { verdict, by } = ladderOf(words)[0]!; return [verdict, by] }
  assert.equal(rung(says('violated', 'a'), says('unknown', 'b'), says('holds', 'c')), ['violated', 'a'])
  assert.equal(rung(says('unknown', 'b'), says('violated', 'a')), ['violated', 'a'])
  assert.equal(rung(says('holds', 'c'), says('unknown', 'b')), ['holds', 'c'])
})

test('a read of the initial value that was also written is left out, and the reason says so', async () => {
  const run = new RunBuilder().write('x', 1, 0, 5).write('x', null, 10, 15).read('x', null, 20, 22)
  assert.is(found(await imported(run), 'regular').reason, '1 reads returned the initial value, which was also written (the first on key "x")')
  const twice = new RunBuilder().write('x', 1, 0, 5).write('x', 1, 10, 15).read('x', 1, 20, 22)
  assert.is(found(await imported(twice), 'regular').reason, '1 reads returned a value that was written more than once (the first on key "x")')
})

test('a history whose end is torn says so in its document', async () => {
  const history = new RunBuilder().write('x', 1, 0, 5).read('x', 1, 10, 12).history()
  assert.is((await judge(history, { run: null, promised: 'linearizable' })).truncated, undefined)
  history.truncated = true
  const document = await judge(history, { run: null, promised: 'linearizable' })
  assert.is(document.truncated, true)
  verdictDocumentSchema.parse(document)
})

test.run()
