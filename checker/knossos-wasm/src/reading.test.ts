/** Reading histories: good ones, and what is said about bad ones. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { History, HistoryError } from './history.ts'
import { JsonlReader, formatOf, readHistory, readJsonl } from './index.ts'
import { readJsonlFile } from './read-file.ts'
import { chance } from './testing/random-history.ts'
import type { ReadOptions } from './index.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const line = (process: number | string, type: string, f: string, value: unknown, time: number | string): string =>
  `{"process":${JSON.stringify(process)},"type":"${type}","f":"${f}","value":${JSON.stringify(value)},"time":${time}}\n`

/** What a history knows of all its rows. */
const survey = ({ length, inTimeOrder, largestValue, keyMin, keyMax }: History): unknown => ({ length, inTimeOrder, largestValue, keyMin, keyMax })

function refusal(text: string, read: (b: Uint8Array) => History = readJsonl): HistoryError {
  try {
    read(bytes(text))
  } catch (error) {
    assert.instance(error, HistoryError)
    return error as HistoryError
  }
  return assert.unreachable(`accepted: ${text}`) as never
}

test('an event is read as it was written', () => {
  const text = '{"index":0,"time":1234,"process":3,"type":"invoke","f":"write","key":"k7","value":12,"node":"n1"}\n{"index":1,"time":1300,"process":3,"type":"info","f":"write","key":"k7","value":null,"error":"timeout"}\n'
  const history = readJsonl(bytes(text))
  assert.equal(history.event(0), { index: 0, time: 1234, process: 3, type: 'invoke', f: 'write', key: 'k7', value: 12, node: 'n1' })
  assert.equal(history.event(1), { index: 1, time: 1300, process: 3, type: 'info', f: 'write', key: 'k7', value: null, error: 'timeout' })
})

test('mistakes are named by their line', () => {
  for (const [text, code, at] of [
    [line(1, 'ok', 'read', 1, 5), 'NOT_OPEN', 1],
    [line(1, 'invoke', 'read', null, 5) + line(1, 'invoke', 'read', null, 6), 'ALREADY_OPEN', 2],
    [line(1, 'invoke', 'read', null, 5) + '\n' + line(1, 'ok', 'write', null, 6), 'WRONG_FUNCTION', 3],
    [line(1, 'begin', 'read', null, 5), 'UNKNOWN_TYPE', 1],
    [line(0, 'invoke', 'write', 1, 10) + line(0, 'ok', 'write', 1, 5), 'BACK_IN_TIME', 2],
    [line(0, 'invoke', 'write', 1, 0) + line(0, 'ok', 'write', 1, 10) + line(0, 'invoke', 'write', 2, 5), 'BACK_IN_TIME', 3],
    ['{"process":1,"type":"invoke","f":"read","time":NaN}\n', 'NOT_JSON', 1],
    ['{"process":1,"type":"invoke","f":"read","time":"soon"}\n', 'BAD_TIME', 1],
    ['{"process":1.5,"type":"invoke","f":"read","time":1}\n', 'BAD_PROCESS', 1],
    [line(0, 'invoke', 'read', null, 5) + line(-1, 'invoke', 'read', null, 6), 'BAD_PROCESS', 2],
    [line(-7, 'invoke', 'read', null, 6), 'BAD_PROCESS', 1],
    ['{"process":1,"type":"invoke","f":"read","time":1}\n{"process":02,"type":"invoke","f":"read","time":2}\n', 'NOT_JSON', 2],
    ['{"process":1,"type":"invoke","f":"read","time":1}\n{"process":2.5,"type":"invoke","f":"read","time":2}\n', 'BAD_PROCESS', 2],
    ['[1]\n', 'NOT_AN_EVENT', 1],
    [line(1, 'invoke', 'read', null, 5) + '{"process":1,"ty', 'TRUNCATED', 2],
  ] as const) {
    const error = refusal(text)
    assert.is(error.code, code, error.message)
    assert.is(error.line, at)
    assert.ok(error.message.startsWith(`line ${at}: `), error.message)
  }
})

