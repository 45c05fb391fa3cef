import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  type Stats,
} from 'node:fs';
import { rename, rm, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ByteStream } from '../kit/bytes.ts';
import type { BundleError } from '../kit/errors.ts';
import { FileStream } from './file-stream.ts';
import { FileWriter } from './file-writer.ts';
import { writeError } from './io-errors.ts';
import type { LeftFile } from './left-folder.ts';
import { leftName, partialName } from './partial.ts';
import { Settling } from './settling.ts';
import { writeWholeFile } from './whole-file.ts';
import { isThere, takenAway, type WrittenFile } from './written-file.ts';

/** A private folder for members that wait, mode 0700, their files 0600. Disposing it removes it, unless it was given away. */
export interface WaitingFolder extends AsyncDisposable {
  readonly path: string;
  readonly made: Stats;
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
  /** leaves it to a later run, which may go on with it; false when that cannot be done, and it goes as always [resume.1] */
  leave(): boolean;
  /** takes a member out again, and the folders that it leaves empty */
  remove(member: string): Promise<void>;
  /** gives a member another name, which no member has; says which */
  rename(member: string): Promise<string>;
  /** @throws {BundleError} `STORAGE_FAILED` when something in it is not what was written [import.9] */
  checkUnchanged(): void;
  /** the bytes of a member that has been written; `close` when they have been read */
  read(member: string, signal: AbortSignal | undefined): { readonly stream: ByteStream; close(): void };
  /** it is something else from now on, and not to be removed */
  giveAway(): void;
}

/** Makes one in `parent`; its name begins with `base`, and messages place its members in `shown`. @throws what the system does */
export function openWaitingFolder(parent: string, base: string, shown: string): WaitingFolder {
  const path = join(parent, partialName(base));
  mkdirSync(path, 0o700);
  const made = lstatSync(path);
  const folders = new Set([path]);
  const files = new Map<string, { readonly written: WrittenFile | undefined }>();
  const settling = new Settling();
  let ours = true;
  const expectUnchanged = (member: string): void => {
    const { written } = files.get(member) ?? {};
    if (!isThere(join(path, member), written)) throw takenAway(join(shown, member));
  };

  /** Where a member goes; the folders above it are made. */
  const placeFor = (member: string): string => {
    const file = join(path, member);
    const above: string[] = [];
    for (let up = dirname(file); up.length > path.length; up = dirname(up)) above.unshift(up);
    // One by one, and never the folder that all is in: had it been taken away, it would come back empty.
    for (const folder of above.filter((folder) => !folders.has(folder))) {
      mkdirSync(folder, 0o700);
      folders.add(folder);
    }
    return file;
  };
  const failed = (member: string, error: unknown): BundleError =>
    isThere(path, made) ? writeError(error, join(shown, member)) : takenAway(shown, error);

  return {
    path,
    made,
    folders,
    create: async (member) => {
      try {
        const writer = await FileWriter.create(placeFor(member), 0o600, join(shown, member));
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
        const writer = await FileWriter.resume(file, length, join(shown, member));
        if (!isThere(file, { ...from, size: length })) throw new Error('another file was put in its place');
        files.set(member, writer);
        return writer;
      } catch (error) {
        throw failed(member, error);
      }
    },
    leave: () => {
      try {
        renameSync(path, join(parent, leftName(base)));
        ours = false;
      } catch {
        // taken away, perhaps; why it came to this says more
      }
      return !ours;
    },
    store: (member, content) => {
      try {
        const { descriptor, written } = writeWholeFile(placeFor(member), 0o600, content);
        files.set(member, { written });
        return settling.add(descriptor, join(shown, member));
      } catch (error) {
        throw failed(member, error);
      }
    },
    settled: () => settling.settled(),
    remove: async (member) => {
      const file = join(path, member);
      try {
        await unlink(file);
        files.delete(member);
        for (
          let up = dirname(file);
          up.length > path.length && readdirSync(up).length === 0;
          up = dirname(up)
        ) {
          rmdirSync(up);
          folders.delete(up);
        }
      } catch (error) {
        throw writeError(error, join(shown, member));
      }
    },
    rename: async (member) => {
      const name = partialName('stored');
      const writer = files.get(member);
      try {
        await rename(join(path, member), join(path, name));
      } catch (error) {
        throw writeError(error, join(shown, member));
      }
      files.delete(member);
      if (writer) files.set(name, writer);
      return name;
    },
    checkUnchanged: () => {
      for (const member of files.keys()) expectUnchanged(member);
      if (!isThere(path, made)) throw takenAway(shown); // another may have been put in its place
    },
    read: (member, signal) => {
      const descriptor = openSync(join(path, member), constants.O_RDONLY | constants.O_NOFOLLOW);
      const { ino, dev, size } = fstatSync(descriptor);
      const { written } = files.get(member) ?? {};
      if (ino !== written?.ino || dev !== written.dev || size !== written.size) {
        closeSync(descriptor);
        throw takenAway(join(shown, member));
      }
      return {
        stream: new FileStream(descriptor, join(shown, member), signal),
        close: () => closeSync(descriptor),
      };
    },
    giveAway: () => {
      ours = false;
    },
    [Symbol.asyncDispose]: async () => {
      await settling.settled().catch(() => {}); // it has open files
      // Why it came to this says more than that it could not be removed; the next run sweeps.
      if (ours) await rm(path, { recursive: true, force: true }).catch(() => {});
    },
  };
}
