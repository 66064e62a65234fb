/**
 * The mutants of the mutation check: at least ten ways in which each algorithm can be broken.
 */

/** File (compiled, or assembly source), what stands there, what shall stand there instead. */
export type Mutant = readonly [string, string, string]

const zones: readonly Mutant[] = [
  ['zones.js', 'if (writer[c] !== NOBODY)', 'if (false)'],
  ['zones.js', 'if (ret[i] < firstReturn[c])', 'if (ret[i] > firstReturn[c])'],
  ['zones.js', 'if (inv[i] > lastInvoke[c])', 'if (false)'],
  ['zones.js', 'if (reads < f)', 'if (false)'],
  ['zones.js', 'if (w === NOBODY)\n        suspect', 'if (false)\n        suspect'],
  ['zones.js', 'if (firstReturn[c] < begun)', 'if (false)'],
  ['zones.js', 'if (reads < latest)', 'if (false)'],
  ['zones.js', 'if (ret[cas] < latest)', 'if (false)'],
  ['zones.js', 'if (chained > 0 &&', 'if (false &&'],
  ['zones.js', 'f < lastInvoke[open] && firstReturn[open] < s', 'f < lastInvoke[open] && f < s'],
  ['zones.js', 'if (f < s && (open < 0', 'if (f > s && (open < 0'],
  ['zones.js', 'ret[w] === NEVER && observed[c] === 0)', 'ret[w] === NEVER)'],
]

const engine: readonly Mutant[] = [
  ['assembly/configuration-set.ts', 'if (((doneB & ~doneA) & pure) != 0) return false', ''],
  ['assembly/configuration-set.ts', 'if (((doneA ^ doneB) & ~hideA & ~pure) != 0) return false', ''],
  ['assembly/configuration-set.ts', 'if ((hideB & ~hideA) != 0) return false', ''],
  ['assembly/configuration-set.ts', 'if ((x & 0xffff) > (y & 0xffff) || (x >> 16) > (y >> 16)) return false', ''],
  ['assembly/transitions.ts', 'if (needs >= 0) {\n    if (state != needs) return NONE\n  }', 'if (needs >= 0) {\n    if (state == NONE) return NONE\n  }'],
  ['assembly/search.ts', 'const keep = load<u8>(opKeep + <usize>xOp) != 0 || isWanted(get(typeMakes, get(opType, xOp)))', 'const keep = false'],
  ['assembly/search.ts', 'if (theirs < mine ||', 'if (theirs > mine ||'],
  ['assembly/search.ts', 'if (!overwrites && (get(record', 'if (false && (get(record'],
  ['assembly/search.ts', '(get(totalMask, w) & get(openMask, w)) & ~get(scratch, doneAt + w)', '0'],
  ['assembly/need.ts', 'if (at < get(stateLast, state)) return true\n  const next = get(stateNext, state)\n  for (let w = 0; w < words; w++) {\n    let rest = (get(pureMask, w) | get(openMask, w)) & ~get(scratch, doneAt + w)\n    if (w == xWord)', 'if (at >= get(stateLast, state)) return true\n  const next = get(stateNext, state)\n  for (let w = 0; w < words; w++) {\n    let rest = (get(pureMask, w) | get(openMask, w)) & ~get(scratch, doneAt + w)\n    if (w == xWord)'],
  ['assembly/search.ts', '&& !isSurveyedWanted(next, state)) continue', ') continue'],
  ['assembly/configuration.ts', 'store<u16>(address, load<u16>(address) + 1)', ''],
  ['assembly/search.ts', '== 0 || !hidesAny(from))) continue', '== 0 || true)) continue'],
]

const around: readonly Mutant[] = [
  ['order.js', 'Number(type[a] !== INVOKE) - Number(type[b] !== INVOKE)', 'Number(type[b] !== INVOKE) - Number(type[a] !== INVOKE)'],
  ['register.js', 'if (outcome === FAIL || outcome === INFO ||', 'if (outcome === INFO ||'],
  ['register.js', 'if (operation > 0 && type[at] !== INFO)', 'if (operation > 0)'],
  ['window.js', 'if (!crashed && returns[op] < make[needed] && need[needed] === -1)', 'if (need[needed] === -1)'],
  ['window.js', '(soon[made] < overwritten ||', '(soon[made] > overwritten ||'],
  ['problem.js', 'if (crashed && used !== null && !used.has(made))', 'if (crashed)'],
  ['minimize.js', 'ops.ret[m] >= cut && ops.inv[m] < ops.ret[r]', 'ops.ret[m] >= cut && ops.inv[m] < ops.inv[r]'],
  ['zone-order.js', 'place(x) - place(y)', 'place(y) - place(x)'],
  ['models/collections.js', "'pop', (list) => [list.length - 1])", "'pop', (list) => [0])"],
]

