import type { Advised } from './errors/advice.ts';

/** What of honest producers' habits a caller may let pass, by name; everything else about an archive stays as strict. */
export const RELAXATIONS = [
  'blank-ended-numbers',
  'dot-prefix',
  'folders',
  'gnu-long-names',
  'no-end-mark',
  'pax-global',
] as const;

/** One of them. */
export type Relaxation = (typeof RELAXATIONS)[number];

/** What each lets pass, as the end of a warning. */
export const RELAXATION_MEANINGS: Readonly<Record<Relaxation, string>> = {
  'blank-ended-numbers': 'numbers in tar headers that end in a blank, eight times as large to cpio',
  'dot-prefix': 'names that begin with "./", read without it',
  folders: 'entries of folders, passed over',
  'gnu-long-names': 'names in GNU long name entries',
  'no-end-mark': 'an archive without its end mark, so that only the manifest shows whether all is there',
  'pax-global': 'a pax global header with a comment, as git archive writes it',
};

/** What to do about an archive that these would let pass: it is repaired, which heals all of them and what else is odd. */
export function repairOf(...relaxations: readonly Relaxation[]): Advised {
  return {
    text: 'if it comes from where you expect it, have it written again in the form that all readers share, which is done only when what was signed holds',
    advice: 'repair',
    of: relaxations.join(','),
  };
}