test('a torn last line is tolerated when told', () => {
  const history = readJsonl(bytes(line(1, 'invoke', 'read', null, 5) + '{"process":1,"ty'), { tolerateTruncation: true })
  assert.is(history.length, 1)
  assert.ok(history.truncated)
})

test('a lenient reader warns by line and reads the rest', () => {
  const history = readJsonl(bytes(line(1, 'ok', 'read', 1, 5) + line(2, 'invoke', 'write', 1, 6) + 'nonsense\n' + line(2, 'invoke', 'write', 2, 7) + line(2, 'ok', 'write', 2, 8)), { lenient: true })
  assert.is(history.length, 3)
  assert.is(history.pair[0], -1)
  assert.is(history.warnings.length, 3)
  assert.match(history.warnings[1]!, /^line 3: /)
})

test('a file may come in pieces of any size, in one buffer that is filled again and again', () => {
  const text = Array.from({ length: 50 }, (_, i) => line(i % 3, i % 6 < 3 ? 'invoke' : 'ok', 'write', i % 6 < 3 ? i : i - 3, i)).join('')
  const whole = readJsonl(bytes(text))
  for (const size of [1, 7, 64, 1000]) {
    const reader = new JsonlReader()
    const buffer = Buffer.alloc(size)
    const all = bytes(text)
    for (let at = 0; at < all.length; at += size) {
      const piece = all.subarray(at, at + size)
      buffer.set(piece)
      reader.push(buffer.subarray(0, piece.length))
    }
    const history = reader.end()
    assert.is(history.length, whole.length)
    for (let row = 0; row < whole.length; row++) assert.equal(history.event(row), whole.event(row))
  }
})

test('the byte scanner reads what JSON.parse reads', () => {
  const plain = [0, 7, 123456789012, null, 'v1', 'x y', [1, 2], [null, 3], ['a', 'b'], true, -5, 1.5, { a: [1] }, [1, 2, 3], 'quote"', '\u00fc\n', 2 ** 30, 2 ** 31]
  const events = plain.flatMap((value, i) => [
    { index: 2 * i, time: 10 * i, process: i, type: 'invoke', f: i % 2 === 0 ? 'write' : 'ca"s', key: value, value, node: `n${i % 3}` },
    { index: 2 * i + 1, time: 10 * i + 5, process: i, type: ['ok', 'fail', 'info'][i % 3]!, f: i % 2 === 0 ? 'write' : 'ca"s', key: value, value: null, node: `n${i % 3}` },
    { index: 0, time: 10 * i + 6, process: 'nemesis', type: 'info', f: 'kill', value },
  ])
  const twice = [...events, ...events.map((event) => ({ ...event, time: event.time + 1000, ...(typeof event.process === 'number' ? { process: event.process + 100 } : {}) }))]
  const fast = readJsonl(bytes(twice.map((event) => `${JSON.stringify(event)}\n`).join('')))
  const spaced = readJsonl(bytes(twice.map((event) => `${JSON.stringify(event).replace(/,"(?=[a-z]+":)/g, ', "').replace(/"(index|time|process|type|f|key|value|node)":/g, '"$1": ')}\r\n`).join('')))
  const careful = readJsonl(bytes(twice.map((event) => `${JSON.stringify({ unheard: 1, ...event })}\n`).join('')))
  assert.is(fast.length, twice.length)
  for (let row = 0; row < twice.length; row++) {
    assert.equal(fast.event(row), careful.event(row))
    assert.equal(spaced.event(row), careful.event(row))
  }
})

