/**
 * One configuration's part of the report: verdict and witnesses, ladder, curves, timeline, faults, environment.
 */
import { formatCount, formatDate, formatInstant, formatMs, formatNoun, formatShare, keptTogether } from '../format.ts'
import { html, Html } from './escape.ts'
import { command, figure, glyph, headline, value } from './sections.ts'
import { countersTable } from './counters.ts'
import { coverageNote } from './data.ts'
import { implied } from '../../checker/ladder.ts'
import { cycleFigure } from './cycle-svg.ts'
import { isolationSection } from './isolation.ts'
import { latticeSvg } from './lattice-svg.ts'
import { phasesTable } from './phases-svg.ts'
import { visibilityFigure } from './visibility-svg.ts'
import { witnessSvg } from './witness-svg.ts'
import { outcomes } from './columns.ts'
import { wordFor } from '../promise.ts'
import type { Configuration, WitnessCard } from './data.ts'
import type { Figure } from './sections.ts'
import type { WitnessLayout } from './witness.ts'

/** All sections of one configuration. */
export function configurationSection(configuration: Configuration): Html {
  const { id, name, document } = configuration
  return html`<section class="configuration" id="${id}" aria-labelledby="${id}-heading">
<header class="title">${glyph(document.verdict)}<h2 id="${id}-heading">${name}</h2><p class="word ${document.verdict}">${headline(document)}</p></header>
<p class="lead">${keptTogether(document.sentence)}</p>
<dl class="tally">${tally(configuration)}</dl>
${witnesses(configuration)}
${isolationSection(configuration)}
${ladder(configuration)}
${charts(configuration)}
${phasesTable(configuration.phases, id)}
${timeline(configuration)}
${coverage(configuration)}
${countersTable(configuration)}
${logs(configuration)}
${environment(configuration)}
</section>`
}

function tally({ document }: Configuration): Html[] {
  const { invoked, ok, fail, info } = document.operations
  const rows = [['invoked', 'operations', invoked], ['ok', 'ok', ok], ['fail', 'failed for certain', fail], ['info', 'outcome unknown', info]] as const
  return rows.map(([field, label, count]) => html`<div><dt>${label}</dt><dd>${value(`operations.${field}`, count, formatCount(count))}</dd></div>`)
}

function witnesses({ id, witnesses: cards, moreWitnesses }: Configuration): Html | null {
  if (cards.length === 0) return null
  return html`<h3>${cards.length === 1 ? 'The witness' : 'Witnesses'}</h3>
<div class="witnesses">${cards.map((card, index) => (index === 0 ? witness(card, id) : html`<details class="further"><summary>${card.claim}: ${formatNoun(card.size, 'operation')}${card.key === null ? '' : html` on key <code>${card.key}</code>`}</summary>${witness(card, id)}</details>`))}
${moreWitnesses > 0 ? html`<p class="note">${formatNoun(moreWitnesses, 'further witness', 'further witnesses')} in verdict.json.</p>` : null}</div>`
}

function witness(card: WitnessCard, id: string): Html {
  const own = `${id}-witness-${card.number}`
  const lines = card.jsonl.map((line, index) => html`${index === 0 ? '' : new Html('\n')}${line}`)
  return html`<article class="witness" id="${own}"><header><h4><span class="c-violated" aria-hidden="true">◆</span> ${card.claim}</h4>${card.key === null ? null : html`<p class="key">key <code>${card.key}</code></p>`}</header>
<p class="explanation">${card.explanation}</p>
${card.when === null ? null : html`<p class="note">${card.when}</p>`}
${card.cycle === null ? null : cycleFigure(card.cycle, own)}
${card.layout === null ? html`<p class="note">${formatNoun(card.size, 'operation')} together, too many to draw: no smaller set was found that breaks the model by itself.</p>` : diagram(card.layout, own)}
<div class="actions">${card.moment < 0 ? null : html`<button type="button" class="show" data-run="${id}" data-moment="${card.moment}">Show in the timeline</button>`}<button type="button" class="copy" data-copy-from="${own}-jsonl">Copy as JSONL</button></div>
<details><summary>The ${card.layout === null ? 'first ' : ''}operations as they stand in history.jsonl</summary><pre class="scroll" tabindex="0" id="${own}-jsonl">${lines}</pre></details></article>`
}

