/** Random small runs with errors of clients and logs of nodes: `exceptions` and `log-patterns` against counting by hand. */
import { History } from './history/index.ts'
import { exceptions } from './exceptions.ts'
import { logPatterns } from './log-patterns.ts'
import { context } from './testing/context.ts'
import { soakOf } from './testing/soak.ts'
import type { Chance } from './testing/chance.ts'
import type { Count } from './testing/soak.ts'
import type { JudgementVerdict } from './verdict.ts'

/** What came of an operation; `code` stands at the beginning of `error`. */
interface Ending {
  readonly type: 'ok' | 'fail' | 'info'
  readonly code: string | undefined
  readonly error: string | undefined
  /** The nemesis fails too, but is no client. */
  readonly client: boolean
}

/** A line of a log, and whether no healthy node writes it. */
interface Line {
  readonly text: string
  readonly guilty: boolean
}

interface Drawn {
  readonly endings: readonly Ending[]
  /** By node; undefined: no logs were collected. */
  readonly logs: Readonly<Record<string, readonly Line[]>> | undefined
  /** What the user looks for, instead of the usual. */
  readonly pattern: { readonly word: string; readonly flags: string } | undefined
}

const CODES = ['UNAVAILABLE', 'TIMEOUT', 'ECONNRESET', 'no-such-key', 'malformed-completion']
const GUILTY = ['thread main panicked at 3', 'PANIC: index out of range', 'Assertion failed: n > 0', 'assertionerror', 'block 7 is corrupt', 'checksum: corruption found', 'Segmentation fault (core dumped)', 'Unhandled rejection', 'uncaught TypeError', 'WARNING: DATA RACE', 'Out of memory', 'invariant broken: one primary']
const INNOCENT = ['', 'panicky clients were told to wait', 'reassertion failedover', 'incorruptible', 'segments merged', 'handled rejection', 'memory 3 of 4', 'race won by n2', 'reader ready', 'ready']

const pick = <T>(random: Chance, from: readonly T[]): T => from[random(from.length)]!

function draw(random: Chance): Drawn {
  const endings = Array.from({ length: random(10) }, (): Ending => {
    const type = pick(random, ['ok', 'fail', 'info'] as const)
    const code = type === 'ok' || random(4) === 0 ? undefined : pick(random, random(6) === 0 ? CODES : CODES.slice(0, -1))
    return { type, code, error: code === undefined ? undefined : `${code}${pick(random, ['', ': after 500 ms', ' (n2)'])}`, client: random(6) > 0 }
  })
  const lines = (): Line[] => Array.from({ length: random(5) }, () => (random(8) === 0 ? { text: pick(random, GUILTY), guilty: true } : { text: pick(random, INNOCENT), guilty: false }))
  const logs = random(8) === 0 ? undefined : Object.fromEntries(['n1', 'n2', 'n3'].slice(0, 1 + random(3)).map((node) => [node, lines()]))
  return { endings, logs, pattern: random(3) === 0 ? { word: 'ready', flags: pick(random, ['', 'g', 'i', 'y']) } : undefined }
}

function historyOf(endings: readonly Ending[]): History {
  const history = new History()
  for (const [at, { type, error, client }] of endings.entries()) {
    const process = client ? at : 'nemesis'
    history.push({ time: 2 * at, process, type: 'invoke', f: 'write', key: 'x', value: at })
    history.push({ time: 2 * at + 1, process, type, f: 'write', key: 'x', value: at, ...(error === undefined ? {} : { error }) })
  }
  return history
}

function disagreement({ endings, logs, pattern }: Drawn, count: Count): string | undefined {
  const { metrics, verdict } = exceptions.judge(historyOf(endings), context) as JudgementVerdict
  const met = endings.filter(({ client, code }) => client && code !== undefined)
  for (const code of CODES) {
    const told = (metrics['errors'] as { code: string; fail: number; info: number }[]).find((one) => one.code === code)
    const [fail, info] = (['fail', 'info'] as const).map((type) => met.filter((one) => one.code === code && one.type === type).length)
    if ((told?.fail ?? 0) !== fail || (told?.info ?? 0) !== info) return `exceptions: of ${code} we count ${told?.fail ?? 0} and ${told?.info ?? 0}, by hand there are ${fail} and ${info}`
  }
  const strange = met.some(({ code }) => code === 'malformed-completion')
  if ((verdict === 'unknown') !== strange) return `exceptions: we say ${verdict}, though ${strange ? 'a' : 'no'} client answered with something that is no completion`
  const files = logs && Object.entries(logs).map(([node, lines]) => ({ node, text: lines.map(({ text }) => text).join('\n') }))
  const judged = logPatterns(files, pattern && new RegExp(pattern.word, pattern.flags)).judge(new History(), context) as JudgementVerdict
  // A sticky pattern matches at the beginning of a line alone.
  const matches = ({ text, guilty }: Line): boolean => (pattern === undefined ? guilty : pattern.flags === 'y' ? text.startsWith(pattern.word) : text.includes(pattern.word))
  const found = Object.values(logs ?? {}).flat().filter(matches).length
  const truth = logs === undefined ? 'unknown' : found > 0 ? 'violated' : 'holds'
  if (truth === 'violated') count('found')
  if (judged.verdict !== truth || judged.metrics['matches'] !== found) return `log-patterns: we say ${judged.verdict} with ${JSON.stringify(judged.metrics['matches'])} lines, by hand it is ${truth} with ${found}`
  return undefined
}

export const soak = soakOf(import.meta.url, {
  name: 'oracle-errors',
  describes: "errors of clients and patterns in nodes' logs against counting by hand",
  full: 200_000,
  slice: 5_000,
  draw,
  check: disagreement,
  says: (cases, counted) => `${cases} runs, ${counted('found')} of them with a line in a log that no healthy node writes`,
})
