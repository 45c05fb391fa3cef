import { counted } from '../../kit/encoding.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import type { ExportersWord } from './exporters-word.ts';

/** How many names a warning has before it counts the rest. */
const NAMED = 3;

/** What is known of an export besides its manifest. */
interface ExportFacts {
  /** the name of its manifest */
  readonly manifest: string;
  /** whether its descriptor is another than the manifest says */
  readonly isEdited: boolean;
  /** members that are made anew, whatever the export has */
  readonly made: ReadonlySet<string>;
  /** whether there is a file of a name beside the descriptor */
  readonly isThere: (name: string) => boolean;
}

/**
 * In what descriptor and manifest of an export differ, each as a warning: the descriptor is edited, a file is added, one is left
 * out. [pack.14] [pack.15]
 *
 * @throws {BundleError} `FILE_MISSING` for a file that an export as it was made is to have, and that is not there
 */
export function tellExport(
  word: Pick<ExportersWord, 'unlisted' | 'unnamed'>,
  { manifest, isEdited, made, isThere }: ExportFacts,
): readonly string[] {
  const unnamed = word.unnamed().filter((name) => !made.has(name));
  const missing = isEdited ? undefined : unnamed.find((name) => !isThere(name));
  if (missing !== undefined) {
    throw new BundleError('FILE_MISSING', `"${manifest}" lists "${missing}", and it is not there`, {
      why: 'the program that exported it wrote the file, so the copy of the export is not whole',
      fix: 'copy the export again from where it was made',
    });
  }
  const unlisted = word.unlisted().filter((name) => !made.has(name));
  return [
    ...(isEdited
      ? [`the descriptor is not the one that "${manifest}" lists: it was edited since it was exported`]
      : []),
    ...(unlisted.length > 0
      ? [
          `"${manifest}" beside the descriptor does not list ${namesOf(unlisted)}: nothing says whether that is as it was exported`,
        ]
      : []),
    ...(unnamed.length > 0
      ? [`${namesOf(unnamed)} is left out: "${manifest}" lists it, and the descriptor does not name it`]
      : []),
  ];
}

function namesOf(names: readonly string[]): string {
  const shown = names.slice(0, NAMED).map((name) => `"${name}"`);
  const more = names.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${counted(more, 'more file')}` : shown.join(', ');
}