function diagram(layout: WitnessLayout, own: string): Html {
  return html`<div class="scroll diagram" tabindex="0" role="region" aria-label="Diagram of the witness">${witnessSvg(layout, own)}</div>
<ul class="legend"><li><span class="key-bar"></span>from invocation to completion</li><li><span class="key-open"></span>outcome never known</li><li><span class="c-muted" aria-hidden="true">⤷</span>ended before the other began</li>${layout.reads.length === 0 ? null : html`<li><span class="c-accent" aria-hidden="true">⇢</span>its value was read there</li>`}<li><span class="c-violated" aria-hidden="true">◆</span>impossible from here on</li></ul>`
}

function ladder(configuration: Configuration): Html {
  const { id, document, facts, ladder: rungs, judgements } = configuration
  const statistics = html`<details class="statistics"><summary>Checker statistics: what each judgement looked at, and its numbers</summary><dl>${judgements.map((judgement) => html`<div><dt>${judgement.judgement}</dt><dd>${formatNoun(judgement.operations, 'operation')}${judgement.numbers === '' ? null : ` · ${judgement.numbers}`}${judgement.reason === undefined ? null : ` · unknown because: ${judgement.reason}`}</dd></div>`)}</dl></details>`
  // The ladder is about single reads and writes: beside transactions it would say "unknown" fourteen times.
  if (facts.byIsolation) return html`<h3 id="${id}-ladder">Beside the isolation levels</h3>${beside(configuration, judgements)}${statistics}`
  const shown = new Set(rungs.map((rung) => rung.by))
  const rows = rungs.map((rung) => html`<li class="${rung.verdict}">${glyph(rung.verdict)}<span class="model">${rung.witness === null ? rung.model : html`<a href="#${rung.witness}">${rung.model}</a>`}</span><span class="by">${rung.by === rung.model ? 'judged' : rung.by}</span><span class="word">${value(`ladder.${rung.model}`, rung.verdict, rung.verdict)}</span>${rung.summary === null ? null : html`<p>${rung.summary}</p>`}</li>`)
  return html`<h3 id="${id}-ladder">The ladder of consistency models</h3>
<div class="lattice-grid"><div class="scroll lattice-card" tabindex="0" role="region" aria-label="Lattice of models">${latticeSvg({ rungs, implied, promised: document.promised, expected: facts.expected, strongest: facts.strongest === null ? [] : [facts.strongest], label: 'Lattice of models, stronger ones above' })}<ul class="legend"><li>${glyph('holds')}holds: not refuted</li><li>${glyph('violated')}violated: there is a witness</li><li>${glyph('unknown')}unknown</li><li>a line: the upper model implies the lower</li></ul></div>
<div><h4>Beside the ladder</h4>${beside(configuration, judgements.filter((judgement) => judgement.model === undefined && !shown.has(judgement.judgement)))}</div></div>
<h4 id="${id}-rungs">The same in words, strongest first</h4><ol class="ladder" aria-labelledby="${id}-rungs">${rows}</ol>
${statistics}`
}

/** Judgements in words, each with a link to its witness. */
function beside({ id, witnesses: cards }: Configuration, judgements: Configuration['judgements']): Html {
  return html`<ul class="judgements">${judgements.map((judgement) => {
    const word = wordFor(judgement)
    const card = cards.find((one) => one.judgement === judgement.judgement)
    return html`<li>${word === 'measured' ? html`<span class="glyph" aria-hidden="true"></span>` : glyph(judgement.verdict)}<div><p><strong>${card === undefined ? judgement.judgement : html`<a href="#${id}-witness-${card.number}">${judgement.judgement}</a>`}</strong> <span class="word ${word}">${word}</span></p><p>${judgement.summary}</p></div></li>`
  })}</ul>`
}

