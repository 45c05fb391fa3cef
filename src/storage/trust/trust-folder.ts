import { lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { decodeUtf8 } from '../../kit/encoding.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import type { NamedBytes } from '../../kit/given-bytes.ts';
import { type SourceOptions, sourceOptions } from '../../kit/source.ts';
import { isPublisherName } from '../../trust/publisher.ts';
import { isAbsent } from '../absence.ts';
import { realPath } from '../absolute.ts';
import { readError, writeError } from '../io-errors.ts';
import { makeFolders } from '../make-folders.ts';
import type { MarkedFolder } from '../unfinished/marked-folder.ts';
import { expectUtf8Names } from '../utf8-names.ts';
import { certificateFilesIn, readNamed, readSmallFile } from './small-files.ts';

/** The files of one publisher in a trust folder, unparsed. */
export interface PublisherFiles {
  readonly name: string;
  readonly folder: string;
  /** text of `publisher.toml`, when there is one */
  readonly settings?: { readonly file: string; readonly text: string };
  readonly certificates: readonly NamedBytes[];
}

/** The names of those who are trusted in a folder, by their folders alone: nothing of them is read. @throws {BundleError} `FILE_UNREADABLE` */
export function trustedNamesIn(folder: string, kind: TrustedKind): readonly string[] {
  return shownNamesIn(join(folder, kind === 'publisher' ? PUBLISHERS : TIMESTAMPING));
}

const PUBLISHERS = 'publishers';
const TIMESTAMPING = 'timestamping';
/** What `seen-revocation.ts` keeps beside the lists, and kept in one file before. */
export const SEEN = 'seen';
export const SEEN_BEFORE = 'seen.json';

/**
 * The publishers in `folder/publishers`, sorted by name; none when the folder is not there.
 *
 * @throws {BundleError} `FILE_UNREADABLE`, `CONFIG_INVALID`
 */
export async function readTrustFolder(
  folder: string,
  waiting: SourceOptions = sourceOptions({}),
): Promise<readonly PublisherFiles[]> {
  const found: PublisherFiles[] = [];
  for (const name of trustedNamesIn(folder, 'publisher'))
    found.push(await readPublisher(folder, name, waiting));
  return found;
}

/** The names in a folder. Only one that is surely not there counts as empty: one that cannot be read could forbid what another allows. [pub.16] */
function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    const fault = readError(error, folder);
    if (fault.code === 'FILE_NOT_FOUND') return [];
    throw new BundleError(fault.code, `the trust folder cannot be read: ${fault.message}`, {
      where: fault.where,
      why: 'what cannot be read there could forbid what another folder allows',
      fix: { text: 'let this user read it, or take a trust folder of your own', advice: 'own-trust-folder' },
      cause: error,
    });
  }
}

/** The same, sorted, without what is hidden; a name that may be another's hides nothing. [out.3] */
export function shownNamesIn(folder: string): readonly string[] {
  const names = namesIn(folder).filter((name) => !name.startsWith('.'));
  return [...expectUtf8Names(names, folder)].sort();
}

/** One of them. @throws {BundleError} `FILE_UNREADABLE`, `CONFIG_INVALID` */
export async function readPublisher(
  trustFolder: string,
  name: string,
  waiting: SourceOptions,
): Promise<PublisherFiles> {
  const folder = join(trustFolder, PUBLISHERS, name);
  if (!isPublisherName(name)) {
    throw new BundleError('CONFIG_INVALID', `"${name}" is no name for a publisher`, {
      where: { file: folder },
    });
  }
  expectNoEvidence(folder);
  const settings = join(folder, 'publisher.toml');
  return {
    name,
    folder,
    ...(!isAbsent(settings) && { settings: { file: settings, text: await readText(settings, waiting) } }),
    certificates: await contentsOf(certificateFilesIn(folder), waiting),
  };
}

