/** `splitbrain models`: the models of the ladder, what each means, what it implies, and what else is judged. */
import { implied, judgements, meanings, models } from '../../checker/index.ts'
import type { Command } from '../command.ts'

export const modelsCommand: Command = {
  name: 'models',
  arguments: [],
  describes: 'Lists the consistency models that a history is judged by, strongest first, and every other judgement.',
  options: { json: { describes: 'print the list as JSON' } },
  execute(args) {
    const rungs = models.map((model) => ({ model, means: meanings[model], implies: implied[model] }))
    const beside = judgements().filter(({ name }) => !models.some((model) => model === name)).map(({ name, describes }) => ({ judgement: name, describes }))
    if (args.flag('json')) console.log(JSON.stringify({ models: rungs, judgements: beside }, null, 2))
    else {
      const width = Math.max(...models.map((model) => model.length)) + 2
      console.log('Models, for --expect; a history that holds one holds everything that it implies:\n')
      for (const { model, means, implies } of rungs) console.log(`  ${model.padEnd(width)}${means}${implies.length === 0 ? '' : `\n${' '.repeat(width + 2)}implies ${implies.join(', ')}`}`)
      console.log('\nJudgements beside them, for --judge:\n')
      for (const { judgement, describes } of beside) console.log(`  ${judgement.padEnd(width)}${describes}`)
    }
    return Promise.resolve(0)
  },
}
