/**
 * The tour with many seeds: `abd` must stay linearizable and give up its minority side, `one` must answer everywhere,
 * be caught with a witness of at most four operations, and converge. What `quorum` does is shown, not demanded.
 */
import { execa } from 'execa'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { verdictDocumentSchema, type VerdictDocument } from '../../checker/verdict.ts'

const bin = fileURLToPath(new URL('../../../harness/bin/splitbrain.mjs', import.meta.url))
const PRESETS = ['abd', 'quorum', 'one'] as const

/** Runs one tour in a folder of its own and returns the three verdicts. */
async function tour(seed: number, driver: string): Promise<Record<(typeof PRESETS)[number], VerdictDocument>> {
  const cwd = await mkdtemp(path.join(os.tmpdir(), 'splitbrain-tour-'))
  try {
    await execa(process.execPath, [bin, 'tour', '--seed', String(seed), '--driver', driver], { cwd })
    const read = async (preset: string): Promise<VerdictDocument> => verdictDocumentSchema.parse(JSON.parse(await readFile(path.join(cwd, 'runs/latest', preset, 'verdict.json'), 'utf8')))
    const [abd, quorum, one] = await Promise.all(PRESETS.map(read))
    return { abd: abd!, quorum: quorum!, one: one! }
  } finally {
    await rm(cwd, { recursive: true, force: true })
  }
}

/** ok / attempted of one side during the partition. */
function answered(document: VerdictDocument, side: string): number {
  return document.availability.find((a) => a.group === side && a.period.includes('majority-minority'))?.share ?? Number.NaN
}

function witnessSize(document: VerdictDocument): number | undefined {
  return document.judgements.find((j) => j.judgement === 'linearizable')?.witnesses[0]?.operations.length
}

function row(seed: number, name: string, document: VerdictDocument): string {
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`.padStart(8)
  const witness = witnessSize(document)
  const { agreed, time_to_converge_ms } = document.convergence
  return [
    String(seed).padStart(4),
    name.padEnd(7),
    (document.strongest ?? 'none').padEnd(13),
    percent(answered(document, 'majority')),
    percent(answered(document, 'minority')),
    (agreed ? `agreed after ${(time_to_converge_ms ?? 0).toFixed(0)} ms` : 'diverged').padEnd(22),
    `lost ${document.durability.lost}`,
    witness === undefined ? '' : `witness of ${witness}`,
  ].join('  ')
}

/** What is demanded of a tour; empty when all of it is met. */
function broken({ abd, one }: Record<'abd' | 'one', VerdictDocument>): string[] {
  const linearizable = (document: VerdictDocument): string | undefined => document.ladder.find((r) => r.model === 'linearizable')?.verdict
  const demands: readonly (readonly [boolean, string])[] = [
    [abd.verdict === 'holds' && linearizable(abd) === 'holds', `abd: ${abd.sentence}`],
    [one.verdict === 'holds' && one.convergence.agreed === true, `one: ${one.sentence}`],
    [linearizable(one) === 'violated' && (witnessSize(one) ?? Infinity) <= 4, 'one was not caught with a witness of at most four operations'],
    [answered(one, 'minority') > 0.95, 'one answered 95 % or less on the minority side'],
    [answered(abd, 'minority') < 0.05, 'abd answered 5 % or more on the minority side'],
  ]
  return demands.filter(([met]) => !met).map(([, sentence]) => sentence)
}

export const soak = {
  name: 'tour-seeds',
  describes: 'the CAP tour on real processes, seed after seed: a table of what held (SPLITBRAIN_TOUR_DRIVER=docker for containers)',
  full: 11,
  slice: 1,
  async run(cases: number, seed: number, print: (line: string) => void): Promise<boolean> {
    const driver = process.env['SPLITBRAIN_TOUR_DRIVER'] ?? 'process'
    let failed = 0
    print('seed  store    strongest      majority  minority')
    for (let i = 0; i < cases; i++) {
      const verdicts = await tour(seed + i, driver)
      for (const preset of PRESETS) print(row(seed + i, preset, verdicts[preset]))
      const problems = broken(verdicts)
      for (const problem of problems) print(`  seed ${seed + i}: ${problem}`)
      if (problems.length > 0) failed++
    }
    return failed === 0
  },
}