test('numbers and names of all lengths are read alike, twice in a row and after others', () => {
  const next = chance(1)
  const digits = (most: number): number => Number(`${1 + next(9)}${Array.from({ length: next(most) }, () => next(10)).join('')}`)
  const text = (): string => Array.from({ length: next(20) }, () => 'abcd \u00e9'[next(6)]!).join('')
  const events = Array.from({ length: 4000 }, (_, process) => {
    const value = [digits(9), digits(17), text(), [digits(9), text()], [digits(3), digits(9)], null, 0, -digits(5), digits(4) / 8, digits(3) * 1e20][next(10)]
    return { index: process, time: process === 0 ? 0 : digits(14), process, type: 'invoke', f: text(), key: [digits(8), text(), null][next(3)], value }
  })
  const lines = events.map((event) => `${JSON.stringify(event)}\n`)
  const [fast, careful] = [readJsonl(bytes(lines.join(''))), readJsonl(bytes(lines.map((one) => one.replace('{', '{"unheard":1,')).join('')))]
  assert.is(fast.length, events.length)
  assert.equal(survey(fast), survey(careful))
  for (let row = 0; row < events.length; row++) assert.equal(fast.event(row), careful.event(row))
})

test('strings with backslashes are not taken for the shorter names that they begin with', () => {
  const texts = ['a\\\\', 'abcdefgh\\\\', 'a', 'a\\', 'a"', 'a\\"', 'a\\b', 'abcdefgh', 'abcdefgh\\', 'abcdefgh"', 'abcdefgh\\"i', ',', '",', '\\",']
  const lines = [...texts, ...texts, ...texts.toReversed()].map((value, process) => `${JSON.stringify({ process, type: 'invoke', f: value, key: value, value, time: process })}\n`)
  const [fast, careful] = [readJsonl(bytes(lines.join(''))), readJsonl(bytes(lines.map((one) => one.replace('{', '{"unheard":1,')).join('')))]
  for (let row = 0; row < lines.length; row++) assert.equal(fast.event(row), careful.event(row))
})

test('a line that lacks a field is refused after many that have them all, as it is by itself', () => {
  const whole = Array.from({ length: 40 }, (_, i) => line(i, 'invoke', 'write', i, i)).join('')
  const event = { process: 99, type: 'invoke', f: 'write', value: 1, time: 99 }
  for (const name of ['process', 'type', 'f', 'time'] as const) {
    const without = JSON.stringify({ ...event, [name]: undefined })
    const [fast, careful] = [refusal(`${whole}${without}\n`), refusal(`${whole}${without.replace('{', '{"unheard":1,')}\n`)]
    assert.is(fast.message, careful.message.replace('"unheard":1,', ''))
    assert.is(fast.line, 41)
  }
})

test('blocks of events are in order of time only if each begins after the one before', () => {
  for (const [last, inTimeOrder] of [[8, true], [6, false]] as const) {
    const reader = new JsonlReader()
    for (const [process, time] of [[0, 1], [1, 7], [2, last]] as const) reader.push(bytes(line(process, 'invoke', 'write', process, time)))
    assert.is(reader.end().inTimeOrder, inTimeOrder)
  }
})

test('numbers of plain lines are stored whole, and within the bounds that the history tells', () => {
  const events = [[0, 5, 3], [1, 9, 70], [300, 2, 1000], [2, 40_000, 40], [70_000, 7, 6]].map(([process, key, value], index) => ({ index, time: index, process: process!, type: 'invoke' as const, f: 'write', key: key!, value: value! }))
  const history = readJsonl(bytes(events.map((event) => `${JSON.stringify(event)}\n`).join('')))
  assert.equal(survey(history), { length: 5, inTimeOrder: true, largestValue: 1000, keyMin: 2, keyMax: 40_000 })
  for (const [row, event] of events.entries()) assert.equal(history.event(row), event)
})

test('epoch nanoseconds beyond 2^53 keep their order', () => {
  const history = readJsonl(bytes(line(1, 'invoke', 'read', null, '1790000000123456789') + line(2, 'invoke', 'read', null, '1790000000123456790')))
  assert.is(history.timeAt(1) - history.timeAt(0), 1)
})