function charts(configuration: Configuration): Html {
  const { id, document, facts, charts: drawn } = configuration
  const faults = document.faults.length === 0 ? 'There were no faults.' : `Faults: ${document.faults.map((fault) => `${fault.fault} from ${formatInstant(fault.from_ns)} to ${formatInstant(fault.to_ns)}`).join('; ')}.`
  const band = document.faults.length === 0 ? [] : ([['band', 'fault', 'fault']] as const)
  const sides = drawn.series.availability.curves.map((curve, index) => [(['solid', 'dash', 'dot'] as const)[index % 3]!, (['majority', 'minority', 'p999'] as const)[index % 3]!, curve.name] as const)
  const every = (width_s: number | null) => (width_s === null ? '' : ` in slices of ${formatMs(width_s * 1000)}`)
  const figures: Figure[] = [
    { id: `${id}-operations`, kind: 'operations', run: id, title: 'Operations over time', says: `Completions per second${every(drawn.series.operations.width_s)}.`, label: `Completions per second by outcome. ${formatCount(document.operations.ok)} ok, ${formatCount(document.operations.fail)} failed, ${formatCount(document.operations.info)} unknown. ${faults}`, legend: [['area', 'ok', 'ok'], ['pale', 'fail', 'fail'], ['hatch', 'info', 'info'], ...band] },
    { id: `${id}-availability`, kind: 'availability', run: id, title: 'Availability per side', says: `ok ÷ attempted, by time of invocation${every(drawn.series.availability.width_s)}. Which nodes a side has stands under “Faults, and whether they bit”.`, label: `Availability over time. During the partition: majority side ${formatShare(facts.majority?.share)}, minority side ${formatShare(facts.minority?.share)}. ${faults}`, legend: [...sides, ...band] },
    { id: `${id}-latency`, kind: 'latency', run: id, title: 'Latency of ok operations', says: `From the intended start, logarithmic${every(drawn.series.latency.width_s)}.`, label: `Latency quantiles over time. Over the whole run p50 ${formatMs(facts.latency?.p50_ms)}, p99 ${formatMs(facts.latency?.p99_ms)}, p99.9 ${formatMs(facts.latency?.p999_ms)}. ${faults}`, legend: [['solid', 'p50', 'p50'], ['dash', 'p99', 'p99'], ['dot', 'p999', 'p99.9'], ...band] },
    { id: `${id}-divergence`, kind: 'divergence', run: id, title: 'Do the replicas agree?', says: document.convergence.agreed === null ? 'The replicas were not read.' : 'Keys on which the replicas differ, read from each directly.', label: `Keys on which replicas differ, over time. ${document.convergence.agreed === true ? `All agreed ${formatMs(document.convergence.time_to_converge_ms)} after the last heal and the last write.` : `${document.convergence.diverged_keys} of ${document.convergence.keys} keys differed at the end.`} ${faults}`, legend: [['solid', 'accent', 'keys that differ'], ...band] },
  ]
  return html`<h3>What happened</h3><p class="note">${configuration.tradeOff}</p><div class="charts">${figures.map(figure)}${visibilityFigure(document, id)}</div>`
}

function timeline({ id, charts: { timeline: header } }: Configuration): Html {
  const moments = header.moments
  return html`<h3 id="${id}-timeline-heading">Timeline of operations</h3>
<div class="timeline" id="${id}-timeline" data-run="${id}">
<div class="toolbar" role="toolbar" aria-label="Timeline controls">
<label>Go to <select class="moments">${moments.length === 0 ? html`<option value="">start of the run</option>` : moments.map((moment, index) => html`<option value="${index}">${moment.kind === 'anomaly' ? '◆ ' : '▒ '}${moment.label}</option>`)}</select></label>
<span class="group"><button type="button" data-act="previous" aria-label="Previous moment" title="Previous moment (p)">‹</button><button type="button" data-act="next" aria-label="Next moment" title="Next moment (n)">›</button></span>
<span class="group"><button type="button" data-act="out" aria-label="Zoom out" title="Zoom out (−)">−</button><button type="button" data-act="in" aria-label="Zoom in" title="Zoom in (+)">+</button></span>
<button type="button" data-act="all">Whole run</button>
<button type="button" data-act="follow" aria-pressed="false" title="The curves above show the same part of the run (f)">Charts follow</button>
</div>
<div class="toolbar filters" role="group" aria-label="Show only">
<label>Key <input name="key" type="text" size="7" autocomplete="off" spellcheck="false" placeholder="all"></label>
<label>Process or node <input name="process" type="text" size="7" autocomplete="off" spellcheck="false" placeholder="all"></label>
<label>Function <select name="function"><option value="">all</option>${header.functions.map((f) => html`<option>${f}</option>`)}</select></label>
<label>Outcome <select name="outcome"><option value="">all</option>${outcomes.map((outcome) => html`<option>${outcome}</option>`)}</select></label>
<button type="button" class="clear">Show all</button><output></output>
</div>
<div class="overview"><canvas aria-hidden="true"></canvas></div>
<div class="rows" role="application" tabindex="0" aria-roledescription="timeline" aria-label="Operations over time, one row per client thread. Arrow keys move, plus and minus zoom, n and p go to the next and previous anomaly or fault, comma and full stop step through operations." aria-describedby="${id}-operation"><canvas role="img" aria-label="Operations as intervals, one row per client thread, faults shaded, operations of witnesses marked with a red diamond."></canvas></div>
<ul class="legend"><li><span class="key-box ok"></span>ok</li><li><span class="key-box fail"></span>fail</li><li><span class="key-box info"></span>info</li><li><span class="c-violated" aria-hidden="true">◆</span>in a witness</li><li><span class="key-box fault"></span>fault</li><li class="keys">drag or ← → move · + − zoom · n p moments · , . step · f charts follow</li></ul>
<div class="details"><p class="operation" id="${id}-operation" role="status" aria-live="polite">Point at an operation, or step through them with comma and full stop; a click pins it, Esc lets it go. Drag over the strip on top to choose a part of the run.</p><dl></dl><div class="actions" hidden>Only this <button type="button" data-by="key">key</button><button type="button" data-by="process">process</button><button type="button" data-by="node">node</button><button type="button" data-by="function">function</button></div></div>
<p class="note">${coverageNote(header)} ${header.threads === null ? 'One row per process.' : 'One row per client thread: a process whose operation ends in info goes on under a new number in the same row.'}</p>
<details class="numbers"><summary>The operations in view as a table</summary><div class="scroll" tabindex="0" role="region" aria-label="Operations in view"></div></details>
</div>`
}

