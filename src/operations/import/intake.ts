import type { FileAccess } from '../../formats/file-access.ts';
import type { PublishedMember, Staging } from '../../storage/output/staging.ts';
import type { ResumableSink } from '../../verdict/walk/member.ts';
import type { SigningSink } from '../glance/sign-on-import.ts';
import type { Ending } from './ending.ts';

/** Takes the members of an import until it is known what becomes of them; disposing it takes away what was not published. */
export interface Intake extends AsyncDisposable {
  /** takes them as they are read; left out in a dry run, which stores nothing */
  readonly sink?: ResumableSink;
  /** signs the disk images among them; left out when nothing is signed */
  readonly signing?: SigningSink;
  /** where they wait, and can be made into others; left out where nothing is read again */
  readonly staging?: Staging;
  readonly ending: Ending;
  /** makes these the import, and nothing else of what has come; says what may be done with them by whom, where it stored them */
  publish(members: readonly PublishedMember[]): Promise<FileAccess | undefined>;
}
