import { BundleError } from '../kit/errors/errors.ts';
import { type Rule, refuse, shape } from '../kit/shape.ts';

/** Who is to own what is published, by their numbers; what is left out stays as the system gives it to whoever runs this. */
export interface FileOwner {
  readonly uid?: number;
  readonly gid?: number;
}

/** What is asked of the access to what is published. */
export interface AskedAccess {
  /** of the files, as `chmod` takes it, whatever the umask; folders have what goes with it (`folderModeFor`) */
  readonly mode?: number;
  readonly owner?: FileOwner;
}

/** The access to what was published, or would be; owners are left out where only the publishing tells them. */
export interface FileAccess {
  /** of the files, in octal: "0640" */
  readonly mode: string;
  /** of the folders */
  readonly folderMode: string;
  readonly uid?: number;
  readonly gid?: number;
}

/** As files wait, and are published where nothing else is asked for: nobody else may read them. [import.1] */
export const FILE_MODE = 0o600;

/** The last number of all stands for none. */
const MOST_ID = 0xffff_fffe;
const READ_BITS = 0o044;

/**
 * The mode of the folders for files of this mode: whoever may read those may list and enter them, and nobody but the owner may write to
 * them, since whoever may rename puts other files in place of those that were verified. [import.13]
 */
export function folderModeFor(mode: number): number {
  const read = mode & READ_BITS;
  return 0o700 | read | (read >> 2);
}

/** In octal, with four digits. */
export function formatMode(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

/** A mode for files that are data. [import.13] */
export const fileMode: Rule<number> = (value, name) => {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > 0o7777)
    return refuse(name, value, 'a mode as a number, such as 0o640');
  const unfit = unfitness(value);
  if (unfit === undefined) return value;
  const [message, why] = unfit;
  const fix = 'give one such as 0600, 0640, 0660 or 0644';
  throw new BundleError('USAGE', `the mode ${formatMode(value)} ${message}`, { why, fix });
};

function unfitness(mode: number): readonly [message: string, why: string] | undefined {
  if ((mode & 0o7000) !== 0) {
    return [
      'has a setuid, setgid or sticky bit',
      'what is in a bundle is data: none of it is to run with the rights of another',
    ];
  }
  if ((mode & 0o111) !== 0) {
    return [
      'makes programs of the files',
      'what is in a bundle is data, and nothing runs it; folders can be entered by whoever may read the files, by themselves',
    ];
  }
  if ((mode & 0o002) !== 0) {
    return ['lets everybody write to the files', 'anybody could change them once they were verified'];
  }
  if ((mode & 0o400) === 0) {
    return ['does not let their owner read the files', 'what was imported is to be read, and verified again'];
  }
  return undefined;
}

const id: Rule<number> = (value, name) =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MOST_ID
    ? value
    : refuse(name, value, `a number of a user or group, not more than ${MOST_ID}`);

const ids = shape<FileOwner>({ uid: id, gid: id });

/** Who is to own files: a user, a group, or both. */
export const fileOwner: Rule<FileOwner> = (value, name) => {
  const owner = ids(value, name);
  if (owner.uid === undefined && owner.gid === undefined) return refuse(name, value, 'a uid, a gid, or both');
  return owner;
};
