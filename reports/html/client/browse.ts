/**
 * What runs in the page of `splitbrain serve`: asks the server that it came from for the runs that there are and for
 * the one that goes on, and shows both. Everything goes in as text.
 */
import { formatCount, formatDate, formatMs, formatShare } from '../../format.ts'
import type { CatalogEntry, LiveView } from '../../browse.ts'

const shownMax = 500
const liveEveryMs = 1000
const listEveryMs = 5000
const marks: Readonly<Record<CatalogEntry['state'], string>> = { holds: '●', violated: '◆', unknown: '○', running: '▶', 'cut short': '–' }

let entries: readonly CatalogEntry[] = []
let sort: { by: keyof CatalogEntry; down: boolean } = { by: 'started', down: true }

const control = (name: string) => document.querySelector<HTMLInputElement | HTMLSelectElement>(`#runs [name="${name}"]`)!

function element(name: string, text: string, className = ''): HTMLElement {
  const made = document.createElement(name)
  made.textContent = text
  if (className !== '') made.className = className
  return made
}

/** Every word must be somewhere in the row; `column:word` in that column. */
function matches(entry: CatalogEntry, words: readonly string[]): boolean {
  const all = JSON.stringify(Object.values(entry)).toLowerCase()
  return words.every((word) => {
    const [, column, rest] = /^(\w+):(.+)$/.exec(word) ?? []
    const field = column === undefined ? undefined : Object.entries(entry).find(([name]) => name === column)
    return field === undefined ? all.includes(word) : column === 'seed' ? String(field[1]) === rest : JSON.stringify(field[1]).toLowerCase().includes(rest!)
  })
}

function compare(a: CatalogEntry, b: CatalogEntry): number {
  const [x, y] = [a[sort.by], b[sort.by]]
  if (x === null || y === null) return x === y ? 0 : x === null ? 1 : -1
  const order = typeof x === 'number' && typeof y === 'number' ? x - y : String(x).localeCompare(String(y), 'en', { numeric: true })
  return sort.down ? -order : order
}

function showList(): void {
  const words = control('text').value.toLowerCase().split(/\s+/).filter((word) => word !== '')
  const [state, kind] = [control('state').value, control('kind').value]
  const found = entries.filter((entry) => (state === '' || entry.state === state) && (kind === '' || entry.kind === kind) && matches(entry, words)).sort(compare)
  const text = entries.length === 0 ? 'There are no runs yet.' : `${formatCount(found.length)} of ${formatCount(entries.length)}${found.length > shownMax ? `, the first ${shownMax} shown` : ''}`
  const output = document.querySelector('#runs output')!
  if (output.textContent !== text) output.textContent = text
  document.querySelector('#runs tbody')!.replaceChildren(...found.slice(0, shownMax).map(row))
}

function row(entry: CatalogEntry): HTMLElement {
  const line = document.createElement('tr')
  // The middle of a path is the time at which the run began, and has a column of its own.
  const short = entry.path.split('/').filter((_, index) => index !== 1).join(' / ')
  const name = element('th', entry.report === null ? short : '')
  name.setAttribute('scope', 'row')
  if (entry.report !== null) {
    const link = element('a', short) as HTMLAnchorElement
    link.href = `/runs/${entry.report.split('/').map(encodeURIComponent).join('/')}`
    name.append(link)
  }
  const verdict = element('td', `${marks[entry.state]} ${entry.state}`, `word ${entry.state}`)
  const right = (text: string) => element('td', text, 'right')
  line.append(verdict, name, element('td', entry.configuration), element('td', entry.workload), element('td', entry.faults.join(', ')), element('td', entry.strongest ?? '–'), right(formatShare(entry.majority)), right(formatShare(entry.minority)), right(formatMs(entry.p99_ms)), right(entry.operations === null ? '–' : formatCount(entry.operations)), element('td', formatDate(entry.started), 'when'))
  line.title = `${entry.path}\n${entry.sentence}`
  return line
}

function showLive(view: LiveView | null): void {
  const section = document.getElementById('live')!
  section.hidden = view === null
  if (view === null) return
  const part = (selector: string) => section.querySelector(selector)!
  const broken = view.refuted.filter((one) => one.promised)
  part('.lead').textContent = `${view.configuration}: ${view.time_s.toFixed(1)} s of ${view.of_s.toFixed(0)} s, ${formatCount(view.rate)} operations/s. ${view.judged === 0 ? 'Not judged yet.' : broken.length > 0 ? 'Violated.' : view.refuted.length > 0 ? 'Holds so far; stronger models are broken.' : 'Nothing is refuted so far.'}`
  part('.faults').textContent = view.faults.length === 0 ? 'No fault bites now.' : `Now: ${view.faults.join(', ')}.`
  const most = Math.max(1, ...view.seconds.map(({ ok, fail, info }) => ok + fail + info))
  part('.pulse').replaceChildren(...view.seconds.map(({ ok, fail, info }) => {
    const bar = document.createElement('i')
    for (const [kind, count] of [['info', info], ['fail', fail], ['ok', ok]] as const) {
      const piece = element('b', '', kind)
      piece.style.height = `${(count / most) * 100}%`
      bar.append(piece)
    }
    return bar
  }))
  part('.tally').replaceChildren(...(['invoked', 'ok', 'fail', 'info'] as const).map((name) => {
    const pair = document.createElement('div')
    pair.append(element('dt', name), element('dd', formatCount(view.operations[name])))
    return pair
  }))
  part('.refuted').replaceChildren(...view.refuted.map((one) => element('li', `◆ ${one.judgement}${one.promised ? '' : ' (does not count)'}: ${one.explanation}`, one.promised ? 'violated' : '')))
}

async function ask<T>(address: string): Promise<T | undefined> {
  try {
    const response = await fetch(address)
    return response.ok ? ((await response.json()) as T) : undefined
  } catch {
    return undefined
  }
}

async function refreshList(): Promise<void> {
  const fresh = await ask<CatalogEntry[]>('/api/runs')
  if (fresh !== undefined) {
    entries = fresh
    showList()
  }
  document.documentElement.dataset['ready'] = 'true'
  setTimeout(() => void refreshList(), listEveryMs)
}

async function refreshLive(): Promise<void> {
  const view = await ask<LiveView | null>('/api/live')
  if (view !== undefined) showLive(view)
  setTimeout(() => void refreshLive(), liveEveryMs)
}

document.querySelector('#runs .toolbar')!.addEventListener('input', showList)
document.querySelector('#runs thead')!.addEventListener('click', (event) => {
  const by = (event.target as HTMLElement).dataset['sort'] as keyof CatalogEntry | undefined
  if (by === undefined) return
  sort = { by, down: sort.by === by ? !sort.down : ['majority', 'minority', 'p99_ms', 'operations', 'started'].includes(by) }
  for (const head of document.querySelectorAll('#runs thead th')) {
    if (head.querySelector('button')!.dataset['sort'] === by) head.setAttribute('aria-sort', sort.down ? 'descending' : 'ascending')
    else head.removeAttribute('aria-sort')
  }
  showList()
})
void refreshList()
void refreshLive()
