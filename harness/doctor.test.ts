import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { capabilities, type CapabilityReport, type Driver } from '../cluster/cluster.ts'
import { doctor, doctorLines, type DoctorReport } from './doctor.ts'

const all = (available: boolean, reason: string): CapabilityReport => Object.fromEntries(capabilities.map((name) => [name, { available, reason }])) as CapabilityReport

const driver = (name: string, answer: () => Promise<CapabilityReport>): Driver => ({
  name,
  capabilities: answer,
  start: () => Promise.reject(new Error('not asked for')),
  clean: () => Promise.resolve([]),
})

test('every driver is asked, and one that fails to answer does not stop the others', async () => {
  const { machine, drivers } = await doctor([
    driver('able', () => Promise.resolve(all(true, 'in memory'))),
    driver('broken', () => Promise.reject(new Error('the engine is gone\nat line 1'))),
  ])
  assert.equal(drivers[0], { name: 'able', capabilities: all(true, 'in memory'), error: undefined })
  assert.equal(drivers[1], { name: 'broken', capabilities: undefined, error: 'the engine is gone' })
  assert.equal(machine.map(({ name }) => name), ['Node', 'Docker', 'Chromium', 'User namespaces'])
  assert.ok(machine.every(({ finding }) => finding !== ''))
})

test('the matrix has a row for each capability and a column for each driver, and reasons are said once', () => {
  const report: DoctorReport = {
    machine: [{ name: 'Node', available: true, finding: '20.19.0' }],
    drivers: [
      { name: 'process', capabilities: { ...all(true, 'TCP proxies'), lose: { available: false, reason: 'a byte stream cannot lose' } }, error: undefined },
      { name: 'docker', capabilities: undefined, error: 'no engine' },
    ],
  }
  const lines = doctorLines(report)
  assert.ok(lines.some((line) => /^Capability +process +docker$/.test(line)), lines.join('\n'))
  assert.ok(lines.some((line) => /^kill +yes +no$/.test(line)))
  assert.ok(lines.some((line) => /^lose +no +no$/.test(line)))
  assert.is(lines.filter((line) => line.includes('TCP proxies')).length, 1)
  assert.ok(lines.some((line) => line.includes('a byte stream cannot lose  (lose)')))
  assert.ok(lines.some((line) => line.includes('docker: nothing can be said (no engine)')))
})

test.run()
