/**
 * What a subcommand of the CLI is, and how its arguments are read. Help is generated from the same table that the
 * parser uses, so the two cannot disagree. Parsing is node:util's `parseArgs` in strict mode.
 */
import { parseArgs } from 'node:util'
import { UsageError } from './usage-error.ts'

/** One option: `--name VALUE` when `value` names its placeholder, otherwise a switch. */
export interface Option {
  readonly value?: string
  readonly describes: string
  /** Shown in the help; the command applies it. */
  readonly default?: string
  /** May be given several times. */
  readonly repeated?: true
}

/** Parsed arguments. */
export interface Arguments {
  /** Everything after `splitbrain`, as it was typed. */
  readonly words: readonly string[]
  readonly positionals: readonly string[]
  /** The option's text, or undefined when it was not given. */
  text(name: string): string | undefined
  /** The texts of a repeated option, in order; none when it was not given. */
  texts(name: string): readonly string[]
  flag(name: string): boolean
  /** An integer within bounds, or undefined. Throws UsageError. */
  integer(name: string, bounds: { readonly min: number; readonly max: number }): number | undefined
}

/** One subcommand. */
export interface Command {
  readonly name: string
  /** Placeholders of its positional arguments: `FILE`, `[RUN]`. */
  readonly arguments: readonly string[]
  readonly describes: string
  readonly options: Readonly<Record<string, Option>>
  /** Lines after the options: examples, lists of choices. */
  readonly notes?: () => readonly string[]
  /** Returns the exit code. */
  execute(args: Arguments): Promise<number>
}

/** The words of `known` that are close to a mistyped one, best first: Levenshtein distance at most a third of its letters, rounded up. */
export function closest(word: string, known: Iterable<string>): string[] {
  return [...known].map((k) => ({ k, d: distance(word, k) })).filter(({ d }) => d <= Math.min(3, Math.ceil(word.length / 3))).sort((a, b) => a.d - b.d).map(({ k }) => k)
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) next[j] = Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1))
    row = next
  }
  return row[b.length]!
}

/** Throws UsageError unless `word` is one of `known`; names the closest, or all of them. */
export function choose<T extends string>(what: string, word: string, known: readonly T[]): T {
  const found = known.find((k) => k === word)
  if (found !== undefined) return found
  const near = closest(word, known)
  throw new UsageError(`There is no ${what} "${word}". ${near.length > 0 ? `Did you mean ${near[0]}? ` : ''}Choose from ${known.join(', ')}.`)
}

/** Reads the words after the subcommand's name. Throws UsageError. */
export function parseArguments(command: Command, words: readonly string[]): Arguments {
  const required = command.arguments.filter((a) => !a.startsWith('[')).length
  let parsed: ReturnType<typeof parseArgs>
  try {
    parsed = parseArgs({
      args: [...words],
      strict: true,
      allowPositionals: true,
      options: Object.fromEntries(Object.entries(command.options).map(([name, option]) => [name, { type: option.value === undefined ? 'boolean' as const : 'string' as const, multiple: option.repeated === true }])),
    })
  } catch (error) {
    throw new UsageError(explain(command, error as Error))
  }
  const { positionals, values } = parsed
  if (positionals.length < required) throw new UsageError(`splitbrain ${command.name} needs ${command.arguments.slice(positionals.length, required).join(' ')}; see splitbrain ${command.name} --help.`)
  if (positionals.length > command.arguments.length) throw new UsageError(`splitbrain ${command.name} does not take "${positionals[command.arguments.length]}"; see splitbrain ${command.name} --help.`)
  const text = (name: string): string | undefined => values[name] as string | undefined
  return {
    words: [command.name, ...words],
    positionals,
    text,
    texts: (name) => (values[name] as readonly string[] | undefined) ?? [],
    flag: (name) => values[name] === true,
    integer(name, { min, max }) {
      const given = text(name)
      if (given === undefined) return undefined
      const value = Number(given)
      if (!/^\d+$/.test(given) || value < min || value > max) throw new UsageError(`--${name} takes a whole number from ${min} to ${max}, not "${given}".`)
      return value
    },
  }
}

/** Turns parseArgs's errors into one sentence with the closest option. */
function explain(command: Command, error: Error): string {
  const unknown = /'(-[^']*)'/.exec(error.message)?.[1]
  if ((error as NodeJS.ErrnoException).code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION' && unknown !== undefined) {
    const near = closest(unknown.replace(/^--?/, ''), Object.keys(command.options))
    return `splitbrain ${command.name} has no option ${unknown}.${near.length > 0 ? ` Did you mean --${near[0]}?` : ''} See splitbrain ${command.name} --help.`
  }
  return `${error.message.split('. ')[0]!.replace(/\.$/, '')}. See splitbrain ${command.name} --help.`
}

/** `--help` of one subcommand. */
export function help(command: Command): string {
  const options = { ...command.options, help: { describes: 'print this' } as Option }
  const left = Object.entries(options).map(([name, o]) => `  --${name}${o.value === undefined ? '' : ` ${o.value}`}`)
  const width = Math.max(...left.map((l) => l.length)) + 2
  const right = Object.values(options).map((o) => `${o.describes}${o.default === undefined ? '' : ` (default: ${o.default})`}`)
  return [
    `splitbrain ${[command.name, ...command.arguments].join(' ')} [options]`,
    '',
    command.describes,
    '',
    ...left.map((l, i) => `${l.padEnd(width)}${right[i]}`),
    ...(command.notes ? ['', ...command.notes()] : []),
  ].join('\n')
}
