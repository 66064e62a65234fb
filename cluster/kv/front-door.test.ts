import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Conversation } from './testing/conversation.ts'
import { simulate } from './testing/simulate.ts'
import type { Bench } from './testing/simulate.ts'

/** What a node answers to these bytes; "closed" at the end if it then closes. */
async function answers(bench: Bench, said: string, port: 'client' | 'admin' = 'client'): Promise<string[]> {
  const conversation = await Conversation.open(bench, 'n1', port)
  conversation.say(said)
  await bench.sleep(1000)
  const lines = conversation.heard.split('\r\n').slice(0, -1)
  const { closed } = conversation
  conversation.close()
  return closed ? [...lines, 'closed'] : lines
}

const three = { preset: 'abd', nodes: 3 }

test('pipelined commands are answered in their order, and a GET sees the SET before it', () =>
  simulate(three, async (bench) => {
    const said = Array.from({ length: 50 }, (_, i) => `SET k ${i}\r\nGET k\r\nSET other${i} ${i}\r\n`).join('')
    assert.equal(await answers(bench, said), Array.from({ length: 50 }, (_, i) => ['+OK', `$${String(i).length}`, String(i), '+OK']).flat())
  }))

test('a fast command waits for the answer of a slow one before it', () =>
  simulate(three, async (bench) => {
    assert.equal(await answers(bench, 'SET k v\r\nPING\r\nECHO hi\r\n'), ['+OK', '+PONG', '$2', 'hi'])
  }))

test('DEL counts what was there, EXISTS what is, and a deleted key reads as nothing', () =>
  simulate(three, async (bench) => {
    assert.equal(await answers(bench, 'SET a 1\r\nSET b 2\r\nEXISTS a b b c\r\nDEL a c a\r\nEXISTS a b\r\nGET a\r\n'), ['+OK', '+OK', ':3', ':1', ':1', '$-1'])
  }))

test('values and keys are bytes', () =>
  simulate(three, async (bench) => {
    assert.equal(await answers(bench, '*3\r\n$3\r\nSET\r\n$2\r\n\xff\x00\r\n$3\r\n\x00\xfe\x80\r\n*2\r\n$3\r\nget\r\n$2\r\n\xff\x00\r\n'), ['+OK', '$3', '\x00\xfe\x80'])
  }))

test('errors say what is wrong, and the connection goes on', () =>
  simulate(three, async (bench) => {
    assert.equal(await answers(bench, 'NOPE\r\nGET\r\nSET k v EX 10\r\nHELLO 4\r\nSELECT 1\r\nPING\r\n'), [
      "-ERR unknown command 'NOPE'",
      "-ERR wrong number of arguments for 'get' command",
      '-ERR syntax error: SET takes a key and a value, and none of the options of Redis',
      '-NOPROTO unsupported protocol version',
      '-ERR there is only database 0',
      '+PONG',
    ])
  }))

test('what libraries say at the start is answered', () =>
  simulate(three, async (bench) => {
    assert.equal(await answers(bench, 'COMMAND DOCS\r\nCLIENT SETNAME me\r\nCLIENT GETNAME\r\nCONFIG GET save\r\nCONFIG GET token\r\nHELLO 3\r\nGET nothing\r\nQUIT\r\nPING\r\n').then((lines) => lines.filter((line) => !/^[$%:]/.test(line))), [
      '*0', '+OK', 'me', '*2', 'save', '', '*0', 'server', 'splitbrain', 'proto', 'id', 'mode', 'standalone', '_', '+OK', 'closed',
    ])
  }))

test('commands before malformed bytes are answered, then the error, then the connection ends', () =>
  simulate(three, async (bench) => {
    assert.equal(await answers(bench, 'SET k v\r\n*1\r\n!oops\r\nPING\r\n'), ['+OK', "-ERR Protocol error: expected '$', got '!'", 'closed'])
  }))

test('a key that is too long is refused before anything is sent', () =>
  simulate({ ...three, overrides: { key_bytes_max: 10 } }, async (bench) => {
    assert.equal(await answers(bench, 'SET elevenbytes v\r\n'), ['-TOOBIG a key has at most 10 bytes, not 11'])
  }))

