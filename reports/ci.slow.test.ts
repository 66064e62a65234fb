import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { compare as compareRuns, headlineOf as headlineOfComparison, renderComparison } from './compare.ts'
import { seededRandom } from '../harness/random.ts'
import { renderAnnotations, renderSummary } from './github.ts'
import { renderJunit } from './junit.ts'
import { renderReport } from './html/page.ts'
import { countsFor, headlineOf } from './promise.ts'
import { fakeTour } from './testing/tour.ts'
import type { VerdictDocument } from '../checker/verdict.ts'

const written = '2026-01-01T00:00:00.000Z'
const tour = await fakeTour({ seconds: 4 })
const [abd, , one] = tour
const compare = (before: Parameters<typeof compareRuns>[0], after: Parameters<typeof compareRuns>[1]) => compareRuns(before, after, seededRandom(1).float)
const changed = (document: VerdictDocument, change: (document: VerdictDocument) => void): VerdictDocument => {
  const copy = structuredClone(document)
  change(copy)
  return copy
}

test('JUnit: a stronger model that broke without being promised fails nothing', () => {
  assert.is(one!.document.judgements.find((judgement) => judgement.judgement === 'linearizable')!.verdict, 'violated')
  const text = renderJunit([one!], { written })
  assert.match(text, /<testsuite .*tests="\d+" failures="0" errors="0"/)
  assert.match(text, 'violated (not promised)')
})

test('JUnit: a broken promise is a failure, unknown is an error, and nothing is skipped', () => {
  const broken = changed(one!.document, (document) => {
    document.promised = 'linearizable'
    document.verdict = document.promise_verdict = 'violated'
  })
  const unknown = changed(abd!.document, (document) => {
    document.verdict = document.promise_verdict = 'unknown'
    document.reason = 'time limit of 60 s'
  })
  const text = renderJunit([{ name: 'one', document: broken }, { name: 'abd', document: unknown }], { written, crashes: [{ name: 'two', message: 'no ports left' }] })
  assert.match(text, '<failure type="violated"')
  assert.match(text, '<error type="unknown" message="time limit of 60 s">')
  assert.not.match(text, 'skipped="1"')
  for (const suite of text.split('<testsuite ').slice(1)) {
    const counted = (pattern: RegExp) => [...suite.matchAll(pattern)].length
    const [, tests, failures, errors] = /tests="(\d+)" failures="(\d+)" errors="(\d+)"/.exec(suite)!.map(Number)
    assert.equal([tests, failures, errors], [counted(/<testcase /g), counted(/<failure /g), counted(/<error /g)])
  }
  assert.match(text, '<error type="unknown" message="no ports left">')
})

/** An objective that abd missed: nothing else is wrong. */
const slow = changed(abd!.document, (document) => {
  document.verdict = 'violated'
  document.judgements.push({ judgement: 'slo', binding: true, verdict: 'violated', summary: 'p99<1ms: 5.3 ms.', operations: 9, witnesses: [], metrics: {} })
})

test('JUnit and headline: a missed objective fails itself and not the promise, which was kept', () => {
  const text = renderJunit([{ name: 'abd', document: slow }], { written })
  assert.match(text, 'failures="1" errors="0"')
  assert.match(text, /<testcase [^>]*name="promise: linearizable" [^>]*\/>/)
  assert.match(text, /name="slo" [^>]*>\n *<failure type="violated" message="p99&lt;1ms: 5.3 ms.">/)
  assert.equal(headlineOf(slow), { word: 'Missed its objectives', about: 'linearizable: holds' })
})

test('a headline names what was broken: the model, or else what broke beside it', () => {
  const { document } = one!
  const broken = { ...document, promised: 'linearizable', verdict: 'violated', promise_verdict: 'violated' } as const
  assert.equal([headlineOf(document), headlineOf(broken)], [{ word: 'Kept its promise', about: 'eventual' }, { word: 'Broke its promise', about: 'linearizable' }])
  const lossy = changed(abd!.document, (copy) => {
    copy.verdict = copy.promise_verdict = 'violated'
    Object.assign(copy.judgements.find(({ judgement }) => judgement === 'durability')!, { verdict: 'violated' })
  })
  assert.equal(headlineOf(lossy), { word: 'Broke its promise', about: 'durability' })
})

