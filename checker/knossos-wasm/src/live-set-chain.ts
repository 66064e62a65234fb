/**
 * One way in which the operations of a set can have taken effect, kept up while they end.
 *
 * Where an element is added once at most, and only then removed, it *comes* once and *goes* once: two changes. A read that shows it saw it
 * come and did not see it go; how reads order changes says live-set-levels.ts. Every change has a time, from `begun` to `ended`, which `contains`
 * and the results of additions and removals make narrower.
 *
 * Who does not see an element looked before it came or after it went. Which one is clear when the element was certainly there
 * before that look began, or when nobody removes it. Otherwise it was *brief*: then there may be several places for a read, and
 * several ways to miss an element or to remove it. Whenever there is more than one, `decide` is asked; where there is one, it is taken, and
 * a violation that nobody decided on is certain.
 *
 * What has come and gone before any open operation began is forgotten.
 */
import { violatedBy } from './live-algorithm.ts'
import { ChangesCopy, GROUND, newChange, newElement } from './live-set-changes.ts'
import { SetLevels } from './live-set-levels.ts'
import { NIL } from './values.ts'
import type { LiveAnswer } from './live-algorithm.ts'
import type { Element, SetOperation } from './live-set-changes.ts'
import type { Json, Values } from './values.ts'

const UNWRITTEN = 'cannot be placed: its element had not been added, or it does not say whether it was there.'
const MISSED = 'cannot be placed: it misses an element that was certainly there all the time.'
const GONE = 'cannot be placed: its element had been removed already, or was removed by another.'
const FAILED = 'cannot have failed: its effect was seen.'

/** One set. */
export class SetChain {
  readonly #values: Values
  /** Of so many ways, which is taken; one: there are more, which are not asked for. */
  readonly #decide: (ways: number) => number
  /** How many there have been. */
  events = 0
  readonly #elements = new Map<number, Element>()
  /** By the time of their invocation. */
  readonly #open = new Set<SetOperation>()
  /** By code: removals that are open or crashed. */
  readonly #removing = new Map<number, SetOperation[]>()
  /** Codes of which nobody knows which of several crashed removals had its effect. */
  readonly #blurred = new Set<number>()
  /** What has certainly gone, by the time at which it had; it is forgotten when nobody can have seen it any more. */
  #leaving: Element[] = []
  readonly #levels: SetLevels
  /** The last event at which something was decided. */
  #decided = -1
  /** What it was decided on: codes, and NIL where that is more than one element; until somebody has looked since. */
  readonly #doubted = new Set<number>()
  /** An event at which nothing was open any more that had been at the last decision; Infinity: there still is. */
  #outlived = 0

