/** `splitbrain query`: SQL against the campaign store, for questions that no report answers. */
import type { Command } from '../command.ts'
import { visible } from '../../reports/format.ts'
import { exitCodes } from '../../checker/exit-codes.ts'
import { databaseOption, withDatabase } from './store-options.ts'
import { UsageError } from '../usage-error.ts'

const TIMEOUT_S = 300

export const queryCommand: Command = {
  name: 'query',
  arguments: ['[SQL]'],
  describes: 'Asks the campaign store in SQL, without changing it. Without SQL it lists the views that answer the usual questions and the tables, with what each says.',
  options: { ...databaseOption, json: { describes: 'a line of JSON for each row' } },
  notes: () => ['Examples:', '  splitbrain query "select * from failing_cells order by share desc"', '  splitbrain query "select * from first_failures"', '  splitbrain query "select fingerprint, size, repeat from smallest_failures where campaign = \'nightly\'"'],
  async execute(args) {
    const text = args.positionals[0]
    return withDatabase(args, { migrates: false, connections: 1 }, async (database) => {
      const rows = await database.transaction(async (tx) => {
        await tx`set transaction read only`
        await tx`select set_config('search_path', 'splitbrain', true), set_config('statement_timeout', ${`${TIMEOUT_S}s`}, true)`
        if (text === undefined) return tx<Row[]>`select c.relname as name, case c.relkind when 'v' then 'view' else 'table' end as kind, coalesce(obj_description(c.oid, 'pg_class'), '') as says from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'splitbrain' and c.relkind in ('r', 'v') order by c.relkind desc, c.relname`
        return await tx.unsafe<Row[]>(text)
      }).catch((error: Error & { readonly code?: string; readonly position?: string }) => {
        if (/^(42|22|25|0A|57014)/.test(error.code ?? '')) throw new UsageError(`The query is refused: ${error.message}${error.position === undefined ? '' : ` (at character ${error.position})`}.`)
        throw error
      })
      process.stdout.write(args.flag('json') ? rows.map((row) => `${JSON.stringify(row)}\n`).join('') : table(rows))
      return exitCodes.holds
    })
  },
}

type Row = Readonly<Record<string, unknown>>

/** Columns as wide as their widest cell; what is longer than a line's share stays whole: it may be copied. */
function table(rows: readonly Row[]): string {
  if (rows.length === 0) return '(no rows)\n'
  const names = Object.keys(rows[0]!)
  const lines = [names, ...rows.map((row) => names.map((name) => cell(row[name])))]
  const widths = names.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)))
  const drawn = lines.map((line) => line.map((text, column) => text.padEnd(widths[column]!)).join('  ').trimEnd())
  return `${[drawn[0], widths.map((width) => '-'.repeat(width)).join('  '), ...drawn.slice(1)].join('\n')}\n`
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (value instanceof Date) return value.toISOString()
  return visible(typeof value === 'string' ? value : JSON.stringify(value))
}
