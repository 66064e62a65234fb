/** `splitbrain workloads`: what clients can be told to do, what that finds, and what it needs of the store. */
import { optionTexts, workloadKinds } from '../../workloads/index.ts'
import type { Command } from '../command.ts'

export const workloadsCommand: Command = {
  name: 'workloads',
  arguments: [],
  describes: 'Lists the workloads: what clients do, what it finds, what it needs of the store, and the options.',
  options: { json: { describes: 'print the list as JSON' } },
  execute(args) {
    const list = workloadKinds.map((kind) => ({ name: kind.name, describes: kind.describes, finds: kind.finds, needs: kind.needs, options: optionTexts(kind) }))
    if (args.flag('json')) console.log(JSON.stringify(list, null, 2))
    else console.log(list.map(textOf).join('\n\n'))
    return Promise.resolve(0)
  },
}

function textOf({ name, describes, finds, needs, options }: { name: string; describes: string; finds: string; needs: readonly string[]; options: ReturnType<typeof optionTexts> }): string {
  return [
    `${name}: ${describes}`,
    `  finds ${finds}`,
    `  needs ${needs.join(', ')}`,
    ...options.map((option) => `    ${option.name}=${String(option.default)}  ${option.describes}`),
  ].join('\n')
}