const queues: readonly Mutant[] = [
  ['collections/elements.js', 'take.ret < put.inv', 'take.ret > put.inv'],
  ['collections/elements.js', 'twice ??= ', 'void '],
  ['collections/elements.js', 'take !== undefined || put.ret', 'put.ret'],
  ['collections/elements.js', 'if (empty.ret <= to)', 'if (empty.inv <= to)'],
  ['collections/elements.js', '<= Math.max(empty.inv, to)', '<= empty.inv'],
  ['collections/elements.js', 'to = Math.max(to, takenFrom(byStart[next]))', 'to = takenFrom(byStart[next])'],
  ['collections/elements.js', 'take?.inv ?? NEVER', 'take?.inv ?? -1'],
  ['collections/queue.js', 'put.ret < y.put.inv', 'put.inv < y.put.inv'],
  ['collections/queue.js', 'takenFrom(latest) > y.take.ret', 'takenFrom(latest) > y.take.inv'],
  ['collections/queue.js', 'takenFrom(byEnd[next]) > takenFrom(latest)', 'takenFrom(byEnd[next]) < takenFrom(latest)'],
  ['collections/queue.js', 'behind[next].put.inv > x.put.ret', 'behind[next].put.ret > x.put.ret'],
  ['collections/queue.js', 'behind[next].take.ret < first.take.ret', 'behind[next].take.ret > first.take.ret'],
  ['collections/queue.js', 'begun[i].inv < y.take.ret', 'true'],
  ['collections/queue.js', 'contents.crashed.length > 0 ? replayed(operations, ordered) : empty', 'empty'],
]

const stacks: readonly Mutant[] = [
  ['collections/elements.js', 'element.put.ret < takenFrom(element)', 'element.put.ret > takenFrom(element)'],
  ['collections/stack.js', 'a.put.ret - b.put.ret', 'b.put.ret - a.put.ret'],
  ['collections/stack.js', 'impossibleEmpty(contents) ?? ', ''],
  ['collections/stack.js', 'contents.crashed.length > 0 ? undefined', 'false ? undefined'],
  ['collections/stack.js', 'coverage.add(starts[i], ends[i], -1)', 'void 0'],
  ['collections/stack.js', 'bottoms.remove(i)', 'void 0'],
  ['collections/stack.js', 'take.ret > to', 'take.inv >= to'],
  ['collections/stack.js', 'take === undefined ||', ''],
  ['collections/stack.js', '>= from)\n                continue', '>= to)\n                continue'],
  ['collections/stack.js', 'firstAtLeast(starts, to), from, to)', 'firstAtLeast(starts, from), from, to)'],
  ['collections/stack.js', 'begin = gap + 1', 'begin = gap'],
  ['collections/coverage.js', 'least > 0)', 'least > 1)'],
  ['collections/coverage.js', 'Math.min(least[node * 2], least[node * 2 + 1])', 'Math.max(least[node * 2], least[node * 2 + 1])'],
]

const priorityQueues: readonly Mutant[] = [
  ['collections/priority-queue.js', 'a.value - b.value', 'b.value - a.value'],
  ['collections/priority-queue.js', 'Math.max(put.inv, take.inv)', 'take.inv'],
  ['collections/priority-queue.js', 'Math.max(put.inv, take.inv)', 'Math.max(put.ret, take.inv)'],
  ['collections/priority-queue.js', 'at >= take.ret', 'at >= events'],
  ['collections/priority-queue.js', 'if (put.ret < at)', 'if (false)'],
  ['collections/priority-queue.js', 'occupied.fill(put.ret, at,', 'occupied.fill(put.inv, at,'],
  ['collections/priority-queue.js', 'occupied.fill(put.ret, events,', 'void (put.ret, events,'],
  ['collections/priority-queue.js', 'crashed.length > 0 ? undefined', 'false ? undefined'],
  ['collections/priority-queue.js', 'occupied.free(empty.inv) >= empty.ret', 'false'],
  ['collections/priority-queue.js', 'gap < to; gap = this.free(gap)', 'gap <= to; gap = this.free(gap)'],
  ['collections/priority-queue.js', 'this.#next[gap] = gap + 1', 'this.#next[gap] = gap + 2'],
]

const sets: readonly Mutant[] = [
  ['collections/grow-only-set.js', 'if (!read.elements.has(element))', 'if (false)'],
  ['collections/grow-only-set.js', 'if (add === undefined)', 'if (false)'],
  ['collections/grow-only-set.js', 'latest !== undefined && read.span.ret < latest.inv', 'false'],
  ['collections/grow-only-set.js', '!placed.has(element) && latest', 'false && latest'],
  ['collections/set.js', "adds.length > 1 || removals.length > 1", 'adds.length > 2'],
  ['collections/set.js', 'adds[0]?.operation.output === false ||', ''],
  ['collections/set.js', '(output === true ? [] : ', '(true ? [] : '],
  ['collections/set.js', '(output === false ? [] : ', '(true ? [] : '],
  ['collections/set.js', 'Math.min(add.ret,', 'Math.max(add.ret,'],
  ['collections/set.js', 'Math.max(add.inv,', 'Math.min(add.inv,'],
  ['collections/set.js', 'begin < add.inv ||', ''],
  ['collections/set.js', 'removed.ret < end', 'removed.inv < end'],
  ['collections/set.js', 'inv < begin || ret > end', 'inv < begin'],
  ['collections/set.js', 'inv < begin || ret > end', 'ret > end'],
]

