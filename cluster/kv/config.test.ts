import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseNodeConfig } from './config.ts'
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

test.run()