function coverage({ faults }: Configuration): Html {
  if (faults.length === 0) return html`<h3>Faults</h3><p>None were injected.</p>`
  const heads = ['Fault', 'Did it bite?', 'From', 'To', 'Healed', 'On', 'Operations', 'Evidence']
  return html`<h3>Faults, and whether they bit</h3><table class="stacked faults" role="table"><thead role="rowgroup"><tr role="row">${heads.map((head) => html`<th scope="col" role="columnheader">${head}</th>`)}</tr></thead><tbody role="rowgroup">${faults.map(({ fault, on, attempted }) => {
    const cells = [
      html`${glyph(fault.bit ? 'holds' : 'violated')}${fault.bit ? 'yes' : 'no'}`,
      formatInstant(fault.from_ns),
      formatInstant(fault.to_ns),
      fault.healed_ns === null ? 'not seen' : `+${formatMs((fault.healed_ns - fault.to_ns) / 1e6)}`,
      on,
      attempted === null ? '–' : formatCount(attempted),
      fault.evidence,
    ]
    return html`<tr role="row"><th scope="row" role="rowheader">${fault.fault}</th>${cells.map((cell, index) => html`<td role="cell" data-label="${heads[index + 1]}"><span>${cell}</span></td>`)}</tr>`
  })}</tbody></table>`
}

function logs({ id, charts: { logs: kept } }: Configuration): Html | null {
  if (kept === null) return null
  const nodes = [...new Set(kept.lines.map((line) => line.node))].sort()
  return html`<h3 id="${id}-logs-heading">What the nodes wrote</h3>
<div class="logs" id="${id}-logs"><div class="toolbar" role="group" aria-label="Search the logs"><label>Text <input name="text" type="search" size="18" autocomplete="off" spellcheck="false"></label><label>Node <select name="node"><option value="">all</option>${nodes.map((node) => html`<option>${node}</option>`)}</select></label><label><input name="inview" type="checkbox"> only what the timeline shows</label><output></output></div>
<div class="scroll" tabindex="0" role="region" aria-labelledby="${id}-logs-heading"><table><thead><tr><th scope="col">Time</th><th scope="col">Node</th><th scope="col">Line</th></tr></thead><tbody></tbody></table></div>
${kept.missing === 0 ? null : html`<p class="note">${formatNoun(kept.missing, 'further line')} in the files below.</p>`}</div>`
}

function environment({ document: { run }, machine, files }: Configuration): Html {
  const raw = files.length === 0 ? null : html`<p class="raw">Raw files: ${files.map((file) => html`<a href="${file}">${file}</a> `)}</p>`
  if (run === null) return html`<h3>Environment</h3><p>An imported history: how it came about is not recorded.</p>`
  const rows: readonly (readonly [string, string])[] = [
    ['System', run.preset === null ? run.system : `${run.system}, preset ${run.preset}`],
    ['Workload', run.workload],
    ['Driver', run.driver],
    ['Nodes', run.nodes.join(' ')],
    ['Clients', formatCount(run.clients)],
    ['Time', formatMs(run.time_ms)],
    ['Seed', String(run.seed)],
    ['Started', formatDate(run.started)],
    ['splitbrain', run.version],
    ...machine,
  ]
  return html`<h3>Environment, and how to see it again</h3><dl class="environment">${rows.map(([name, text]) => html`<div><dt>${name}</dt><dd>${text}</dd></div>`)}</dl>${command(run.repeat, 'the command that repeats this run')}${raw}`
}
