import type { Relaxation } from '../kit/relaxation.ts';

/** What a caller lets pass in an archive, and what of it was needed. [relax.1] */
export class Relaxed {
  readonly #allowed: ReadonlySet<Relaxation>;
  readonly #used = new Set<Relaxation>();

  constructor(allowed: readonly Relaxation[] = []) {
    this.#allowed = new Set(allowed);
  }

  /** Whether it may pass; when it may, it is taken note of. */
  allows(relaxation: Relaxation): boolean {
    if (!this.#allowed.has(relaxation)) return false;
    this.#used.add(relaxation);
    return true;
  }

  /** Those that were needed. */
  get used(): readonly Relaxation[] {
    return [...this.#used].sort();
  }
}
