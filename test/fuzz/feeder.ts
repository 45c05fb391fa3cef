import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { openHeartbeat } from './heartbeat.ts';
import { randomFor } from './random.ts';
import { type Fault, runInput } from './run-input.ts';
import type { Target } from './target.ts';

/** What the thread is to do: inputs `from` up to, and without, `to`, as long as there is time. */
export interface Task {
  readonly target: string;
  readonly seed: number;
  readonly from: number;
  readonly to: number;
  /** milliseconds since 1970 */
  readonly until: number;
  readonly shared: SharedArrayBuffer;
  /** the module that lists the targets, when it is not that of `targets/` */
  readonly module?: string;
  /** where the input that is being fed stands, for the day when it ends the whole process */
  readonly current: string;
  /** one input to be fed again, in place of new ones */
  readonly replay?: Uint8Array;
}

/** What the thread tells. */
export type News =
  | { readonly kind: 'fault'; readonly index: number; readonly input: Uint8Array; readonly fault: Fault }
  | {
      readonly kind: 'done';
      readonly next: number;
      readonly words: ReadonlyMap<string, number>;
      readonly slowestMs: number;
    };

const TELL_EVERY = 500;

async function feed(task: Task, tell: (news: News) => void): Promise<void> {
  const { TARGETS } = (await import(task.module ?? './targets/index.ts')) as { TARGETS: readonly Target[] };
  const target = TARGETS.find(({ name }) => name === task.target);
  if (!target) throw new Error(`no target is called ${task.target}`);
  const open = await target.open();
  const heartbeat = openHeartbeat(task.shared);
  const current = openSync(task.current, 'w');
  const words = new Map<string, number>();
  let slowestMs = 0;
  let index = task.from;
  const input = (): Uint8Array => {
    const seed = open.seeds[index];
    return task.replay ?? seed ?? open.mutate(randomFor(task.seed, target.name, index), open.seeds);
  };
  for (; index < task.to && Date.now() < task.until; index++) {
    const bytes = input();
    heartbeat.begin(index, bytes);
    ftruncateSync(current, writeSync(current, bytes, 0, bytes.byteLength, 0));
    const { word, ms, fault } = await runInput(target, open, bytes);
    heartbeat.end();
    words.set(word, (words.get(word) ?? 0) + 1);
    slowestMs = Math.max(slowestMs, ms);
    if (fault) tell({ kind: 'fault', index, input: bytes, fault });
    if ((index - task.from) % TELL_EVERY === TELL_EVERY - 1) {
      tell({ kind: 'done', next: index + 1, words: new Map(words), slowestMs });
      words.clear();
    }
  }
  closeSync(current);
  tell({ kind: 'done', next: index, words, slowestMs });
}

const port = parentPort;
if (port) await feed(workerData as Task, (news) => port.postMessage(news));
