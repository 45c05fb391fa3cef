import { existsSync, mkdirSync, readdirSync, realpathSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeUtf8 } from '../kit/encoding.ts';
import { BundleError } from '../kit/errors.ts';
import { isPublisherName } from '../trust/publisher.ts';
import { readError, writeError } from './io-errors.ts';
import { openOutput } from './output.ts';
import { certificateFilesIn, readSmallFile } from './small-files.ts';

/** The files of one publisher in a trust folder, unparsed. */
export interface PublisherFiles {
  readonly name: string;
  readonly folder: string;
  /** text of `publisher.toml`, when there is one */
  readonly settings?: { readonly file: string; readonly text: string };
  readonly certificates: readonly { readonly file: string; readonly text: string }[];
}

/**
 * The publishers in `folder/publishers`, sorted by name; none when the folder is not there.
 *
 * @throws {BundleError} `FILE_UNREADABLE`, `CONFIG_INVALID`
 */
export function readTrustFolder(folder: string): readonly PublisherFiles[] {
  const publishers = join(folder, 'publishers');
  const names = namesIn(publishers).filter((name) => !name.startsWith('.'));
  return names.sort().map((name) => readPublisher(join(publishers, name), name));
}

/** Only a folder that is surely not there counts as empty: one that we may not read could forbid what another allows. */
function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    const fault = readError(error, folder);
    if (fault.code === 'FILE_NOT_FOUND') return [];
    throw fault;
  }
}

function readPublisher(folder: string, name: string): PublisherFiles {
  if (!isPublisherName(name)) {
    throw new BundleError('CONFIG_INVALID', `"${name}" is no name for a publisher`, {
      where: { file: folder },
    });
  }
  const settings = join(folder, 'publisher.toml');
  return {
    name,
    folder,
    ...(existsSync(settings) ? { settings: { file: settings, text: readText(settings) } } : {}),
    certificates: certificateFilesIn(folder).map((file) => ({ file, text: readText(file) })),
  };
}

/** The text of a small UTF-8 file. @throws {BundleError} `FILE_NOT_FOUND`, `FILE_UNREADABLE` */
export function readText(file: string): string {
  const text = decodeUtf8(readSmallFile(file));
  if (text === undefined)
    throw new BundleError('FILE_UNREADABLE', 'the file is not UTF-8 text', {
      where: { file },
      fix: 'give keys and certificates in PEM; openssl pkey and openssl x509 with -inform DER make it of DER',
    });
  return text;
}

/** Adds a publisher: all of it or nothing. @throws {BundleError} `DESTINATION_EXISTS`, `USAGE`, `STORAGE_*` */
export async function addPublisher(
  folder: string,
  name: string,
  files: readonly { readonly name: string; readonly text: string }[],
): Promise<string> {
  const target = publisherFolder(folder, name);
  if (existsSync(target)) {
    throw new BundleError('DESTINATION_EXISTS', `the publisher "${name}" exists already`, {
      where: { file: target },
      why: 'adding a CA to a publisher you already trust would widen that trust unseen',
      fix: `remove it first: bulla trust remove ${name}`,
    });
  }
  const staging = `${target}.partial`.replace(/([^/]+)$/, '.$1');
  try {
    mkdirSync(join(folder, 'publishers'), { recursive: true, mode: 0o755 });
    await rm(staging, { recursive: true, force: true });
    mkdirSync(staging);
    for (const file of files) {
      await using output = await openOutput(join(staging, file.name), { overwrite: false });
      await output.write(new TextEncoder().encode(file.text));
      await output.commit();
    }
    await rename(staging, target);
  } catch (error) {
    await rm(staging, { recursive: true, force: true }).catch(() => {}); // the reason for the failure says more
    throw writeError(error, target);
  }
  return realpathSync(target);
}

/** Removes a publisher and all it was trusted for. @throws {BundleError} `FILE_NOT_FOUND`, `STORAGE_FAILED` */
export async function removePublisher(folder: string, name: string): Promise<string> {
  const target = publisherFolder(folder, name);
  if (!existsSync(target)) {
    throw new BundleError('FILE_NOT_FOUND', `there is no publisher "${name}"`, {
      where: { file: target },
      why: 'there is nothing to remove',
      fix: 'see bulla trust list',
    });
  }
  try {
    await rm(target, { recursive: true });
  } catch (error) {
    throw writeError(error, target);
  }
  return target;
}

function publisherFolder(folder: string, name: string): string {
  if (isPublisherName(name)) return join(folder, 'publishers', name);
  throw new BundleError('USAGE', `"${name}" is no name for a publisher`, {
    fix: 'use up to 64 lower-case letters, digits, dots, dashes and underscores, as in: bulla trust add acme ca.pem',
  });
}
