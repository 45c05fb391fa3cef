import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmdirSync,
} from 'node:fs';
import { rename, unlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { type AskedAccess, FILE_MODE, type FileAccess, formatMode } from '../../formats/file-access.ts';
import type { ByteStream } from '../../kit/bytes.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import {
  fileAccess,
  folderAccess,
  giveAccess,
  giveFolderAccess,
  takeAccessBack,
} from '../access/give-access.ts';
import { writeError } from '../io-errors.ts';
import { FileStream } from '../sources/file-stream.ts';
import { openInto, READ } from '../sources/open-descriptor.ts';
import type { LeftFile } from '../unfinished/left-folder.ts';
import type { MarkedFolder } from '../unfinished/marked-folder.ts';
import { partialName } from '../unfinished/partial.ts';
import { FileWriter } from './file-writer.ts';
import { Settling } from './settling.ts';
import { writeWholeFile } from './whole-file.ts';
import {
  asWritten,
  isAsWritten,
  isSame,
  isTheWritten,
  takenAway,
  tellsChanges,
  type WrittenFile,
} from './written-file.ts';

/** The folder for members in a folder of unfinished work, and where it puts away what another run had left in it. */
export const CONTENT = 'content';

/** A file of a member: by what it is known again, once it has been written. */
interface StoredFile {
  readonly written: WrittenFile | undefined;
}

/** Whether members come and go in a folder, or it is somebody else's: published, or left to a later run. */
type FolderState = 'filling' | 'given-away';

/** A private folder for members that wait, mode 0700, their files 0600. Disposing it removes it, unless it was given away. */
export interface WaitingFolder extends AsyncDisposable {
  /** the way to it, which no renaming leads astray */
  readonly way: string;
  /** the names of the members that are in it, whether written to their end or not */
  readonly members: ReadonlySet<string>;
  /** all folders in it and itself */
  readonly folders: ReadonlySet<string>;
  /** creates the file of a member; folders in its name are made */
  create(member: string): Promise<FileWriter>;
  /** creates the file of a small member with its whole content; there may be something to wait for before the next */
  store(member: string, content: Uint8Array): Promise<void> | undefined;
  /** what was stored is on the disk. @throws {BundleError} `STORAGE_*` [import.4] */
  settled(): Promise<void>;
  /** makes an open file that lies elsewhere on this file system a member, to be gone on with behind its first `length` bytes */
  adopt(member: string, from: LeftFile, length: number): Promise<FileWriter>;
  /** takes a member out again, and the folders that it leaves empty */
  remove(member: string): Promise<void>;
  /** takes a member out into the folder `to`, as `remove` takes it out */
  setAside(member: string, to: string): Promise<void>;
  /** gives a member another name, which no member has when none is given; says which */
  rename(member: string, name?: string): Promise<string>;
  /** gives all that is in it, and itself, this access, each by its open descriptor [import.13] @throws {BundleError} `STORAGE_*` */
  give(asked: AskedAccess): Promise<void>;
  /** makes it this user's alone again, as far as that can be done, for a later run [resume.2] */
  takeBack(): void;
  /** what may be done with it by whom; undefined where the system has no owners */
  readonly access: FileAccess | undefined;
  /** whether it still stands where it was made */
  isThere(): boolean;
  /** whether it stands under this name */
  isAt(path: string): boolean;
  /**
   * What is in the folder, under whatever name, must be what was written, and nothing else. [import.9]
   *
   * @throws {BundleError} `STORAGE_FAILED`
   */
  checkUnchanged(at: string): void;
  /** the bytes of a member that has been written; `close` when they have been read */
  read(member: string, signal: AbortSignal | undefined): { readonly stream: ByteStream; close(): void };
  /** it is something else from now on, and not to be removed nor changed: whoever tries meets an `INTERNAL` error */
  giveAway(): void;
}