test('values beyond 2^53 that differ stay different', () => {
  const history = readJsonl(bytes('{"process":1,"type":"invoke","f":"write","value":9007199254740993,"time":1}\n{"process":2,"type":"invoke","f":"write","value":9007199254740992,"time":2}\n'))
  assert.is.not(history.value[0], history.value[1])
  const array = readHistory(bytes('[{"process":1,"type":"invoke","f":"write","value":9007199254740993},{"process":2,"type":"invoke","f":"write","value":9007199254740992}]'))
  assert.is.not(array.value[0], array.value[1])
})

test('a number with many digits behind its point is a number', () => {
  for (const value of [0.1 + 0.2, Math.PI * 1e3, Math.PI * 1e300, -Math.E * 1e-7]) assert.is(readJsonl(bytes(line(1, 'invoke', 'write', value, 1))).event(0).value, value)
})

test('without times the order of the lines counts; times on some lines only are refused', () => {
  const history = readJsonl(bytes('{"process":1,"type":"invoke","f":"read"}\n{"process":1,"type":"ok","f":"read","value":1}\n'))
  assert.equal([history.timeAt(0), history.timeAt(1)], [0, 1])
  assert.is(refusal('{"process":1,"type":"invoke","f":"read"}\n{"process":1,"type":"ok","f":"read","time":4}\n').code, 'BAD_TIME')
})

test('the formats are told apart', () => {
  assert.is(formatOf(bytes('{"process":1}')), 'jsonl')
  for (const blank of ['', '\n', ' \n\n']) assert.is(formatOf(bytes(blank)), 'jsonl')
  assert.is(formatOf(bytes('; a comment\n[{:process 1}]')), 'edn')
  assert.is(formatOf(bytes('{:process 1, :type :invoke}')), 'edn')
  assert.is(formatOf(bytes('[{"process":1}]')), 'json')
  assert.is(formatOf(bytes('INFO  jepsen.util - 4\t:invoke\t:read\tnil')), 'etcd-log')
})

test('EDN: keywords, comments, tags, discarded forms, big integers', () => {
  const history = readHistory(bytes(`; first\n[#jepsen.history.Op{:process 0, :type :invoke, :f :write, :value #{1 2}, :time 5}\n #_ {:ignored true}\n {:process 0, :type :ok, :f :write, :value [1 2], :time 6}\n {:process 1, :type :invoke, :f :read, :value "a\\"b", :time 6}\n {:process :nemesis, :type :info, :f :kill, :value [:n1 nil], :time 7}]`))
  assert.is(history.length, 4)
  assert.equal(history.event(0).value, [1, 2])
  assert.is(history.event(2).value, 'a"b')
  assert.is(history.event(3).process, 'nemesis')
})

test('a process whose times go back is refused in every format, and by the history itself', () => {
  const edn = '[{:process 0 :type :invoke :f :write :value 1 :time 10}\n {:process 0 :type :ok :f :write :value 1 :time 5}]'
  assert.equal([refusal(edn, readHistory).code, refusal(edn, readHistory).line], ['BACK_IN_TIME', 2])
  const history = new History()
  history.push({ time: 10, process: 0, type: 'invoke', f: 'write', value: 1 })
  assert.throws(() => history.push({ time: 5, process: 0, type: 'ok', f: 'write', value: 1 }), /event 1 has time 5, before event 0 of the same process, which has time 10/)
  history.push({ time: 10, process: 0, type: 'ok', f: 'write', value: 1 })
  assert.is(history.length, 2)
})

test('events of different processes may stand in any order', () => {
  const history = readJsonl(bytes(line(0, 'invoke', 'write', 1, 10) + line(0, 'ok', 'write', 1, 12) + line(1, 'invoke', 'read', null, 2) + line(1, 'ok', 'read', null, 4)))
  assert.equal([history.length, history.inTimeOrder], [4, false])
})

test('lenient: what goes back in time is left out with a warning, and its operation never completes', () => {
  const history = readJsonl(bytes(line(0, 'invoke', 'write', 1, 10) + line(0, 'ok', 'write', 1, 5)), { lenient: true })
  assert.equal([history.length, history.pair[0]], [1, -1])
  assert.match(history.warnings[0]!, /^line 2: event 1 has time 5/)
})