test('what was asked for is never called a promise', () => {
  const document = changed(one!.document, (copy) => {
    Object.assign(copy, { promised: 'linearizable', expected: true, verdict: 'violated', promise_verdict: 'violated', sentence: copy.sentence.replace('Promised', 'Expected') })
  })
  const runs = [{ name: 'one', document }]
  assert.equal(headlineOf(document), { word: 'Fell short of what was expected', about: 'linearizable' })
  const texts = { junit: renderJunit(runs, { written }), annotation: renderAnnotations(runs), summary: renderSummary(runs, { title: 'x', repeat: '' }), page: renderReport({ title: 'x', runs: [{ ...one!, document }], repeat: '', generated: '' }) }
  for (const [where, text] of Object.entries(texts)) assert.not.match(text.replace(/<style>.*?<\/style>|<script.*?<\/script>/gs, ''), /promise/i, where)
  assert.match(texts.junit, 'name="expected: linearizable"')
  assert.match(texts.summary, '| 🔴 one | linearizable (expected) |')
})

test('JUnit: what the schemas of Ant and of the xunit plugin demand: the attributes, the order of elements, at most one in a case, times to the millisecond', () => {
  const text = renderJunit([one!, { name: 'imported', document: changed(abd!.document, (document) => (document.run = null)) }], { written, crashes: [{ name: 'two', message: 'no ports left' }] })
  const attributes = 'id="\\d+" package="splitbrain" name="[^"]+" timestamp="\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d" hostname="localhost" tests="\\d+" failures="\\d+" errors="\\d+" skipped="0" time="\\d+\\.\\d{3}"'
  const properties = ' *<properties>\\n( *<property name="[a-z]+" value="[^"]*"/>\\n)* *</properties>\\n'
  const testcase = ' *<testcase classname="[^"]+" name="[^"]+" time="\\d+\\.\\d{3}"(/>|>\\n *<(failure|error) type="[^"]+" message="[^"]*">[^<]*</\\3>\\n *</testcase>)\\n'
  const suite = new RegExp(` *<testsuite ${attributes}>\\n${properties}(?:${testcase})+ *<system-out>[^<]*</system-out>\\n *<system-err></system-err>\\n *</testsuite>\\n`, 'g')
  assert.is(text.replaceAll(suite, ''), '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n</testsuites>\n')
  assert.equal([...text.matchAll(/<testsuite id="(\d+)"/g)].map(([, id]) => id), ['0', '1', '2'])
})

test('JUnit: hostile text stays text', () => {
  const text = renderJunit([{ name: '"><x>&', document: changed(abd!.document, (document) => (document.sentence = ']]> <b> \u0000\u0008\ud800 & "q"\nsecond line')) }], { written })
  assert.is(Array.from(text, (character) => character === '\n' || character >= ' ').includes(false), false)
  assert.not.match(text, /<b>|<x>/)
  assert.match(text, 'classname="splitbrain.&quot;&gt;&lt;x&gt;&amp;"')
  assert.match(text, ']]&gt; &lt;b&gt; \\u0000\\u0008\ufffd &amp; &quot;q&quot;&#10;second line')
})

test('a promise includes everything weaker, convergence and durability', () => {
  const promised = { promised: 'causal' } as const
  assert.is(countsFor(promised, { judgement: 'pram', model: 'pram' }), true)
  assert.is(countsFor(promised, { judgement: 'linearizable', model: 'linearizable' }), false)
  assert.is(countsFor(promised, { judgement: 'convergence', model: 'eventual' }), true)
  assert.is(countsFor(promised, { judgement: 'durability' }), true)
  assert.is(countsFor(promised, { judgement: 'staleness' }), false)
})

