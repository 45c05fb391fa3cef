import { printable } from '../../../kit/encoding.ts';
import { BundleError } from '../../../kit/errors/errors.ts';
import type { Place } from './places.ts';

/** Where a value stands, or is to be put. */
export interface Found {
  /** what is set, by one name whatever key found it */
  readonly what: string;
  /** the same from then on, where setting it changes that name */
  readonly becomes?: string;
  /** the value that is there; undefined where none is */
  readonly old: string | undefined;
  readonly places: readonly Place[];
  readonly notes: readonly string[];
}

/** The most names that a refusal lists. */
export const NAMES_SHOWN = 12;

/** The refusal of a key that nothing in the descriptor answers to, with the names that are there. */
export function cannot(key: string, why: string, names: readonly string[]): BundleError {
  const shown = [...new Set(names)].slice(0, NAMES_SHOWN).map((name) => `"${printable(name)}"`);
  return new BundleError('USAGE', `"${printable(key)}" cannot be set: ${why}`, {
    fix:
      shown.length > 0 ? `there is ${shown.join(', ')}` : 'change the descriptor itself, and give it whole',
  });
}
