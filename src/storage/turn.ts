import { setImmediate } from 'node:timers/promises';

/** Lets timers and signals have their turn: for long work that waits for nothing. */
export async function takeTurn(): Promise<void> {
  await setImmediate();
}
