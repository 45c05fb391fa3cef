#!/usr/bin/env node
import { BundleError } from '../kit/errors.ts';
import { createContext } from './context.ts';
import { reportLoss, run } from './run.ts';

process.exitCode = 1; // should it end in no way that is known here: node would say 13, which is a verdict of ours
const stop = new AbortController();
for (const [signal, code] of [
  ['SIGINT', 'INTERRUPTED'],
  ['SIGTERM', 'TERMINATED'],
  ['SIGHUP', 'TERMINATED'], // the terminal is gone, with a lost connection for one
] as const) {
  process.once(signal, () => {
    // The second of its kind is the system's own: it ends the process without asking.
    stop.abort(new BundleError(code, signal === 'SIGINT' ? 'interrupted' : 'terminated'));
  });
}

const context = createContext(process, stop.signal);
const exitCode = await run(process.argv.slice(2), context);
// Written out first: leaving at once would cut what a pipe has not taken yet. Leaving at all: a server may hold a
// connection open that nobody needs any more.
await new Promise((written) => process.stdout.write('', written));
const told = await reportLoss(exitCode, context);
process.stderr.write('', () => process.exit(told));