const counters: readonly Mutant[] = [
  ['collections/counter.js', 'input !== 0', 'true'],
  ['collections/counter.js', 'adds.some(({ operation: { input } }) => input !== amount)', 'false'],
  ['collections/counter.js', 'level >= 0', 'true'],
  ['collections/counter.js', 'if (waiting.size === 0)', 'if (false)'],
  ['collections/counter.js', '.ret < event;', '.inv < event;'],
  ['collections/counter.js', '> block[i])', '> block[i] + 1)'],
  ['collections/counter.js', '.inv > adds[a].ret', '.ret > adds[a].ret'],
  ['collections/counter.js', 'waiting.first <= block)', 'false)'],
  ['collections/counter.js', 'last[add] >= block', 'true'],
  ['collections/counter.js', 'Math.min(lowest, block[begun])', 'Math.max(lowest, block[begun])'],
  ['collections/counter.js', 'waiting.removeFirst()', 'void 0'],
]

/**
 * The quick acceptor of large histories. Not among them, because nobody can tell: whether it refuses two compare-and-sets
 * that consume one value when it meets the second, or only when it finds that no chain reaches the first.
 */
const acceptor: readonly Mutant[] = [
  ['accept-clusters.js', "classOf(CAS, FAIL)] === 0 || this.#rules.failedCas === 'drop'", 'classOf(CAS, FAIL)] >= 0'],
  ['accept-clusters.js', 'larger(table[c * 4 + LATE], invocation + 1)', 'invocation + 1'],
  ['accept-clusters.js', 'larger(table[c * 4 + EARLY], NEVER - response)', 'NEVER - response'],
  ['accept-clusters.js', 'c < 0 || table[c * 4 + WRITER] !== NOBODY', 'c < 0'],
  ['accept-clusters.js', 'to < 0 || table[to * 4 + WRITER] !== NOBODY', 'to < 0'],
  ['accept-clusters.js', 'clusters.crashedCas.push(to)', 'void 0'],
  ['accept-clusters.js', 'return owner[c] === k + 1 ? c : NO_CLUSTER', 'return c'],
  ['accept-clusters.js', 'if (skipped && code === NIL)', 'if (code === NIL)'],
  ['accept-clusters.js', 'end < 0 ? INFO : type[end]', 'end < 0 ? OK : type[end]'],
  ['accept-clusters.js', 'if (kind < 0)\n                return false', 'if (kind < 0)\n                continue'],
  ['accept-zones.js', 'unwritten |= observed & (made ^ 1)', 'void 0'],
  ['accept-zones.js', 'NEVER - own < late - 1 || ', ''],
  ['accept-zones.js', ' || NEVER - own < rowOf(table[c * 4 + WRITER])', ''],
  ['accept-zones.js', 'if (NEVER - table[head * 4 + EARLY] < rowOf(table[head * 4 + WRITER]))', 'if (false)'],
  ['accept-zones.js', 'chained === 0', 'true'],
  ['accept-zones.js', 'larger(table[head * 4 + EARLY], own)', 'table[head * 4 + EARLY]'],
  ['accept-zones.js', 'larger(late, table[c * 4 + LATE])', 'late'],
  ['accept-zones.js', 'links += left', 'links = left'],
  ['accept-zones.js', 'from < openTo[k] && openFrom[k] < to', 'false'],
  ['accept-zones.js', 'openTo[k] = table[(valuesEnd + k) * 4 + LATE] - 1', 'openTo[k] = -1'],
]

/** Histories in columns, and what fills them. */
const columns: readonly Mutant[] = [
  ['history.js', 'this.inTimeOrder = false', 'void 0'],
  ['history.js', 'if (key < keyMin)', 'if (key > keyMin)'],
  ['history.js', 'if (value[row] > largestValue)', 'if (false)'],
  ['history.js', 'this.#latest = latest', 'void 0'],
  ['column.js', '>>> (column.BYTES_PER_ELEMENT * 8 - 1) === 0', '>>> (column.BYTES_PER_ELEMENT * 8) === 0'],
  ['column.js', 'integers[i] ^ (integers[i] >> 31)', 'integers[i] & 0x7f'],
  ['values.js', 'row >= 0 && first[row] === a && second[row] === b', 'row >= 0 && first[row] === a'],
  ['values.js', 'near === 0 || (this.#first[near - 1] === a &&', 'near === 0 || ('],
  ['time-column.js', '!== time)', '> time)'],
  ['time-column.js', 'this.#first[block] = WIDE', 'void 0'],
  ['time-column.js', 'for (let before = block << SHIFT; before < row; before++)', 'for (let before = row; before < row; before++)'],
]