test('GitHub: a broken promise is one annotation on one line, with the command that repeats it', () => {
  assert.is(renderAnnotations(tour), '')
  const text = renderAnnotations([{ name: 'a:b,c', document: changed(one!.document, (document) => {
    document.promised = 'linearizable'
    document.verdict = 'violated'
    document.sentence = '100 %\r\n::error::injected'
  }) }])
  assert.match(text, /^::error title=a%3Ab%2Cc%3A violated::100 %25\\u000d%0A::error::injected%0A.*Repeat: npx splitbrain run .*\n$/)
  assert.is(text.split('\n').length, 2)
})

test('GitHub: the summary has a row per configuration, and hostile names are text in it', () => {
  const text = renderSummary([...tour, { name: '| <img src=x> @all `x` [a](b)', document: abd!.document }], { title: 'CAP', repeat: 'npm start -- --seed 3' })
  assert.is([...text.matchAll(/^\| (✅|🔴|⚠️) /gmu)].length, 4)
  assert.match(text, '\\| &lt;img src=x> &#64;all \\`x\\` \\[a\\](b)')
  assert.match(text, '```sh\nnpm start -- --seed 3\n```')
})

test('comparing a run with itself finds nothing new and nothing real', () => {
  const { configurations } = compare([abd!], [abd!])
  assert.equal(configurations[0]!.findings, [])
  assert.equal(configurations[0]!.incomparable, [])
  assert.ok(configurations[0]!.numbers.length >= 4)
  for (const { before, after, low, high, real } of configurations[0]!.numbers) assert.ok(before === after && low <= 0 && high >= 0 && !real)
})

test('what is new, resolved and still there is told apart', () => {
  const better = changed(one!.document, (document) => {
    for (const judgement of document.judgements) if (judgement.judgement === 'regular') Object.assign(judgement, { verdict: 'holds', witnesses: [] })
  })
  const changes = (before: VerdictDocument, after: VerdictDocument) => Object.fromEntries(compare([{ ...one!, document: before }], [{ ...one!, name: 'b', document: after }]).configurations[0]!.findings.map((finding) => [finding.judgement, finding.change]))
  assert.equal([changes(one!.document, better)['linearizable'], changes(one!.document, better)['regular']], ['still there', 'resolved'])
  assert.equal([changes(better, one!.document)['linearizable'], changes(better, one!.document)['regular']], ['still there', 'new'])
})

test('runs that were made differently are not compared in numbers, and it is said why', () => {
  const other = changed(abd!.document, (document) => {
    document.run = { ...document.run!, clients: 50 }
    document.faults = []
  })
  const [change] = compare([abd!], [{ ...abd!, document: other }]).configurations
  assert.is(change!.incomparable.length, 2)
  assert.equal(change!.numbers, [])
  assert.match(renderComparison(compare([abd!], [{ ...abd!, document: other }])), 'not comparable: clients was 10 and is 50')
})

test('another preset, another promise and another expectation are no regression, and that is said', () => {
  const across = compare([abd!], [one!])
  assert.equal(across.configurations[0]!.incomparable, ['preset was abd and is one', 'it was judged against linearizable (promised) and is judged against eventual (promised)'])
  const asked = changed(one!.document, (document) => Object.assign(document, { promised: 'linearizable', expected: true, verdict: 'violated' }))
  const before = changed(one!.document, (document) => (document.loses_writes = true))
  const same = compare([{ ...one!, document: before }], [{ ...one!, document: asked }])
  assert.equal(same.configurations[0]!.incomparable, ['it was judged against eventual (promised) and is judged against linearizable (expected)', 'lost writes were not counted and are counted'])
  assert.is(headlineOfComparison(same), 'Nothing that counts is newly violated, but the runs are not comparable')
  assert.is(headlineOfComparison(compare([abd!], [abd!])), 'Nothing that counts is newly violated')
})

test('configurations that are on one side only are named', () => {
  const { onlyBefore, onlyAfter } = compare(tour, tour.slice(0, 2).concat({ ...tour[0]!, name: 'new' }))
  assert.equal([onlyBefore, onlyAfter], [['one'], ['new']])
})

test.run()
