import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inOrder } from '../../../src/kit/streams/in-order.ts';

/** Work that is done when it is told to. */
interface Work {
  readonly item: number;
  readonly done: () => void;
}

async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

/** Works on so many items, ending one of those in work after another as `choose` says; gives what came, and the most that was in work. */
async function workThrough(count: number, jobs: number, choose: (inWork: number) => number) {
  const inWork: Work[] = [];
  let most = 0;
  let begun = 0;
  let given = 0;
  const turns: number[] = [];
  const work = (item: number, turn: Promise<unknown>): Promise<string> => {
    begun++;
    void turn.then(() => turns.push(item));
    return new Promise((resolve) => {
      inWork.push({ item, done: () => resolve(`${item}`) });
      most = Math.max(most, inWork.length);
    });
  };
  const seen: string[] = [];
  let ahead = 0;
  const reading = (async () => {
    for await (const result of inOrder(Array.from({ length: count }).keys(), jobs, work)) {
      seen.push(result);
      given++;
    }
  })();
  for (await settle(); inWork.length > 0; await settle()) {
    ahead = Math.max(ahead, begun - given);
    inWork.splice(choose(inWork.length), 1)[0]?.done();
  }
  await reading;
  return { seen, most, ahead, turns };
}

const names = (count: number): readonly string[] => Array.from({ length: count }, (_, item) => `${item}`);

describe('[many.2] [many.7] work that is given in order', () => {
  test('comes in order whichever is done first, and no more than so many are in work', async () => {
    const cases = fc.asyncProperty(
      fc.nat({ max: 12 }),
      fc.integer({ min: 1, max: 4 }),
      fc.infiniteStream(fc.nat()),
      async (count, jobs, choices) => {
        const { seen, most, turns } = await workThrough(
          count,
          jobs,
          (inWork) => (choices.next().value ?? 0) % inWork,
        );
        expect(seen).toEqual(names(count));
        expect(most).toBe(Math.min(jobs, count));
        expect(turns).toEqual([...turns].sort((a, b) => a - b));
      },
    );
    await fc.assert(cases, { numRuns: 50 });
  });

  test('does not run ahead without end of one that takes long', async () => {
    const { seen, ahead } = await workThrough(200, 2, (inWork) => inWork - 1);
    expect(ahead).toBe(32);
    expect(seen).toEqual(names(200));
  });

  test('tells each when those before it are done, and not before', async () => {
    const { turns } = await workThrough(5, 5, (inWork) => inWork - 1);
    expect(turns).toEqual([0, 1, 2, 3, 4]);
  });
});