/**
 * The byte scanner. Not among them, because what it does not understand is read by JSON.parse, and nobody can tell but by
 * the time it takes: whether a number of another length than foreseen is measured, what long names are found by, and
 * what a long name that goes on behind a backslash is refused for (what stands there ends no field).
 */
const scanner: readonly Mutant[] = [
  ['assembly/scan.ts', 'if (length > 1 && (first & 0xff) == 0) return 0', ''],
  ['assembly/scan.ts', 'if (more == 0) return 0', ''],
  ['assembly/scan.ts', 'return number > 0x3fffffff ? 0 : end', 'return end'],
  ['assembly/scan.ts', 'have != HAS_ALL ||', ''],
  ['assembly/names.ts', '| ((backslash - ONES) & ~backslash)', ''],
]

/**
 * The monitor. Not among them, because nobody can tell:
 * - whether operations that ended keep the frontier at their invocation (it is asked for only when one ends), and whether the
 *   order forgets operations too early, or takes an open operation for effective of which a crashed one was (live-order.ts: an order that
 *   cannot go on proves nothing, and the window is walked);
 * - whether an unseen state lets everything be hidden at once, and which of the operations that nobody needs are walked over all the same;
 * - whether a hidden operation is kept twice, whether a write of the value that is there already hides others, and whether
 *   configurations are told apart by what they hide while one response is searched: for everything hidden during that search there is
 *   a configuration in which it took effect instead, just before.
 */
