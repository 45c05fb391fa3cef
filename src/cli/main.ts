import { BundleError, toBundleError } from '../kit/errors/errors.ts';
import { exitCodeOf } from '../verdict/report/exit-codes.ts';
import { createContext } from './context.ts';
import { reportLoss, run } from './run.ts';

/** How long what has been said may take to be read, once told to stop. */
const STOP_MS = 1000;

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

async function main(): Promise<number> {
  const context = createContext(process, stop.signal);
  const exitCode = await run(process.argv.slice(2), context);
  // Written out first: leaving at once would cut what a pipe has not taken yet. Leaving at all: a server may hold a
  // connection open that nobody needs any more. Once told to stop, nobody waits for a reader who takes nothing.
  const stopped = new Promise<'stopped'>((resolve) => {
    const soon = (): unknown => setTimeout(resolve, STOP_MS, 'stopped');
    if (stop.signal.aborted) soon();
    else stop.signal.addEventListener('abort', soon);
  });
  const written = (stream: NodeJS.WriteStream): Promise<unknown> =>
    Promise.race([stopped, new Promise((done) => stream.write('', () => done('written')))]);
  const lost = (await written(process.stdout)) === 'stopped' && exitCode === 0;
  const told = lost ? exitCodeOf([toBundleError(stop.signal.reason)]) : await reportLoss(exitCode, context);
  await written(process.stderr);
  return told;
}

void main().then((code) => process.exit(code));
