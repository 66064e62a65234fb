#!/usr/bin/env node
/** The command line, `splitbrain COMMAND ...`: makes a source checkout ready if need be, then runs harness/cli.ts. */
import { requireNode } from './node-version.mjs'

requireNode()
void import('./launch.mjs').then(({ launch }) => launch('harness/cli.js', process.argv.slice(2)))