const streaming: readonly Mutant[] = [
  ['live-zones.js', 'if (other <= chain.first)', 'if (true)'],
  ['live-zones.js', 'if (most <= chain.first', 'if (false'],
  ['live-zones.js', 'if (invoked > chain.last)', 'if (false)'],
  ['live-zones.js', 'if (from.consumedRow >= 0)', 'if (false)'],
  ['live-zones.js', 'if (from.chain === value.chain)', 'if (false)'],
  ['live-zones.js', 'chain.values[i].first < invoked', 'false'],
  ['live-zones.js', 'this.#tookEffect(from)', 'undefined'],
  ['live-zones.js', 'this.#tookEffect(value)', 'undefined'],
  ['live-zones.js', 'if (last > chain.last)', 'if (false)'],
  ['live-zones.js', 'seen.length > 0 || value.joined', 'value.joined'],
  ['live-zones.js', 'chain.values[dead].first >= open', 'false'],
  ['live-window.js', "if (operation.fate === 'open')\n            operation.before = now", ''],
  ['live-window.js', 'if (!neverCounted)\n                this.#change(operation)', ''],
  ['live-window.js', 'operation.invoked < this.#changed.invoked', 'operation.invoked > this.#changed.invoked'],
  ['live-window.js', 'if (this.#ended[i].invoked < event)', 'if (false)'],
  ['live-window.js', "if (operation.fate === 'crashed')\n                this.#walker.allow", "if (false)\n                this.#walker.allow"],
  ['live-window.js', 'if (operation.invoked < from && !operation.type.ignored', 'if (!operation.type.ignored'],
  ['live-window.js', 'ended >= earliest)', 'ended > earliest + 3)'],
  ['live-window.js', 'earliest = Math.min(earliest, invoked)', ''],
  ['live-window.js', 'this.#taken &= ~(1 << operation.slot)', ''],
  ['live-window.js', 'crashed.splice(at, 0, operation.invoked)', 'crashed.push(operation.invoked, operation.invoked)'],
  ['live-window.js', 'this.#needs.begin(this.#log, this.#first, from)', 'this.#needs.begin(this.#log.slice(0, from - this.#first), this.#first, from)'],
  ['live-uses.js', 'if ((b.counts.get(type) ?? 0) < count)', 'if (false)'],
  ['live-frontier.js', 'if (available(type, used) === 0)', 'if (available(type, used) < 0)'],
  ['live-frontier.js', 'this.#total & ~(done | bit)', 'this.#total'],
  ['live-frontier.js', '(b.done & ~a.done & pure) !== 0 ||', ''],
  ['live-frontier.js', '((a.done ^ b.done) & ~a.hide & ~pure) !== 0', 'false'],
  ['live-frontier.js', '(b.hide & ~a.hide) !== 0', 'false'],
  ['live-frontier.js', 'if (another.ended < ended)', 'if (another.ended > ended)'],
  ['live-frontier.js', '(this.#twins[slot] & ~(done | hide)) !== 0', 'this.#twins[slot] !== 0'],
  ['live-frontier.js', 'this.#pure &= ~bit', ''],
  ['live-frontier.js', 'if (this.#isUnseen(x.type, done | bit, used))', 'if (true)'],
  ['live-frontier.js', 'if (this.#follows)\n            return', 'if (false)\n            return'],
  ['live-frontier.js', 'bit !== this.#bit && !this.#isWorthIt(', '!this.#isWorthIt('],
  ['live-frontier.js', 'return state.isNeeded || this.#isOfUse(state, done, used)', 'return state.isNeeded'],
  ['live-frontier.js', 'return state.isNeeded || this.#isOfUse(state, done, used)', 'return this.#isOfUse(state, done, used)'],
  ['live-frontier.js', 'if (state.asked !== this.#responses)', 'if (state.asked === 0)'],
  ['live-frontier.js', '(this.#followers[slot] & ~done) !== 0', 'false'],
  ['live-frontier.js', 'a.state !== b.state && b.state !== this.#object.unseen', 'false'],
  ['live-needs.js', 'invoked === at && type.constant !== undefined', 'type.constant !== undefined'],
  ['live-needs.js', 'Math.min(overwritten, ended)', 'Math.min(overwritten, at)'],
  ['live-needs.js', "fate === 'open' && (type.pure ||", "fate === 'open' && (false ||"],
  ['live-needs.js', "!this.#object.answered(type, 'fail', null).ignored", 'false'],
  ['live-needs.js', 'if (end === Infinity)', 'if (false)'],
  ['live-object.js', 'return type.total ? reaches === undefined :', 'return type.total ? false :'],
  ['live-object.js', 'this.next(value, type).length > 0 : reaches(value, type.operation)', 'false : reaches(value, type.operation)'],
  ['live-order.js', 'this.#order[at - 1].ended < x.invoked', 'false'],
  ['live-order.js', 'x.to !== undefined && this.#object.next(x.from, x.type).some((state) => same(state, x.to))', 'x.to !== undefined'],
  ['live-order.js', 'if (!x.isPlaced)\n            return true', 'return true'],
  ['live-order.js', 'operation !== x)', 'true)'],
  ['live-order.js', 'operation.type.ignored && !operation.isPlaced', 'operation.type.ignored'],
  ['live-order.js', '        for (const operation of open)\n            unplace(operation)', ''],
  ['live-repair.js', 'if (ended !== Infinity)', 'if (false)'],
  ['live-repair.js', 'operation.type.pure || operation.invoked > deadline', 'operation.type.pure'],
  ['live-repair.js', '!operation.type.pure || operation.invoked > this.#deadline(left)', '!operation.type.pure'],
  ['live-repair.js', 'other.invoked > this.#deadline(this.#rest) || other.invoked > operation.ended', 'false'],
  ['live-repair.js', ' || other.invoked > operation.ended', ''],
  ['live-repair.js', 'this.#path.length = length;\n        return false;\n    }\n    #branch', 'return false;\n    }\n    #branch'],
  ['live-register.js', '(++this.#completed & 15) === 0', 'false'],
  ['live-object.js', 'process === null ?', 'true ?'],
]

const bounds: readonly Mutant[] = [
  ['live-bounds.js', 'hide |= bit', 'all = all.map((done) => done | bit)'],
  ['live-bounds.js', 'if (type.pure)\n            all = all.map((done) => done | bit)', 'if (type.pure)\n            hide |= 0'],
  ['live-bounds.js', '[...all, ...all.map((done) => done | bit)]', 'all'],
  ['live-bounds.js', 'done |= 1 << slot', 'done |= 0'],
  ['live-bounds.js', 'a.length === b.length && ', ''],
  ['live-bounds.js', 'a.state === b.state && ', ''],
  ['live-bounds.js', 'isWithin(b.used, a.used)', 'true'],
  ['live-bounds.js', 'frontier.every(({ used }) => isWithin(least, used))', 'true'],
  ['live-order.js', 'if (event < this.#since)', 'if (false)'],
  ['live-order.js', 'order.indexOf(operation, at) < 0', 'true'],
  ['live-order.js', 'order[at].from : this.#state', 'order[at].to : this.#state'],
  ['live-frontier.js', '(this.#isLoose ? -1 : ~this.#pure)', '~this.#pure'],
  ['live-frontier.js', '.type)[0] === state)', '.type).length > 0)'],
  ['live-window.js', 'this.#spent = this.#walker.oneMore(this.#spent, operation.type)', ''],
  ['live-object.js', 'for (const { operation } of crashed)', 'for (const { operation } of [])'],
  ['models/keyed.js', "key === '__proto__'", 'false'],
  ['models/keyed.js', 'if (stands !== undefined && !same(stands, value))', 'if (!same(stands ?? null, value))'],
  ['models/keyed.js', 'Array.isArray(micro) && !isRead(micro) && textOf(micro[1]) === textOf(key)', 'Array.isArray(micro) && !isRead(micro)'],
  ['models/collections.js', 'state === output ? [state] : state === ANYTHING ? [output] : []', 'state === output ? [state] : []'],
  ['models/register.js', ' || state === ANYTHING ? [next]', ' ? [next]'],
]

