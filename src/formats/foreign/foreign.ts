import type { Told } from '../../kit/errors/advice.ts';

/** Something that is no bundle, as people call it, and what its publisher's word is then found in. */
export interface Foreign {
  /** with its article, such as `an xz file` */
  readonly name: string;
  /** what to do; what is said of any other file when left out */
  readonly fix?: Told | readonly Told[];
  /** the program that unpacks it from one pipe into another, where there is one; none is needed for what is read itself, but not out of a gzip */
  readonly unpacker?: string;
}

/** What to do with a bare image: its publisher may have signed the file as it is. */
export const IMAGE_ALONE: Told = {
  text: 'if its publisher gives a detached signature of the image, verify it with that; a bundle of your own is packed of it',
  advice: 'image-alone',
};

/** What to do with any other file that somebody has published. */
export const FILE_ALONE: Told = {
  text: 'give the bundle; a file of any other kind is verified with the detached signature that its publisher gives beside it',
  advice: 'file-alone',
};

/** What to do with the signature of a file. */
export const SIGNED_BESIDE: Told = {
  text: 'give the file that it signs, and the signature beside it',
  advice: 'signed-beside',
};

/** What to do with a program or a script, behind which a zip may stand. */
export const PROGRAM_ALONE: readonly Told[] = [
  FILE_ALONE,
  {
    text: 'if it is a zip that unpacks itself, and comes from where you expect it, have that zip written by itself, which is done only when what was signed holds',
    advice: 'repair',
  },
];

/** What to do with an archive that is not read in order. */
export function unpackedBy(program: string): Told {
  return `unpack it (${program}), and verify the bundle that is inside: so the signature of its publisher is kept`;
}
