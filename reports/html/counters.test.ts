import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { fakeTour } from '../testing/tour.ts'
import { countersTable } from './counters.ts'
import { pageContent } from './data.ts'
import type { Counters } from '../../checker/verdict.ts'

const [run] = await fakeTour({ seconds: 4, seed: 3 })

function tableOf(counters?: Counters): string | undefined {
  const document = { ...run!.document, ...(counters === undefined ? {} : { counters }) }
  return countersTable(pageContent({ title: '', runs: [{ ...run!, document }], repeat: '', generated: '' }).configurations[0]!)?.text
}

test('every counter has a row with the number of each node that told it, and who did not answer is named', () => {
  const text = tableOf({ n1: { hints_kept: 1234, epoch: 2 }, n2: { hints_kept: 0 } })!
  const rows = [...text.matchAll(/<tr>(.*?)<\/tr>/g)].map(([, row]) => row!.split(/<\/t[hd]>/).map((cell) => cell.replaceAll(/<[^>]*>/g, '')).slice(0, -1))
  assert.equal(rows, [['Counter', 'n1', 'n2'], ['hints kept', '1,234', '0'], ['epoch', '2', '–']])
  assert.match(text, '3 nodes did not answer: n3, n4, n5.')
})

test('where no node told anything there is no table', () => {
  assert.is(tableOf(), undefined)
  assert.is(tableOf({}), undefined)
})

test.run()