const deletes: readonly Mutant[] = [
  ['register.js', 'k === WRITE ? value[at] : NIL', 'value[at]'],
  ['accept-zones.js', 'if (kinds.includes(DELETE))', 'if (false)'],
  ['live-register.js', "f === 'delete' ? null : value", 'value'],
  ['models/register.js', 'return [null]', 'return [input]'],
]

const liveQueues: readonly Mutant[] = [
  ['live-queue.js', '|| this.#pending.some(({ from, to }) => stay.from < to && stay.to > from)', ''],
  ['live-queue.js', 'stay.to > alive', 'stay.to > alive + 2'],
  ['live-queue.js', 'owed.deadline < earliest)', 'true)'],
  ['live-queue.js', 'element.owed.deadline >= earliest', 'element.owed.deadline >= alive'],
  ['live-queue.js', 'there <= serving(this.#open, gap) - serving(this.#alive, gap)', 'true'],
  ['live-queue.js', "this.#freeGap(empty) !== 'certain'", 'true'],
  ['live-queue.js', 'last === undefined || !this.#follows(empty, last)', 'true'],
  ['live-queue.js', 'this.#thereIn(gap) === there', 'true'],
  ['live-queue.js', 'Math.min(operation.invoked, since)', 'operation.invoked'],
  ['live-queue.js', 'Math.min(operation.invoked, since)', 'since'],
  ['live-queue.js', 'element.since > by.element.invoked', 'element.since > by.element.since'],
  ['live-queue.js', 'take.invoked > owed.deadline', 'false'],
  ['live-queue.js', 'take.value.invoked > element.owed.deadline', 'false'],
  ['live-queue.js', 'element === undefined || element.takenBy !== undefined', 'element === undefined'],
  ['live-queue.js', "takenBy !== undefined && outcome === 'fail'", 'false'],
  ['live-queue.js', 'free = Math.max(free, stay.to)', 'free = Math.max(free, stay.to + 1)'],
  ['live-queue.js', 'gaps.push(invoked)', 'void invoked'],
]

/**
 * Lists and priority queues. Of the one way that is known for a priority queue (live-placement.ts) only what would make it impossible is
 * broken: where it is lost too early the window decides, and nobody can tell. Neither can anybody whether the window is asked again after it
 * gave up (it gives up again, wherever that was seen), nor what is forgotten of puts that crashed.
 */
const liveCollections: readonly Mutant[] = [
  ['live-unseen.js', '.shownBy >= 0', '.shownBy >= 0 && false'],
  ['live-list.js', 'element === undefined || element.shownBy >= 0', 'element === undefined'],
  ['live-list.js', 'missed.ended < read.invoked', 'false'],
  ['live-list.js', 'this.#since[shown.length] < read.invoked', 'false'],
  ['live-list.js', 'earliest.ended < element.invoked', 'false'],
  ['live-list.js', 'element.ended < (earliest?.ended ?? event)', 'false'],
  ['live-list.js', 'this.#since[at] = Math.min(event, earliest?.ended ?? event)', 'void 0'],
  ['live-list.js', 'let earliest = this.#unseen.first', 'let earliest'],
  ['live-list.js', 'operation.shownBy < 0 ? POSSIBLE', 'true ? POSSIBLE'],
  ['live-list.js', "operation.ended = event;", ''],
  ['live-list.js', 'Math.min(agreed.length, shown.length)', '0'],
  ['live-placement.js', '|| take.invoked > item.left', ''],
  ['live-placement.js', 'take.value.invoked <= left', 'true'],
  ['live-placement.js', 'smaller.every(({ since }) => since > early)', 'true'],
  ['live-placement.js', 'returned === Infinity || since > gap || left <= gap', 'true'],
  ['live-placement.js', '[i].returned > gap', '[i].returned > gap + 3'],
  ['live-placement.js', 'since <= free && left > free', 'false'],
  ['live-placement.js', 'item.value < value && item.since <= gap && item.left > gap', 'false'],
  ['live-placement.js', 'this.#takes.delete(take);\n        return this.#canServe(this.#owed)', 'this.#takes.delete(take);\n        return true'],
  ['live-placement.js', 'this.#gone.filter(({ left }) => left > earliest)', '[]'],
  ['live-placement.js', 'items[child + 1].value < items[child].value', 'items[child + 1].value > items[child].value'],
  ['live-priority-queue.js', 'this.#puts.has(code) || this.#counts.has(code)', 'this.#counts.has(code)'],
  ['live-priority-queue.js', 'this.#puts.has(code) || this.#counts.has(code)', 'this.#puts.has(code)'],
  ['live-priority-queue.js', "outcome === 'fail' && this.#counts", 'false && this.#counts'],
  ['live-priority-queue.js', "if (outcome !== 'info')\n                this.#takes--", 'this.#takes--'],
  ['live-priority-queue.js', '(counts.get(code) ?? 0) - by', '(counts.get(code) ?? 0)'],
  ['live-priority-queue.js', 'this.#log.begin(operation);\n            if (operation.hasCrashed)', 'if (operation.hasCrashed)'],
  ['live-log.js', 'this.#open = new Map();\n        this.#entries = []', 'this.#open = new Map()'],
]