test('a value that is too long ends the connection as soon as it is announced', () =>
  simulate({ ...three, overrides: { value_bytes_max: 100 } }, async (bench) => {
    assert.equal(await answers(bench, '*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$101\r\n'), ['-ERR Protocol error: invalid bulk length', 'closed'])
  }))

test('half-sent commands of many connections are held up to a bound, and the node goes on', () =>
  simulate({ ...three, overrides: { half_read_bytes_max: 1_000_000 } }, async (bench) => {
    const half = Array.from({ length: 5 }, () => Conversation.open(bench, 'n1'))
    const conversations = await Promise.all(half)
    for (const conversation of conversations) conversation.say(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$300000\r\n${'x'.repeat(240_000)}`)
    await bench.sleep(1000)
    assert.is(conversations.filter(({ closed, heard }) => closed && heard === '-BUSY too many commands are half sent\r\n').length, 1)
    assert.equal(await bench.write('n1', 'k', 1), { type: 'ok' })
    for (const conversation of conversations) conversation.close()
  }))

test('the admin port refuses whoever does not know the token, and closes', () =>
  simulate(three, async (bench) => {
    assert.equal(await answers(bench, 'PEEK k\r\nPEEK k\r\n', 'admin'), ['-NOAUTH say AUTH <token> first', 'closed'])
    assert.equal(await answers(bench, 'AUTH wrong\r\nPEEK k\r\n', 'admin'), ['-WRONGPASS this is not the token of the run', 'closed'])
    assert.equal(await answers(bench, `AUTH ${bench.cluster.token.slice(1)}x\r\nPEEK k\r\n`, 'admin'), ['-WRONGPASS this is not the token of the run', 'closed'])
    assert.equal(await answers(bench, `AUTH ${bench.cluster.token}\r\nPEEK k\r\n`, 'admin'), ['+OK', '*1', '$-1'])
  }))

test('whoever connects to the admin port and says nothing is sent away', () =>
  simulate(three, async (bench) => {
    const silent = await Conversation.open(bench, 'n1', 'admin')
    await bench.sleep(6000)
    assert.ok(silent.closed)
  }))

test('DUMP shows every cell with its version, STATS counts', () =>
  simulate(three, async (bench) => {
    await bench.write('n1', 'k', 1)
    const lines = await answers(bench, `AUTH ${bench.cluster.token}\r\nDUMP\r\nSTATS\r\n`, 'admin')
    assert.equal(lines.slice(1, 10), ['*1', '*4', '$1', 'k', '$1', '1', ':1', '$4', 'n1.1'])
    assert.ok(lines.includes('incarnation'))
  }))

test('a command that trickles in is cut off with a name, whichever port it is on; a complete one in time is not', () =>
  simulate(three, async (bench) => {
    const [loris, honest, stranger] = await Promise.all([Conversation.open(bench, 'n1'), Conversation.open(bench, 'n1'), Conversation.open(bench, 'n1', 'admin')])
    for (let second = 0; second < 35; second += 5) {
      if (!loris.closed) loris.say(second === 0 ? '*2\r\n$3\r\nGET\r\n$100\r\n' : 'x')
      honest.say(second % 2 === 0 ? 'PI' : 'NG\r\n')
      await bench.sleep(5_000)
    }
    assert.is(loris.heard, '-ERR a command must arrive within 30 s\r\n')
    assert.ok(loris.closed)
    assert.is(honest.heard, '+PONG\r\n'.repeat(3))
    assert.not.ok(honest.closed)
    assert.ok(stranger.closed)
  }))

test('a port with too many connections says so to the next', () =>
  simulate({ ...three, overrides: { connections_max: 3 } }, async (bench) => {
    const open = await Promise.all([1, 2, 3].map(() => Conversation.open(bench, 'n1')))
    for (const one of open) one.say('PING\r\n')
    await bench.sleep(100)
    assert.equal(await answers(bench, 'PING\r\n'), ['-BUSY this port has 3 connections already', 'closed'])
    open[0]!.close()
    await bench.sleep(100)
    assert.equal(await answers(bench, 'PING\r\n'), ['+PONG'])
    assert.equal(open.map(({ heard }) => heard), ['+PONG\r\n', '+PONG\r\n', '+PONG\r\n'])
  }))

test.run()
