import type { ErrorDetails } from '../../kit/errors/errors.ts';

/** Why a sparse member is refused, and how the signature of its publisher comes to hold again: the files are what was signed. [pax.9] */
export const SPARSE: Pick<ErrorDetails, 'why' | 'fix'> = {
  why: 'such a member holds a map of the holes and then the rest; readers that do not know that unpack another file',
  fix: [
    {
      text: 'if it comes from where you expect it, have it written again without holes, which is done only when what its publisher signed holds',
      advice: 'repair',
    },
    {
      text: 'or, to get back what its publisher signed, unpack it with the program that wrote it, and write the same files in the same order as a plain tar (tar --format=ustar), which is then verified',
      advice: 'write-ustar',
    },
  ],
};