/** Sets. Which of two ways is tried first, and what is forgotten of decisions too early, nobody can tell from a verdict that is right in the end. */
const liveSets: readonly Mutant[] = [
  ['live-set-chain.js', 'element.comes.ended < Infinity && element.goes === undefined ?', 'element.goes === undefined ?'],
  ['live-set-chain.js', 'element.removals = [...removals]', 'element.removals = []'],
  ['live-set-chain.js', "return output === false ? violatedBy([row], UNWRITTEN) : undefined", 'return undefined'],
  ['live-set-chain.js', 'if (comes.ended < Infinity)', 'if (false)'],
  ['live-set-chain.js', 'output === true ? this.#misses', 'output !== true ? this.#misses'],
  ['live-set-chain.js', '|| !element.removals.includes(operation)', ''],
  ['live-set-chain.js', "outcome === 'fail' || output === false ? this.#excludes", "outcome === 'fail' ? this.#excludes"],
  ['live-set-chain.js', 'element.removals = [operation]', 'void 0'],
  ['live-set-chain.js', 'if (goes.ended < Infinity)\n            return violatedBy', 'if (false)\n            return violatedBy'],
  ['live-set-chain.js', 'return this.#levels.raise(goes, removals[0].invoked, operation.row)', 'return undefined'],
  ['live-set-chain.js', 'return element.goes === undefined ? undefined : this.#levels.raise', 'return true ? undefined : this.#levels.raise'],
  ['live-set-chain.js', 'if (!canPrecede && goes === undefined)', 'if (false)'],
  ['live-set-chain.js', 'this.#excludes(operation, element) ?? this.#levels.raise(comes, invoked, row)', 'this.#excludes(operation, element)'],
  ['live-set-chain.js', 'goes.ended >= this.#earliest() ||', ''],
  ['live-set-chain.js', '>= earliest)\n                break', '>= earliest + 5)\n                break'],
  ['live-set-levels.js', 'if (this.latest(change) < event)', 'if (false)'],
  ['live-set-levels.js', 'Math.min(ended, this.#unseen.first?.ended ?? Infinity)', 'ended'],
  ['live-set-levels.js', '(unseen !== undefined && unseen.ended < read.invoked)', 'false'],
  ['live-set-levels.js', 'element === undefined || element.met === comparison', 'element === undefined'],
  ['live-set-levels.js', 'if (latest < read.invoked)', 'if (false)'],
  ['live-set-levels.js', '(change !== comes || goes === undefined)', '(goes === undefined)'],
  ['live-set-levels.js', 'begun = Math.max(begun, goes.begun)', 'void 0'],
  ['live-set-levels.js', 'const isLoose = !this.isThorough', 'const isLoose = false'],
  ['live-set-levels.js', '!low.has(comes) && this.#around.choose(2) === 1', 'false'],
  ['live-set-levels.js', 'this.#levels.indexOf(level), 0, lower', 'this.#levels.indexOf(level) + 1, 0, lower'],
  ['live-set-levels.js', 'this.#levels[at].ended >= earliest', 'false'],
  ['live-set-changes.js', 'if (left > 0)', 'if (false)'],
  ['live-set-changes.js', 'high.every(({ ended }) => ended >= begun)', 'true'],
  ['live-set-changes.js', 'begun = Math.max(begun, change.begun)', 'void 0'],
  ['live-set-changes.js', 'change.level = this.level(change.level)', 'change.level = GROUND'],
  ['live-set.js', 'decisions.at(-1).taken + 1 === decisions.at(-1).ways', 'false'],
  ['live-set.js', 'decisions.length === 0 && !this.#isLoose', 'decisions.length === 0'],
  ['live-set.js', 'operation.invoked >= base.events && ', ''],
  ['live-set.js', 'this.#followed = 0;\n        const chain', 'const chain'],
]

/**
 * Texts. Not among them: what is only for the window to decide earlier or later than it must (where no delete can be held responsible at all, when
 * a cut is looked for), and what is forgotten early that is never asked for.
 */
