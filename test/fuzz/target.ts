import type { ErrorCode } from '../../src/kit/errors/errors.ts';
import type { Random } from './random.ts';

/** Something that reads foreign bytes, and what must be true of it whatever the bytes are. */
export interface Target {
  readonly name: string;
  readonly group: 'crypto' | 'archives';
  /** of a number of inputs, how many this one gets compared with others; its inputs are dear when it is below 1 */
  readonly share: number;
  /** the codes that its clauses name; any other error is a finding */
  readonly codes: readonly ErrorCode[];
  /** Makes what it needs: keys, certificates, good inputs; the same in every run. */
  readonly open: () => Promise<OpenTarget>;
}

/** A target that is ready to be fed. */
export interface OpenTarget {
  /** good inputs; `run` is true to each of them */
  readonly seeds: readonly Uint8Array[];
  /** an input that is new, or a seed that is changed */
  readonly mutate: (random: Random, corpus: readonly Uint8Array[]) => Uint8Array;
  /**
   * Feeds one input; says in a word what the answer was, for the statistics.
   * @throws {Violation} what must not be; any BundleError of `codes` is an answer like others
   */
  readonly run: (input: Uint8Array) => string | Promise<string>;
}

/** A property that does not hold. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

/** @throws {Violation} */
export function expectThat(holds: boolean, otherwise: string): void {
  if (!holds) throw new Violation(otherwise);
}