  /** `isThorough`: whether it is asked for all ways; `origin`: to be copied. */
  constructor(values: Values, decide: (ways: number) => number, isThorough: boolean, origin?: SetChain) {
    this.#values = values
    this.#decide = decide
    const around = { find: (value: Json) => this.#elements.get(this.#values.encode(value)), choose: (ways: number) => this.#choose(ways, NIL) }
    const changes = new ChangesCopy()
    this.#levels = origin === undefined ? new SetLevels(around, isThorough) : origin.#levels.copy(around, isThorough, changes)
    if (origin !== undefined) this.#copy(origin, changes)
  }

  #copy(origin: SetChain, changes: ChangesCopy): void {
    this.events = origin.events
    this.#decided = origin.#decided
    this.#outlived = origin.#outlived
    this.#leaving = origin.#leaving.map((element) => changes.element(element))
    for (const [code, element] of origin.#elements) this.#elements.set(code, changes.element(element))
    for (const operation of origin.#open) this.#open.add(operation)
    for (const [code, removals] of origin.#removing) this.#removing.set(code, [...removals])
    for (const code of origin.#blurred) this.#blurred.add(code)
    for (const code of origin.#doubted) this.#doubted.add(code)
  }

  /** The same once more, to go on from here another time. */
  copy(isThorough: boolean): SetChain {
    return new SetChain(this.#values, this.#decide, isThorough, this)
  }

  /** Decisions so far will not be made again. */
  settles(): void {
    this.#levels.isThorough = false
  }

  /** How many elements and operations are remembered. */
  get size(): number {
    return this.#elements.size + this.#levels.size
  }

  /** Whether what was decided makes no difference any more: all that was open then, and when that had ended, has ended, and the outcome was seen. */
  get isSettled(): boolean {
    if (this.#decided < 0) return true
    if (this.#earliest() < this.#outlived || this.#doubted.size > 0 || this.#levels.ghosts.size > 0) return false
    this.#decided = -1
    return true
  }

  /** An operation begins. False where its element cannot be told from another that is or may be there. */
  invoke(operation: SetOperation): boolean {
    operation.invoked = this.events++
    this.#open.add(operation)
    const { f, code } = operation
    const element = f === 'read' ? undefined : this.#elements.get(code)
    if (f === 'add') return element !== undefined && element.comes.ended < Infinity && element.goes === undefined ? ++element.again > 0 : this.#adds(operation, element)
    if (f !== 'remove') return true
    const removing = this.#removing.get(code)
    if (removing === undefined) this.#removing.set(code, [operation])
    else removing.push(operation)
    if (element === undefined || (element.goes !== undefined && element.goes.ended < Infinity)) return true
    element.removals.push(operation)
    this.#mayGo(element, operation)
    return element.again === 0
  }

  /** Adds what is certainly not there; false where that is not certain. */
  #adds({ code, value, row, invoked }: SetOperation, known: Element | undefined): boolean {
    if (known !== undefined && !this.#forgets(known)) return false
    const element = newElement(code, value, row, invoked)
    this.#elements.set(code, element)
    const removals = this.#removing.get(code)
    if (removals === undefined) return true
    element.removals = [...removals]
    this.#mayGo(element, removals[0]!)
    return !this.#blurred.has(code)
  }

  #mayGo(element: Element, { row, invoked }: SetOperation): void {
    if (element.goes !== undefined) return
    element.goes = newChange(element, row, Math.max(invoked, element.comes.begun))
    this.#levels.mayGo(element)
  }

  /** An operation ends. Undefined: all is well. */
  complete(operation: SetOperation): LiveAnswer | undefined {
    const event = this.events++
    this.#open.delete(operation)
    const answer = this.#ends(operation, event)
    if (this.#leaving.length > 0) this.#forgetLeft()
    if (this.#outlived === Infinity && this.#earliest() >= this.#decided) this.#outlived = this.events
    return answer
  }

  #ends(operation: SetOperation, event: number): LiveAnswer | undefined {
    const { f, row, code, invoked, outcome, output } = operation
    if (f === 'read') return outcome === 'ok' ? this.#reads(operation, event) : undefined
    if (outcome === 'ok' && f !== 'add' && invoked >= this.#outlived) this.#doubted.delete(code)
    const element = this.#elements.get(code)
    if (f === 'remove') return this.#removeEnds(operation, element, event)
    if (f === 'add') return element?.comes.row === row ? this.#addEnds(operation, element, event) : this.#addEndsAgain(operation, element, event)
    if (outcome !== 'ok') return undefined
    if (typeof output !== 'boolean') return violatedBy([row], UNWRITTEN)
    return output ? this.#finds(operation, element, event) : this.#misses(operation, element, event)
  }

  #reads(read: SetOperation, event: number): LiveAnswer | undefined {
    const wrong = this.#levels.reads(read, event)
    if (wrong !== undefined) return wrong
    if (read.invoked >= this.#outlived) this.#doubted.clear()
    if (this.#levels.size > 0) for (const element of this.#levels.settle(this.#earliest())) this.#forget(element)
    return undefined
  }

  #addEnds({ row, outcome, output }: SetOperation, element: Element, event: number): LiveAnswer | undefined {
    const { comes, code } = element
    if (outcome === 'info') return undefined
    if (outcome === 'ok') {
      this.#levels.ghosts.delete(element)
      this.#levels.happens(comes, event)
      // It says that the element was there already, which nobody else added.
      return output === false ? violatedBy([row], UNWRITTEN) : undefined
    }
    if (comes.ended < Infinity) return violatedBy([row, comes.shownBy], FAILED)
    this.#levels.stays(element)
    this.#elements.delete(code)
    return undefined
  }

  /** Who adds what was not there says so; who does not say has found nothing out. */
  #addEndsAgain(operation: SetOperation, element: Element | undefined, event: number): LiveAnswer | undefined {
    const { outcome, output } = operation
    if (outcome === 'info') return undefined
    if (element !== undefined) element.again--
    return outcome === 'fail' ? undefined : output === true ? this.#misses(operation, element, event) : this.#finds(operation, element, event)
  }

  #removeEnds(operation: SetOperation, element: Element | undefined, event: number): LiveAnswer | undefined {
    const { row, outcome, output } = operation
    if (outcome === 'info') return undefined
    this.#ceases(operation)
    if (outcome === 'ok' && output === true) {
      if (element === undefined || !element.removals.includes(operation)) return violatedBy([row, element?.goes?.row ?? -1], GONE)
      return this.#removes(operation, element, event)
    }
    if (element === undefined) return undefined
    const wrong = outcome === 'fail' || output === false ? this.#excludes(operation, element) : undefined
    return wrong ?? (outcome === 'fail' ? undefined : this.#misses(operation, element, event))
  }

  /** A removal has no effect any more. */
  #ceases(operation: SetOperation): void {
    const removing = this.#removing.get(operation.code)!
    if (removing.length === 1) this.#removing.delete(operation.code)
    else removing.splice(removing.indexOf(operation), 1)
  }

  /** It is this removal that removed the element. */
  #removes(operation: SetOperation, element: Element, event: number): LiveAnswer | undefined {
    element.removals = [operation]
    this.#levels.happens(element.comes, event)
    const wrong = this.#levels.raise(element.goes!, operation.invoked, operation.row)
    this.#goes(element, event)
    return wrong
  }

  /** A removal did not remove the element. */
  #excludes(operation: SetOperation, element: Element): LiveAnswer | undefined {
    const { removals, goes } = element
    const at = removals.indexOf(operation)
    if (at < 0) return undefined
    removals.splice(at, 1)
    if (removals.length > 0) return this.#levels.raise(goes!, removals[0]!.invoked, operation.row)
    if (goes!.ended < Infinity) return violatedBy([operation.row, goes!.shownBy], FAILED)
    element.goes = undefined
    this.#levels.stays(element)
    return undefined
  }

  #finds(operation: SetOperation, element: Element | undefined, event: number): LiveAnswer | undefined {
    const { row, invoked } = operation
    if (element === undefined) return violatedBy([row], UNWRITTEN)
    this.#levels.happens(element.comes, event)
    return element.goes === undefined ? undefined : this.#levels.raise(element.goes, invoked, row)
  }

  /** At some moment the element was not there: it had not come, or it had gone. */
  #misses(operation: SetOperation, element: Element | undefined, event: number): LiveAnswer | undefined {
    if (element === undefined) return undefined
    const { row, invoked, f } = operation
    const { comes, goes } = element
    if (goes !== undefined && goes.ended < Infinity) return undefined
    const canPrecede = comes.ended >= invoked && this.#levels.latest(comes) >= invoked
    if (!canPrecede && goes === undefined) return violatedBy([row, comes.row, comes.shownBy], MISSED)
    if (canPrecede && f !== 'remove' && comes.begun >= invoked) return undefined
    // Removals are most often asked for where there is something to remove.
    const likely = f === 'remove' && comes.ended < Infinity ? 1 : 0
    const precedes = canPrecede && (goes === undefined || this.#choose(2, element.code) === likely)
    if (precedes) return this.#excludes(operation, element) ?? this.#levels.raise(comes, invoked, row)
    this.#goes(element, event)
    return undefined
  }

  /** By now an element has certainly come and gone. */
  #goes(element: Element, event: number): void {
    if (element.goes!.ended === Infinity) this.#leaving.push(element)
    this.#levels.leaves(element, event)
  }

  /** `code`: of the element that it is about; NIL: more than one. */
  #choose(ways: number, code: number): number {
    this.#decided = this.events
    this.#outlived = Infinity
    this.#doubted.add(code)
    return this.#decide(ways)
  }

  /** Since when anybody looks who still does. */
  #earliest(): number {
    for (const { invoked } of this.#open) return invoked
    return this.events
  }

  #forget(element: Element): void {
    const { code } = element
    this.#levels.forget(element)
    if (this.#elements.get(code) !== element) return
    this.#elements.delete(code)
    const crashed = this.#removing.get(code)?.filter((removal) => element.removals.includes(removal)) ?? []
    if (element.removals.length === 1) for (const removal of crashed) this.#ceases(removal)
    else if (crashed.length > 0) this.#blurred.add(code)
  }

  /** Forgets an element of which it is certain that it has gone, whoever looks. */
  #forgets(element: Element): boolean {
    const { goes, comes } = element
    if (goes === undefined || goes.ended >= this.#earliest() || (goes.level !== undefined && goes.level !== GROUND)) return false
    if (comes.level !== undefined) for (const gone of this.#levels.settleAll(element)) this.#forget(gone)
    this.#forget(element)
    return true
  }

  /** Forgets what came and went between two reads. */
  #forgetLeft(): void {
    const earliest = this.#earliest()
    let count = 0
    for (const element of this.#leaving) {
      if (element.goes!.ended >= earliest) break
      count++
      if (element.comes.level === undefined) this.#forget(element)
    }
    if (count > 0) this.#leaving = this.#leaving.slice(count)
  }
}