/** [rev.2] Beside certificates it would be passed over, whatever it revokes. */
function expectNoEvidence(folder: string): void {
  const odd = namesIn(folder).find((name) => /^[^.].*\.(crl|ocsp)$|^revocation$/i.test(name));
  if (odd === undefined) return;
  throw new BundleError('CONFIG_INVALID', `"${odd}" is not looked at here`, {
    where: { file: folder },
    why: 'a revocation list that is passed over for its place revokes nothing',
    fix: 'move lists and OCSP responses into the folder "revocation" of the trust folder',
  });
}

/** One after the other: the first that is at fault is told. */
async function contentsOf(files: readonly string[], waiting: SourceOptions): Promise<readonly NamedBytes[]> {
  const contents: NamedBytes[] = [];
  for (const file of files) contents.push(await readNamed(file, waiting));
  return contents;
}

/** The text of a small UTF-8 file. @throws {BundleError} `FILE_NOT_FOUND`, `FILE_UNREADABLE`, and what waiting for a pipe comes to */
export async function readText(file: string, waiting: SourceOptions, limit?: number): Promise<string> {
  const text = decodeUtf8(await readSmallFile(file, waiting, limit));
  if (text === undefined)
    throw new BundleError('FILE_UNREADABLE', 'the file is not UTF-8 text', { where: { file } });
  return text;
}

/** The certificate files of the timestamp authorities in `folder/timestamping/NAME/`, sorted by name. [tst.2] */
export async function readTimestampAuthorities(
  folder: string,
  waiting: SourceOptions = sourceOptions({}),
): Promise<readonly NamedBytes[]> {
  const all: NamedBytes[] = [];
  for (const name of trustedNamesIn(folder, 'timestamp authority')) {
    all.push(...(await readTimestampAuthority(folder, name, waiting)));
  }
  return all;
}

/** Those of one authority. @throws {BundleError} `FILE_UNREADABLE`, `CONFIG_INVALID` */
export async function readTimestampAuthority(
  folder: string,
  name: string,
  waiting: SourceOptions,
): Promise<readonly NamedBytes[]> {
  const authority = join(folder, TIMESTAMPING, name);
  const found = certificateFilesIn(authority);
  if (!found.includes(authority)) expectNoEvidence(authority); // a file may stand for a folder
  return contentsOf(found, waiting);
}

/**
 * The revocation lists and OCSP responses in `folder/revocation`, sorted by name; none when the folder is not there. [rev.2]
 *
 * @throws {BundleError} `CONFIG_INVALID` for a file of another kind, `FILE_UNREADABLE`
 */
export function revocationFilesIn(folder: string): readonly string[] {
  const names = shownNamesIn(join(folder, 'revocation')).filter(
    (name) => name !== SEEN && name !== SEEN_BEFORE,
  );
  const odd = names.find((name) => !/\.(crl|pem|ocsp)$/i.test(name));
  if (odd !== undefined) {
    throw new BundleError('CONFIG_INVALID', `"${odd}" is neither *.crl, *.pem nor *.ocsp`, {
      where: { file: join(folder, 'revocation') },
      why: 'a revocation list that is passed over for its name revokes nothing',
      fix: 'rename it, or move it out of this folder',
    });
  }
  return names.map((name) => join(folder, 'revocation', name));
}

/** What is added to a trust folder: a publisher, or an authority whose timestamps count. */
export type TrustedKind = 'publisher' | 'timestamp authority';

/** Adds one of them: all of it or nothing. @throws {BundleError} `DESTINATION_EXISTS`, `USAGE`, `STORAGE_*` */
export async function addTrusted(
  kind: TrustedKind,
  folder: string,
  name: string,
  files: readonly { readonly name: string; readonly text: string }[],
): Promise<string> {
  const target = folderOf(kind, folder, name);
  if (isTaken(target)) throw exists(kind, name, target);
  const folders = dirname(target);
  const purpose = { kind: 'output', base: `.${name}` } as const;
  const [{ MarkedFolder }, { sweepLeft }, { openOutput }, { apartFrom }] = await writing();
  let marked: MarkedFolder | undefined;
  try {
    makeFolders(folders);
    const real = realPath(folders); // [out.4] before anything is added
    sweepLeft(folders, purpose); // [import.8] of nobody else's
    marked = MarkedFolder.make(folders, purpose);
    const made = join(marked.path, name);
    mkdirSync(made);
    for (const file of files) {
      await using output = await openOutput(apartFrom(join(made, file.name), []), { overwrite: false });
      await output.write(new TextEncoder().encode(file.text));
      await output.finish();
    }
    await rename(made, target);
    return join(real, name);
  } catch (error) {
    if (isTaken(target)) throw exists(kind, name, target); // by a run at the same time
    throw writeError(error, target);
  } finally {
    marked?.tryRemove();
  }
}

