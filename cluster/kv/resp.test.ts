import { test } from 'uvu'
import * as assert from 'uvu/assert'
import fc from 'fast-check'
import { CommandParser, ErrorReply, ProtocolError, ReplyParser, arrayReply, bulkReply, encodeCommand, errorReply, integerReply, nullReply, simpleReply } from './resp.ts'
import type { Reply, RespLimits } from './resp.ts'

const limits: RespLimits = { argumentsMax: 16, bulkBytesMax: 1000, totalBytesMax: 2000 }

function commandsOf(chunks: readonly Uint8Array[], within = limits): string[][] {
  const parser = new CommandParser(within)
  const commands: string[][] = []
  for (const chunk of chunks) parser.push(chunk, (words) => commands.push(words.map((word) => word.toString('latin1'))))
  return commands
}

function repliesOf(chunks: readonly Uint8Array[]): unknown[] {
  const parser = new ReplyParser(limits)
  const replies: unknown[] = []
  const plain = (reply: Reply): unknown => (reply instanceof Uint8Array ? `bytes ${Buffer.from(reply).toString('latin1')}` : Array.isArray(reply) ? reply.map(plain) : reply)
  for (const chunk of chunks) parser.push(chunk, (reply) => replies.push(plain(reply)))
  return replies
}

/** Cuts bytes at the given places (modulo their length). */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end))
}

const word = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes))
const commands = fc.array(fc.array(word, { minLength: 1, maxLength: 5 }), { maxLength: 6 })
const places = fc.array(fc.nat(), { maxLength: 30 })

test('any chunking gives the same commands', () => {
  fc.assert(fc.property(commands, places, (sent, at) => {
    const bytes = Buffer.concat(sent.map((words) => Buffer.from(encodeCommand(words))))
    assert.equal(commandsOf(cut(bytes, at)), sent.map((words) => words.map((w) => w.toString('latin1'))))
  }))
})

test('any chunking gives the same replies', () => {
  const encoded = simpleReply('PONG') + integerReply(-3) + bulkReply(Buffer.from([0, 13, 10, 255])) + nullReply(2) + nullReply(3) + arrayReply([arrayReply([]), bulkReply(''), arrayReply([integerReply(1)])])
  fc.assert(fc.property(places, (at) => {
    assert.equal(repliesOf(cut(Buffer.from(encoded, 'latin1'), at)), ['PONG', -3, 'bytes \x00\r\n\xff', null, null, [[], 'bytes ', [1]]])
  }))
})

test('whatever bytes come, the parser hands on commands or refuses, and does nothing else', () => {
  const alphabet = fc.constantFrom('*', '$', '1', '2', '-', '\r', '\n', 'a', '"', "'", '\\', ' ', '\xff')
  fc.assert(fc.property(fc.array(alphabet, { maxLength: 60 }), places, (text, at) => {
    try {
      commandsOf(cut(Buffer.from(text.join(''), 'latin1'), at))
    } catch (error) {
      assert.instance(error, ProtocolError)
    }
  }), { numRuns: 2000 })
})

test('integers are read as far as a double holds them exactly', () => {
  assert.equal(repliesOf([Buffer.from(':1764180000000000\r\n')]), [1764180000000000])
  assert.equal(repliesOf([Buffer.from(':-9007199254740991\r\n')]), [-Number.MAX_SAFE_INTEGER])
  assert.throws(() => repliesOf([Buffer.from(':9007199254740992\r\n')]), /expected an integer/)
})

test('inline commands are words, quoted or not', () => {
  const inline = (text: string): string[][] => commandsOf([Buffer.from(text)])
  assert.equal(inline('PING\r\n'), [['PING']])
  assert.equal(inline('  set k  "a b\\n\\x41"\n\r\n get \'it\\\'s\'\r\n'), [['set', 'k', 'a b\nA'], ['get', "it's"]])
  assert.throws(() => inline('set k "open\r\n'), /unbalanced quotes/)
})

test('what exceeds a limit is refused as soon as it is announced, before it is there', () => {
  const refused = (text: string, reason: RegExp): void => {
    assert.throws(() => commandsOf([Buffer.from(text)]), reason)
  }
  refused('*17\r\n', /invalid multibulk length/)
  refused('*1\r\n$1001\r\n', /invalid bulk length/)
  refused('*1\r\n$-5\r\n', /invalid bulk length/)
  refused('*99999999999999999999\r\n', /invalid multibulk length/)
  refused(`*3\r\n${`$900\r\n${'x'.repeat(900)}\r\n`.repeat(2)}$900\r\n`, /too big request/)
  refused('*1\r\n+OK\r\n', /expected '\$', got '\+'/)
  refused('*1\r\n$1\r\nabc', /longer than it says/)
  refused('x'.repeat(70_000), /too big inline request/)
})

test('an error reply has a code and a message on one line', () => {
  assert.equal(repliesOf([Buffer.from(errorReply('UNAVAILABLE', 'definite: 2 of 3\r\nanswered é'))]), [new ErrorReply('UNAVAILABLE definite: 2 of 3 answered  ')])
})

test('a big value that comes in many small chunks is joined once, not once per chunk', () => {
  const value = Buffer.alloc(8_000_000, 7)
  const bytes = Buffer.from(encodeCommand(['SET', 'k', value]))
  const chunks = Array.from({ length: Math.ceil(bytes.length / 1000) }, (_, i) => bytes.subarray(i * 1000, (i + 1) * 1000))
  let length = 0
  const parser = new CommandParser({ argumentsMax: 3, bulkBytesMax: 8_000_000, totalBytesMax: 9_000_000 })
  for (const chunk of chunks) parser.push(chunk, ([, , got]) => (length = got!.length))
  assert.is(length, value.length)
})

test.run()
