/**
 * The runs under `runs/` as rows of a list: runs, the configurations of tours, campaigns. Nothing is kept but what was
 * read once from a file that has not changed since.
 */
import { existsSync, realpathSync, statSync } from 'node:fs'
import { readFile, readdir } from 'node:fs/promises'
import path from 'node:path'
import { verdictDocumentSchema } from '../../checker/verdict.ts'
import type { CatalogEntry } from '../../reports/browse.ts'
import { factsOf, strongestText } from '../../reports/facts.ts'
import { campaignFileIn } from '../campaign/folder.ts'
import { configurationName, planSchema } from '../plan.ts'

/** A run that wrote nothing for this long is over, whatever it left. */
const QUIET_MS = 30_000

/** Lists everything below a folder of runs. */
export class Catalog {
  readonly #root: string
  readonly #known = new Map<string, { readonly stamp: string; readonly entry: CatalogEntry }>()

  constructor(root: string) {
    this.#root = root
  }

  /** All rows, newest first. What cannot be read is left out. */
  async list(nowMs: number): Promise<CatalogEntry[]> {
    const entries: CatalogEntry[] = []
    for (const name of await folders(this.#root)) {
      for (const time of await folders(path.join(this.#root, name))) entries.push(...await this.#entriesOf(`${name}/${time}`, nowMs))
    }
    return entries.sort((a, b) => (a.started < b.started ? 1 : a.started > b.started ? -1 : a.path.localeCompare(b.path)))
  }

  async #entriesOf(below: string, nowMs: number): Promise<CatalogEntry[]> {
    const dir = path.join(this.#root, below)
    if (existsSync(path.join(dir, 'campaign.json'))) return this.#campaign(below, nowMs)
    if (existsSync(path.join(dir, 'plan.json'))) return this.#run(below, 'run', below, nowMs)
    const inner = (await folders(dir)).filter((name) => existsSync(path.join(dir, name, 'plan.json')))
    return (await Promise.all(inner.map((name) => this.#run(`${below}/${name}`, 'tour', below, nowMs)))).flat()
  }

  async #run(below: string, kind: 'run' | 'tour', reportIn: string, nowMs: number): Promise<CatalogEntry[]> {
    const dir = path.join(this.#root, below)
    const stamp = stampOf(path.join(dir, 'verdict.json')) + stampOf(path.join(this.#root, reportIn, 'report.html'))
    const known = this.#known.get(below)
    if (known?.stamp === stamp && known.entry.state !== 'running') return [known.entry]
    const plan = planSchema.safeParse(await json(path.join(dir, 'plan.json')))
    const verdict = verdictDocumentSchema.safeParse(await json(path.join(dir, 'verdict.json')))
    if (!plan.success && !verdict.success) return []
    const facts = verdict.success ? factsOf('', verdict.data) : undefined
    const run = verdict.success ? verdict.data.run : null
    const entry: CatalogEntry = {
      kind,
      path: below,
      report: existsSync(path.join(this.#root, reportIn, 'report.html')) ? `${reportIn}/report.html` : null,
      state: verdict.success ? verdict.data.verdict : isActive(path.join(dir, 'history.jsonl'), nowMs) ? 'running' : 'cut short',
      started: startedOf(reportIn) ?? run?.started ?? '',
      configuration: plan.success ? configurationName(plan.data) : (run?.preset ?? run?.system ?? ''),
      workload: run?.workload ?? (plan.success ? plan.data.workload : ''),
      driver: run?.driver ?? (plan.success ? plan.data.driver : ''),
      seed: run?.seed ?? (plan.success ? plan.data.seed : null),
      faults: verdict.success ? [...new Set(verdict.data.faults.map((fault) => fault.fault))] : [],
      operations: verdict.success ? verdict.data.operations.invoked : null,
      strongest: facts === undefined ? null : strongestText(facts),
      majority: facts?.majority?.share ?? null,
      minority: facts?.minority?.share ?? null,
      p99_ms: facts?.latency?.p99_ms ?? null,
      lost: facts?.lost ?? null,
      sentence: verdict.success ? verdict.data.sentence : '',
    }
    this.#known.set(below, { stamp, entry })
    return [entry]
  }

  async #campaign(below: string, nowMs: number): Promise<CatalogEntry[]> {
    const dir = path.join(this.#root, below)
    const stamp = stampOf(path.join(dir, 'campaign.json')) + stampOf(path.join(dir, 'report.html'))
    const known = this.#known.get(below)
    if (known?.stamp === stamp && known.entry.state !== 'running') return [known.entry]
    const campaign = await campaignFileIn(dir)
    if (campaign === undefined) return []
    const { runs, violated, unknown } = campaign
    // Whoever carries it through writes the file again and again.
    const goesOn = campaign.state === 'open' && isActive(path.join(dir, 'campaign.json'), nowMs)
    const entry: CatalogEntry = {
      kind: 'campaign',
      path: below,
      report: existsSync(path.join(dir, 'report.html')) ? `${below}/report.html` : null,
      state: goesOn ? 'running' : runs === 0 ? 'cut short' : violated > 0 ? 'violated' : unknown > 0 ? 'unknown' : 'holds',
      started: campaign.started,
      configuration: campaign.configurations.join(', '),
      workload: '',
      driver: '',
      seed: null,
      faults: campaign.nemeses,
      operations: null,
      strongest: null,
      majority: null,
      minority: null,
      p99_ms: null,
      lost: null,
      sentence: `${runs} runs${goesOn ? ' so far' : ''}, ${violated} violated.`,
    }
    this.#known.set(below, { stamp, entry })
    return [entry]
  }
}

/** Real folders, no links, no hidden ones. */
async function folders(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map((entry) => entry.name).sort()
}

async function json(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch {
    return undefined
  }
}

function stampOf(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false })
  return stat === undefined ? '-' : `${stat.mtimeMs}:${stat.size} `
}


function isActive(history: string, nowMs: number): boolean {
  const stat = statSync(history, { throwIfNoEntry: false })
  return stat !== undefined && nowMs - stat.mtimeMs < QUIET_MS
}

/** The time in a folder's name, "20261120T225959.123Z", as ISO 8601. */
function startedOf(below: string): string | undefined {
  const found = /(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d(?:\.\d+)?Z)/.exec(path.basename(below))
  return found === null ? undefined : `${found[1]}-${found[2]}-${found[3]}T${found[4]}:${found[5]}:${found[6]}`
}

/** The run that `runs/current` stands for and that is not over: its folder below the root, or that of a tour's configuration. */
export async function currentRun(root: string, nowMs: number): Promise<string | undefined> {
  const link = path.join(root, 'current')
  if (!existsSync(link)) return undefined
  const dir = realpathSync(link)
  const candidates = [dir, ...(await folders(dir)).map((name) => path.join(dir, name))]
  const active = candidates.find((one) => existsSync(path.join(one, 'plan.json')) && !existsSync(path.join(one, 'verdict.json')) && isActive(path.join(one, 'history.jsonl'), nowMs))
  return active === undefined ? undefined : path.relative(realpathSync(root), active).split(path.sep).join('/')
}
