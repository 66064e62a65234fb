/** `splitbrain images`: builds the node image of the container driver, and lists what is there. */
import type { Command } from '../command.ts'
import { dockerOptions } from '../registry.ts'
import { systemFamily } from '../systems.ts'
import { planDefaults } from '../plan.ts'
import { dockerImages } from '../../cluster/drivers/docker/driver.ts'
import { containerOptions, containersFrom } from './container-options.ts'

export const imagesCommand: Command = {
  name: 'images',
  arguments: [],
  describes: 'Builds the image that the container driver runs nodes from, unless it is there, and lists every image of ours.',
  options: { 'docker-host': containerOptions['docker-host']!, 'base-image': containerOptions['base-image']!, system: { value: 'NAME', describes: 'the system whose image is built: as for splitbrain run', default: planDefaults.system } },
  async execute(args) {
    const family = await systemFamily(args.text('system') ?? planDefaults.system)
    const silent = (): void => undefined
    const images = await dockerImages(dockerOptions(containersFrom(args)), family.make(family.defaultPreset), { info: (message) => console.error(message), warn: (message) => console.error(message), error: silent })
    for (const image of images) console.log(`${image.name}  ${(image.bytes / 1e6).toFixed(0)} MB  ${new Date(image.createdMs).toISOString()}  ${image.engine}`)
    return 0
  },
}