test('a write that is acknowledged with another value is refused; without a value, or as it was asked for, it is not', () => {
  const reply = (f: string, asked: unknown, got: unknown): string => line(0, 'invoke', f, asked, 1) + line(0, 'ok', f, got, 2)
  for (const [f, asked, got] of [['write', 1, 2], ['write', null, 2], ['write', 'a', 1], ['cas', [1, 2], [1, 3]]] as const) {
    const error = refusal(reply(f, asked, got), readHistory)
    assert.equal([error.code, error.event], ['CHANGED_WRITE', 1], error.message)
    assert.is(readHistory(bytes(reply(f, asked, got)), { lenient: true }).warnings.length, 1)
  }
  for (const [f, asked, got] of [['write', 1, null], ['write', 1, 1], ['write', [1, 2, 3], [1, 2, 3]], ['cas', [1, 2], null], ['cas', [1, 2], true], ['read', null, 2], ['delete', null, 1]] as const) {
    assert.is(readHistory(bytes(reply(f, asked, got))).length, 2)
  }
  assert.is(refusal('[{:process 0 :type :invoke :f :write :value 1} {:process 0 :type :ok :f :write :value 2}]', readHistory).code, 'CHANGED_WRITE')
})

test('a completion on another key than was asked for is refused; it may leave the key out', () => {
  const on = (type: string, key: string, time: number): string => `{"process":0,"type":"${type}","f":"read"${key},"value":null,"time":${time}}\n`
  for (const [asked, answered] of [[',"key":"a"', ',"key":"b"'], ['', ',"key":"a"'], [',"key":1', ',"key":"1"']] as const) {
    const error = refusal(on('invoke', asked, 1) + on('ok', answered, 2))
    assert.equal([error.code, error.line], ['WRONG_KEY', 2], error.message)
  }
  for (const answered of [',"key":"a"', '', ',"key":null']) assert.is(readJsonl(bytes(on('invoke', ',"key":"a"', 1) + on('ok', answered, 2))).event(0).key, 'a')
})

test('a process with a name that asks for something is refused: it would be a client that nobody judges', () => {
  const of = (process: string): string => `[{:process 0 :type :invoke :f :write :value 1} {:process ${process} :type :invoke :f :read :value nil}]`
  for (const process of [':c1', '"c1"', '-1']) assert.is(refusal(of(process), readHistory).code, 'BAD_PROCESS')
  assert.is(refusal('[{"process":"c1","type":"invoke","f":"read","value":null}]', readHistory).code, 'BAD_PROCESS')
  assert.equal([refusal('[{"process":1,"type":"invoke","f":"read"},null]', readHistory)].map(({ code, line: at }) => [code, at]), [['NOT_AN_EVENT', 2]])
  assert.is(readHistory(bytes('[{:process :nemesis :type :info :f :start} {:process :log :type :info :f :note}]')).length, 2)
})

test('EDN: a keyword is its name, unless the same text stands there in another notation: then the history is refused', () => {
  const edn = (written: string, read: string): string => `[{:process 0 :type :invoke :f :write :value ${written}}\n {:process 1 :type :invoke :f :write :value ${read}}]`
  assert.is(readHistory(bytes(edn(':a', ':a'))).event(1).value, 'a')
  for (const [one, other] of [[':a', '"a"'], ['"a"', ':a'], ['a', ':a'], ['\\a', '"a"'], ['[1 :a]', '[2 "a"]'], ['{:a 1}', '{"a" 1}'], ['9007199254740993', '"9007199254740993"']] as const) {
    const error = refusal(edn(one, other), readHistory)
    assert.equal([error.code, error.line], ['SAME_TEXT', 2], error.message)
    assert.is(readHistory(bytes(edn(one, one))).length, 2)
  }
  assert.match(refusal(edn(':a', '"a"'), readHistory).message, /"a" and :a both occur among the values/)
  // What is never compared may be alike: functions, errors, the keys of maps.
  assert.is(readHistory(bytes('[{:process 0 :type :invoke :f :write :value "write"} {:process 0 :type :info :f :write :value {:write 1} :error :write}]')).length, 2)
})

