/** `npm run bench -w knossos-wasm`. */
import { bench } from './checker.bench.ts'

await bench.run(process.argv.slice(2), console.log)
