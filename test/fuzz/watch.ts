import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { News, Task } from './feeder.ts';
import { openHeartbeat } from './heartbeat.ts';
import type { Fault } from './run-input.ts';

/** Something to be mended: the input, its number in the run, and what is wrong. */
export interface Finding {
  readonly index: number;
  readonly input: Uint8Array;
  readonly fault: Fault;
}

/** What became of one target. */
export interface Fed {
  readonly inputs: number;
  readonly findings: readonly Finding[];
  /** how often each answer was given */
  readonly words: ReadonlyMap<string, number>;
  readonly slowestMs: number;
  readonly peakRss: number;
}

/** After so many milliseconds of work an input is taken for one that never ends, and its thread is stopped. */
const HANG_MS = 10_000;
/** So many times as long it may wait, as a busy machine makes it. */
const WAITING = 30;
const HEAP_MIB = 512;
/** of the whole process */
const RSS_BYTES = 1536 * 1024 * 1024;
const MOST_FINDINGS = 20;
const POLL_MS = 100;

/** Feeds a target in a thread, and starts another where one had to be stopped. [rob.2] [rob.3] */
export async function feedTarget(task: Omit<Task, 'shared'>, hangMs = HANG_MS): Promise<Fed> {
  const findings: Finding[] = [];
  const words = new Map<string, number>();
  let [next, slowestMs, peakRss] = [task.from, 0, 0];
  while (next < task.to && Date.now() < task.until && findings.length < MOST_FINDINGS) {
    const round = await runThread({ ...task, from: next }, hangMs, (news) => {
      if (news.kind === 'fault') findings.push(news);
      else {
        next = news.next;
        slowestMs = Math.max(slowestMs, news.slowestMs);
        for (const [word, count] of news.words) words.set(word, (words.get(word) ?? 0) + count);
      }
    });
    peakRss = Math.max(peakRss, round.peakRss);
    if (!round.stopped) break;
    findings.push(round.stopped);
    next = round.stopped.index + 1;
  }
  return { inputs: next - task.from, findings, words, slowestMs, peakRss };
}

interface Round {
  /** the input at which the thread was stopped, when it did not come to its end */
  readonly stopped?: Finding;
  readonly peakRss: number;
}

function runThread(task: Omit<Task, 'shared'>, hangMs: number, onNews: (news: News) => void): Promise<Round> {
  const heartbeat = openHeartbeat();
  const worker = new Worker(join(import.meta.dirname, 'feeder.js'), {
    workerData: { ...task, shared: heartbeat.shared },
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
  });
  let peakRss = 0;
  let faults = 0;
  return new Promise((resolve, reject) => {
    const finish = (fault?: Fault): void => {
      clearInterval(poll);
      const current = heartbeat.now();
      // a thread that is deep in foreign code may not stop; then the whole process ends with what was found
      worker.terminate().catch(reject);
      if (!fault) resolve({ peakRss });
      else if (!current) reject(new Error(fault.text));
      else resolve({ peakRss, stopped: { index: current.index, input: current.input(), fault } });
    };
    const poll = setInterval(() => {
      const rss = process.memoryUsage.rss();
      peakRss = Math.max(peakRss, rss);
      const current = heartbeat.now();
      const hangs = current && (current.busy > hangMs || current.ms > hangMs * WAITING);
      if (hangs) finish({ kind: 'hang', text: `no answer after ${hangMs} ms` });
      else if (current && rss > RSS_BYTES) finish({ kind: 'memory', text: `${rss} bytes of memory` });
    }, POLL_MS);
    worker.on('message', (news: News) => {
      onNews(news);
      if (news.kind === 'fault' && ++faults >= MOST_FINDINGS) finish();
    });
    worker.on('error', (error: Error & { code?: string }) => {
      const kind = error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'memory' : 'exception';
      finish({ kind, text: error.stack ?? error.message });
    });
    worker.on('exit', () => finish());
  });
}