const liveTexts: readonly Mutant[] = [
  ['live-texts.js', 'this.#ways > 1 || (', '('],
  ['live-texts.js', '|| appended.has(piece)', ''],
  ['live-texts.js', "found.head === undefined && this.#heads.get", 'false && this.#heads.get'],
  ['live-eras.js', 'if (change.ended < earliest)', 'if (false)'],
  ['live-eras.js', 'if (earliest < change.invoked)', 'if (false)'],
  ['live-eras.js', 'if (earliest < era.last)', 'if (false)'],
  ['live-eras.js', 'era.chain.since[state + 1] < get.invoked', 'false'],
  ['live-eras.js', 'if (get.invoked > era.last)', 'if (false)'],
  ['live-eras.js', 'if (change.invoked > era.last)', 'if (false)'],
  ['live-eras.js', 'if (head.first !== Infinity)', 'if (false)'],
  ['live-gaps.js', 'change.invoked > get.ended ||', ''],
  ['live-gaps.js', 'change.partner.first < get.invoked', 'false'],
  ['live-gaps.js', '(change.gap?.last ?? change.invoked) > era.first', 'false'],
  ['live-gaps.js', 'change.partner !== undefined || (change.gap', '(change.gap'],
  ['live-gaps.js', "if (other.f !== 'delete')", 'if (false)'],
  ['live-gaps.js', 'gap.last < era.first && ', ''],
  ['live-gaps.js', 'if (isResponsible(change))\n            this.release', 'if (false)\n            this.release'],
  ['live-eras.js', 'era.first < open && ', ''],
  ['live-eras.js', 'era.head !== undefined', 'true'],
  ['live-eras.js', 'last < most && ', ''],
  ['live-eras.js', 'change.at <= state', 'true'],
  ['live-eras.js', 'change === head || change.at <= state', 'change === head'],
  ['live-eras.js', 'head.first < moment', 'true'],
  ['live-eras.js', 'head.first < moment', 'false'],
  ['live-eras.js', 'chain.since[dead + 1] < open', 'true'],
  ['live-kv.js', "operation.f === 'get' && outcome === 'ok')", "operation.f === 'get')"],
  ['live-kv.js', 'this.#open === 0 && ', ''],
  ['live-kv.js', 'operation.invoked > certain ||', ''],
  ['live-kv.js', 'this.#eras.isLost || isResponsible(operation)', 'isResponsible(operation)'],
  ['live-kv.js', 'this.#eras.isLost || isResponsible(operation)', 'this.#eras.isLost'],
  ['live-kv.js', 'operation.ended > this.#log[at].invoked', 'false'],
  ['live-kv.js', 'moment < first ||', ''],
  ['live-kv.js', '|| state < 0', ''],
  ['live-kv.js', 'since < moment', 'since < moment + 4'],
  ['live-kv.js', 'if (!unended.delete(operation))', 'if (true)'],
  ['live-kv.js', 'this.#isTorn = true', 'this.#isTorn = false'],
  ['live-kv.js', 'if (!operation.isSettled)', 'if (true)'],
]

/** Stacks: what would make the one way that is known impossible; where it is lost too early the window decides, and nobody can tell. */
const liveStacks: readonly Mutant[] = [
  ['live-stack.js', 'element === undefined || element.isPopped', 'element === undefined'],
  ['live-stack.js', "outcome === 'fail' && pushed.isPopped ? violatedBy", 'false ? violatedBy'],
  ['live-stack.js', 'return this.#placement.fails(pop) ? POSSIBLE : LOST', 'return POSSIBLE'],
  ['live-stack-placement.js', 'pop.done !== true && pop.value.invoked <= deadline', 'pop.done !== true'],
  ['live-stack-placement.js', 'pop.done !== true && pop.value.invoked <= deadline', 'pop.done === true || pop.value.invoked <= deadline'],
  ['live-stack-placement.js', 'pop.done === true || pop.value.invoked > pushed.deadline', 'pop.done !== true && pop.value.invoked > pushed.deadline'],
  ['live-stack-placement.js', 'this.#postpone(pushed, invoked) && this.#areServed()', 'this.#areServed()'],
  ['live-stack-placement.js', 'return this.#areServed();\n    }\n    /** A pop ends', 'return true;\n    }\n    /** A pop ends'],
  ['live-stack-placement.js', 'if (to - from <= 1)', 'if (to - from <= 4)'],
  ['live-stack-placement.js', 'if (to >= stay.end)\n                return false', ''],
  ['live-stack-placement.js', 'this.#busy.filter(({ to }) => to >= earliest)', '[]'],
  ['live-stack-placement.js', 'span.from > from && span.to < to', 'true'],
]

export const mutants: readonly Mutant[] = [
  ...zones, ...acceptor, ...columns, ...scanner, ...engine, ...around, ...queues, ...stacks, ...priorityQueues, ...sets, ...counters, ...streaming, ...deletes, ...liveQueues, ...liveCollections, ...liveSets, ...liveStacks, ...liveTexts, ...bounds,
]