test('EDN: independent keys are found out', () => {
  const history = readHistory(bytes('[{:process 0 :type :invoke :f :write :value [3 1]} {:process 0 :type :ok :f :write :value [3 1]} {:process 1 :type :invoke :f :read :value [3 nil]} {:process 1 :type :ok :f :read :value [3 1]} {:process 2 :type :invoke :f :cas :value [3 [1 2]]}]'))
  assert.equal(history.event(3), { index: 3, time: 3, process: 1, type: 'ok', f: 'read', key: 3, value: 1 })
  assert.equal(history.event(4).value, [1, 2])
  const plain = readHistory(bytes('[{:process 0 :type :invoke :f :cas :value [3 1]} {:process 0 :type :ok :f :cas :value [3 1]} {:process 1 :type :invoke :f :read :value nil}]'))
  assert.equal(plain.event(0).value, [3, 1])
})

test('EDN: mistakes are named by their line', () => {
  const error = refusal('[{:process 0 :type :invoke :f :read}\n {:process 0 :type :done :f :read}]', readHistory)
  assert.is(error.line, 2)
  assert.is(refusal('[{:process 0 :type :invoke :f :read}\n {:process 0 :type', readHistory).code, 'NOT_EDN')
})

/** A file of 5 MB, with these lines in its middle and at its end. */
function largeFile(middle: string, end: string): string {
  const parts: string[] = []
  for (let i = 0; i < 30_000; i++) {
    if (i === 20_000) parts.push(middle)
    const value = i % 3 === 0 ? [i, i + 1] : i % 7 === 0 ? `v${i % 5}` : i
    const f = i % 3 === 0 ? 'cas' : 'write'
    parts.push(line(i % 300, 'invoke', f, value, 3_000_000_000 + i * 100_000), line(i % 300, 'ok', f, value, 3_000_000_000 + i * 100_000 + 7))
  }
  return parts.join('') + end
}

async function readBothWays(text: string, options: ReadOptions): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'knossos-wasm-'))
  const path = join(folder, 'history.jsonl')
  const outcome = (history: History): unknown => [history.length, history.truncated, history.warnings, history.functions, ...[0, 1, 39_999, 40_000, 40_001, history.length - 1].map((row) => history.event(row)), history.pair.subarray(0, history.length).reduce((sum, pair, row) => (sum * 31 + pair + row + history.value[row]!) | 0, 0)]
  const refused = (error: unknown): unknown => [(error as HistoryError).code, (error as HistoryError).line, (error as HistoryError).message]
  try {
    writeFileSync(path, text)
    const here = await Promise.resolve().then(() => readJsonl(bytes(text), options)).then(outcome, refused)
    assert.equal(await readJsonlFile(path, options).then(outcome, refused), here)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('a file that two threads read is the history that one reads', () => readBothWays(largeFile('', ''), {}))

test('two threads keep to odd lines, blank lines and torn ends', async () => {
  const odd = '{"process":900,"type":"invoke","f":"write","value":{"a":1},"time":5000000000,"error":"late"}\n\n'
  await readBothWays(largeFile(odd, '{"proc'), { tolerateTruncation: true })
  await readBothWays(largeFile(odd, '{"proc'), {})
})

test('two threads refuse the line that one refuses, and let pass what one lets pass', async () => {
  const mistakes = line(901, 'ok', 'write', 1, 5_000_000_000) + line(902, 'invoke', 'write', 1, 5_000_000_000) + line(902, 'invoke', 'write', 2, 5_000_000_000) + line(903, 'invoke', 'write', 1, 5_000_000_000) + line(903, 'ok', 'write', 1, 4_999_999_999)
  await readBothWays(largeFile(mistakes, ''), {})
  await readBothWays(largeFile(mistakes, ''), { lenient: true })
})

test.run()