/** What writes is loaded when it is used: most commands only read trust folders. */
function writing() {
  return Promise.all([
    import('../unfinished/marked-folder.ts'),
    import('../unfinished/sweep.ts'),
    import('../output/open-output.ts'),
    import('../apart.ts'),
  ]);
}

function exists(kind: TrustedKind, name: string, target: string): BundleError {
  return new BundleError('DESTINATION_EXISTS', `the ${kind} "${name}" exists already`, {
    where: { file: target },
    why: `adding a CA to a ${kind} you already trust would widen that trust unseen`,
    fix: {
      text: 'remove it first',
      advice: kind === 'publisher' ? 'remove-publisher' : 'remove-authority',
      of: name,
    },
  });
}

/** Removes one and all it was trusted for. @throws {BundleError} `FILE_NOT_FOUND`, `STORAGE_FAILED` */
export async function removeTrusted(kind: TrustedKind, folder: string, name: string): Promise<string> {
  const target = folderOf(kind, folder, name);
  if (!isTaken(target)) {
    const other = kind === 'publisher' ? 'timestamp authority' : 'publisher';
    if (isTaken(folderOf(other, folder, name))) throw ofOtherKind(other, name, target);
    throw new BundleError('FILE_NOT_FOUND', `there is no ${kind} "${name}"`, {
      where: { file: target },
      why: 'there is nothing to remove',
      fix: { text: 'see who is trusted', advice: 'list-trusted' },
    });
  }
  const purpose = { kind: 'output', base: `.${name}` } as const;
  const [{ MarkedFolder }, { sweepLeft }] = await writing();
  let marked: MarkedFolder | undefined;
  try {
    sweepLeft(dirname(target), purpose);
    marked = MarkedFolder.make(dirname(target), purpose);
    // [pub.17] At once: a publisher whose settings are gone and whose anchors are not would be trusted for everything.
    await rename(target, join(marked.anchor, name));
  } catch (error) {
    marked?.tryRemove();
    throw writeError(error, target);
  }
  if (!marked.tryRemove()) throw notEmptied(target, marked.path);
  return target;
}

function ofOtherKind(other: TrustedKind, name: string, target: string): BundleError {
  const isAuthority = other === 'timestamp authority';
  const who = isAuthority ? 'an authority for timestamps' : 'a publisher';
  return new BundleError('FILE_NOT_FOUND', `"${name}" is ${who}`, {
    where: { file: target },
    why: 'publishers and authorities for timestamps are removed each by themselves',
    fix: {
      text: `remove it as ${who}`,
      advice: isAuthority ? 'is-authority' : 'is-publisher',
      of: name,
    },
  });
}

function notEmptied(target: string, left: string): BundleError {
  return new BundleError('STORAGE_FAILED', 'it is trusted no more, and could not be removed whole', {
    where: { file: target },
    why: `what is left of it lies in ${left}, which is never read`,
    fix: 'see whose files are in there, and remove them',
  });
}

/** Whether anything bears this name, a link that leads nowhere too. */
function isTaken(target: string): boolean {
  try {
    lstatSync(target);
    return true;
  } catch {
    return false; // what else is wrong there, writing tells
  }
}

function folderOf(kind: TrustedKind, folder: string, name: string): string {
  if (isPublisherName(name)) return join(folder, kind === 'publisher' ? PUBLISHERS : TIMESTAMPING, name);
  throw new BundleError('USAGE', `"${name}" is no name for a ${kind}`, {
    fix: {
      text: 'use up to 64 lower-case letters, digits, dots, dashes and underscores',
      advice: 'name-publisher',
    },
  });
}
