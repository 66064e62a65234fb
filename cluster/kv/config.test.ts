import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { idleChoices, parseChoices, parseNodeConfig } from './config.ts'
import { presetConfigs, presets } from './presets.ts'

const nodes = ['n1', 'n2', 'n3']

test('every preset gives every node a configuration that can be used', () => {
  for (const preset of Object.values(presets)) {
    for (const count of [1, 2, 3, 5]) {
      for (const config of presetConfigs(preset, nodes.slice(0, count), 'secret')) assert.equal(parseNodeConfig(config), config)
    }
  }
})

test('a configuration that cannot be used is refused in one sentence that names every problem', () => {
  const [config] = presetConfigs(presets['abd']!, nodes, 'secret', { read_quorum: 1, write_quorum: 2 })
  assert.throws(() => parseNodeConfig({ ...config, id: 'n9' }), /this node configuration cannot be used: nodes must contain this node, "n9"; abd needs read_quorum \+ write_quorum > replicas: 1 \+ 2 <= 3/)
  assert.throws(() => parseNodeConfig({ ...config, write_quorum: 4 }), /a quorum cannot exceed the 3 replicas/)
  assert.throws(() => parseNodeConfig({ ...config, replicaz: 3 }), /Unrecognized key: "replicaz"/)
})

test('a quorum where a level stands instead is told to change nothing', () => {
  const idle = (preset: string, text: string): string[] => [...idleChoices(parseChoices(text), presetConfigs(presets[preset]!, nodes, 'secret')[0]!)]
  assert.equal(idle('quorum', 'read_quorum=1,write_quorum=3'), [])
  assert.equal(idle('primary-sync', 'deadline_ms=500'), [])
  assert.match(String(idle('primary-sync', 'write_quorum=2')), /^write_quorum changes nothing, since write_level stands instead \(now "quorum"\)/)
  assert.is(idle('cassandra-one', 'read_quorum=1,write_quorum=3').length, 2)
})

test.run()
