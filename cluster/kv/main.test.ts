import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ReplyError } from '../systems/resp-connection.ts'
import { withProcesses } from './testing/processes.ts'

const text = (reply: unknown): string => Buffer.from(reply as Uint8Array).toString()

test('three processes serve one register, keep it over kill -9 of all of them, and end with their parent or when told to', () =>
  withProcesses({ preset: 'abd', processes: 3, token: 'the secret of this test' }, async (nodes) => {
    const [first, second, third] = nodes as [(typeof nodes)[0], (typeof nodes)[0], (typeof nodes)[0]]
    const [a, b, stranger] = await Promise.all([first.connect('client'), second.connect('client'), third.connect('admin')])
    assert.is(await a.ask(['SET', 'k', 'v'], 5000), 'OK')
    assert.is(text(await b.ask(['GET', 'k'], 5000)), 'v')
    const refusal = await stranger.ask(['PEEK', 'k'], 5000).catch((error: unknown) => error)
    assert.instance(refusal, ReplyError)
    assert.match((refusal as ReplyError).message, /^NOAUTH/)
    for (const connection of [a, b, stranger]) connection.close()

    await Promise.all(nodes.map((node) => node.kill()))
    await Promise.all(nodes.map((node) => node.start()))
    const again = await third.connect('client')
    assert.is(text(await again.ask(['GET', 'k'], 5000)), 'v')
    again.close()

    first.child!.stdin!.end()
    second.child!.kill('SIGTERM')
    assert.equal(await first.ended(), [0, null])
    assert.equal(await second.ended(), [0, null])
  }))

test.run()
