export { History, HistoryError, Values, INVOKE, OK, FAIL, INFO, NEMESIS, OBSERVER, eventTypes } from './history.ts'
export type { Event, EventType, Json, ProcessName } from './history.ts'
export { readJsonl, JsonlReader } from './jsonl.ts'
export type { ReadOptions } from './jsonl.ts'
