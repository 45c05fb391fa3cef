/** How many times as many as are worked on may be done and waiting for their turn. */
const AHEAD = 16;

/**
 * Works on `jobs` items at a time and gives what each comes to, in the order of the items; so much is held and no more,
 * however many items there are and however long the first takes.
 *
 * @param work never rejects; it is told what settles when all items before its own are done
 */
export async function* inOrder<Item, Result>(
  items: Iterable<Item>,
  jobs: number,
  work: (item: Item, turn: Promise<unknown>) => Promise<Result>,
): AsyncGenerator<Result, void> {
  const left = items[Symbol.iterator]();
  const begun: Promise<Result>[] = [];
  let turn: Promise<unknown> = Promise.resolve();
  let working = 0;
  const begin = (): void => {
    while (working < jobs && begun.length < jobs * AHEAD) {
      const next = left.next();
      if (next.done) return;
      working++;
      const result = work(next.value, turn).finally(() => {
        working--;
        begin();
      });
      turn = Promise.all([turn, result]).then(() => {}); // with what they came to, all results would be held
      begun.push(result);
    }
  };
  begin();
  for (let first = begun[0]; first !== undefined; first = begun[0]) {
    yield await first;
    void begun.shift();
    begin();
  }
}
