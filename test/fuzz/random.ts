/** Numbers that look random and are the same for the same seed, on every machine. */
export interface Random {
  /** a whole number from 0 up to, and without, `limit` */
  readonly below: (limit: number) => number;
  /** true `n` times out of `outOf` */
  readonly chance: (n: number, outOf: number) => boolean;
  /** one of the list, which is not empty */
  readonly pick: <T>(list: readonly T[]) => T;
  /** this many bytes */
  readonly bytes: (count: number) => Uint8Array;
}

/** A source of numbers for one input: seed of the run, name of the target, number of the input. */
export function randomFor(seed: number, name: string, index: number): Random {
  let a = seed >>> 0;
  for (const char of `${name} ${index}`) a = Math.imul(a ^ char.charCodeAt(0), 0x01000193) >>> 0; // FNV-1a
  const next = (): number => {
    // mulberry32
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
  const below = (limit: number): number => (limit < 2 ? 0 : next() % limit);
  return {
    below,
    chance: (n, outOf) => below(outOf) < n,
    pick: <T>(list: readonly T[]): T => {
      if (list.length === 0) throw new Error('nothing to pick from');
      return list[below(list.length)] as T;
    },
    bytes: (count) => Uint8Array.from({ length: count }, () => next() & 0xff),
  };
}

/** A list in another order. */
export function shuffled<T>(random: Random, list: readonly T[]): readonly T[] {
  const left = [...list];
  const mixed: T[] = [];
  while (left.length > 0) mixed.push(...left.splice(random.below(left.length), 1));
  return mixed;
}
