/** The links of containers, over packet filters that only count. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { capabilities } from '../../cluster.ts'
import type { CapabilityReport } from '../../cluster.ts'
import { LEASE_MS, DockerLinks } from './links.ts'
import type { Namespace } from './namespace.ts'

const EACH = 3

/** Every rule that it is fed has struck so many packets when it is asked; rules that are written anew count from zero. */
function countingNamespace(): Namespace {
  let rules: string[] = []
  return {
    feed: async ([program], input) => {
      if (program === 'iptables-save') return rules.map((rule) => `[${EACH}:120] ${rule}`).join('\n')
      rules = input.split('\n').filter((line) => line.startsWith('-A'))
      return ''
    },
  }
}

const placeOf = (id: string, host: number) => ({ id, address: `198.18.0.${host}`, ports: { client: 1, peer: 2, admin: 3 }, engine: 0, outside: undefined })
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }

test('what a disturbance has struck is remembered when rules are written anew, and forgotten with it', async () => {
  const ids = ['n1', 'n2', 'n3']
  const links = new DockerLinks({
    topology: { places: ids.map((id, at) => placeOf(id, at + 1)), oneWayConnections: true },
    namespaces: new Map(ids.map((id) => [id, countingNamespace()])),
    wall: () => 0,
    probe: async () => true,
    volley: undefined,
    detours: undefined,
    hasNetem: false,
    report: Object.fromEntries(capabilities.map((one) => [one, { available: true, reason: '' }])) as CapabilityReport,
    log: silent,
    leaseMs: LEASE_MS,
  })
  const link = { from: 'n1', to: 'n2' }
  await links.reset([link], 0.5)
  assert.is(await links.tally(link), EACH)
  await links.cut([{ from: 'n3', to: 'n2' }])
  assert.is(await links.tally(link), 2 * EACH)
  await links.cut([{ from: 'n2', to: 'n3' }])
  assert.is(await links.tally(link), 3 * EACH)
  await links.reset([link], 0.1)
  assert.is(await links.tally(link), EACH)
  await links.heal([link])
  assert.is(await links.tally(link), 0)
  links.close()
})

test.run()