/** Makes one in a folder of unfinished work; messages place its members in `shown`. @throws what the system does */
export function openWaitingFolder(marked: MarkedFolder, shown: string): WaitingFolder {
  const way = join(marked.anchor, CONTENT);
  mkdirSync(way, 0o700);
  const made = lstatSync(way, { bigint: true });
  const timed = tellsChanges(way);
  const folders = new Map<string, BigIntStats>([[way, made]]);
  const files = new Map<string, StoredFile>();
  const settling = new Settling();
  let state: FolderState = 'filling';
  const expectFilling = (): void => {
    if (state !== 'filling')
      throw new BundleError('INTERNAL', `"${shown}" was given away, and is to be changed`);
  };
  const isThere = (): boolean => marked.isThere() && isSame(way, made);

  /** Where a member goes; the folders above it are made. */
  const placeFor = (member: string): string => {
    expectFilling();
    const file = join(way, member);
    const above: string[] = [];
    for (let up = dirname(file); up.length > way.length; up = dirname(up)) above.unshift(up);
    // One by one, and never the folder that all is in: had it been taken away, it would come back empty.
    for (const folder of above.filter((folder) => !folders.has(folder))) {
      mkdirSync(folder, 0o700);
      folders.set(folder, lstatSync(folder, { bigint: true }));
    }
    return file;
  };
  const failed = (member: string, error: unknown): BundleError =>
    isThere() ? writeError(error, join(shown, member)) : takenAway(shown, error);

  /** Puts an open file of a member on the disk, which then is what it is known by. */
  const settle = (member: string, descriptor: number): Promise<void> | undefined => {
    const file: { written: WrittenFile | undefined } = { written: undefined };
    files.set(member, file);
    const onSettled = (written: WrittenFile): void => {
      file.written = written;
    };
    return settling.add(descriptor, { name: join(shown, member), onSettled });
  };

  const takeOut = async (member: string, take: (file: string) => Promise<void>): Promise<void> => {
    const file = join(way, member);
    try {
      expectFilling();
      await take(file);
      files.delete(member);
      for (let up = dirname(file); up.length > way.length && readdirSync(up).length === 0; up = dirname(up)) {
        rmdirSync(up);
        folders.delete(up);
      }
    } catch (error) {
      throw writeError(error, join(shown, member));
    }
  };

  return {
    way,
    get members() {
      return new Set(files.keys());
    },
    get folders() {
      return new Set(folders.keys());
    },
    create: async (member) => {
      try {
        const writer = await FileWriter.create(placeFor(member), FILE_MODE, join(shown, member));
        files.set(member, writer);
        return writer;
      } catch (error) {
        throw failed(member, error);
      }
    },
    adopt: async (member, from, length) => {
      try {
        const file = placeFor(member);
        await rename(from.path, file);
        const writer = await FileWriter.resume(file, { made: from, length, name: join(shown, member) });
        files.set(member, writer);
        return writer;
      } catch (error) {
        throw failed(member, error);
      }
    },
    store: (member, content) => {
      try {
        return settle(member, writeWholeFile(placeFor(member), FILE_MODE, content));
      } catch (error) {
        throw failed(member, error);
      }
    },
    settled: () => settling.settled(),
    remove: (member) => takeOut(member, unlink),
    setAside: (member, to) =>
      takeOut(member, async (file) => {
        const target = join(to, member);
        mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
        await rename(file, target);
      }),
    rename: async (member, name = partialName('stored')) => {
      try {
        expectFilling();
        await settling.settled(); // it may be one of those that are under way
        const isWritten = isAsWritten(join(way, member), files.get(member)?.written, { timed });
        if (!isWritten) throw takenAway(join(shown, member));
        await rename(join(way, member), join(way, name)); // this changes one of its times
        files.set(name, { written: asWritten(lstatSync(join(way, name), { bigint: true })) });
      } catch (error) {
        throw writeError(error, join(shown, member));
      }
      files.delete(member);
      return name;
    },
    give: async (asked) => {
      await settling.settled();
      for (const [member, { written: before }] of files) {
        try {
          const descriptor = openInto(join(way, member), READ | constants.O_NOFOLLOW, (opened) => {
            if (!isTheWritten(fstatSync(opened, { bigint: true }), before, { timed }))
              throw takenAway(join(shown, member));
            giveAccess(opened, fileAccess(asked));
            return opened;
          });
          await settle(member, descriptor);
        } catch (error) {
          throw failed(member, error);
        }
      }
      await settling.settled();
      for (const [folder, known] of [...folders].reverse())
        folders.set(folder, giveFolderAccess(folder, known, folderAccess(asked)));
    },
    takeBack: () => {
      for (const folder of folders.keys()) takeAccessBack(folder, 0o700, made);
      for (const member of files.keys()) takeAccessBack(join(way, member), FILE_MODE, made);
    },
    get access() {
      const { uid, gid, mode } = folders.get(way) ?? made;
      const [file] = files.values();
      if (process.geteuid === undefined || !file?.written) return undefined;
      const inOctal = (one: bigint): string => formatMode(Number(one & 0o7777n));
      return {
        mode: inOctal(file.written.mode),
        folderMode: inOctal(mode),
        uid: Number(uid),
        gid: Number(gid),
      };
    },
    isThere,
    isAt: (path) => isSame(path, made),
    checkUnchanged: (at) => {
      if (!isSame(at, made)) throw takenAway(shown); // another may have been put in its place
      for (const [folder, { uid, mode, ...known }] of folders) {
        const stats = lstatSync(join(at, relative(way, folder)), { throwIfNoEntry: false, bigint: true });
        const same = stats?.ino === known.ino && stats.dev === known.dev;
        if (!same || stats.uid !== uid || stats.mode !== mode)
          throw takenAway(join(shown, relative(way, folder)));
      }
      for (const [member, { written }] of files) {
        if (!isAsWritten(join(at, member), written, { timed })) throw takenAway(join(shown, member));
      }
      // By their number: not every file system gives back the names that it was given.
      if (countBelow(at) !== files.size + folders.size - 1) throw takenAway(shown);
    },
    read: (member, signal) =>
      openInto(join(way, member), READ | constants.O_NOFOLLOW, (descriptor) => {
        const { ino, dev, size } = fstatSync(descriptor, { bigint: true });
        const written = files.get(member)?.written;
        if (ino !== written?.ino || dev !== written.dev || Number(size) !== written.size)
          throw takenAway(join(shown, member));
        return {
          stream: new FileStream(descriptor, join(shown, member), signal),
          close: () => closeSync(descriptor),
        };
      }),
    giveAway: () => {
      expectFilling();
      state = 'given-away';
    },
    [Symbol.asyncDispose]: async () => {
      await settling.settled().catch(() => {}); // it has open files
      // Why it came to this says more than that it could not be removed; the next run for the same name sweeps.
      if (state === 'filling') marked.tryRemove();
      else marked[Symbol.dispose]();
    },
  };
}

function countBelow(folder: string): number {
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries.reduce(
    (sum, entry) => sum + 1 + (entry.isDirectory() ? countBelow(join(folder, entry.name)) : 0),
    0,
  );
}
