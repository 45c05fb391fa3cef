import type { Certificate } from '../../crypto/certificate.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import type { NamedBytes } from '../../kit/given-bytes.ts';
import { type SourceOptions, sourceOptions } from '../../kit/source.ts';
import { isSameFile } from '../../storage/same-file.ts';
import { parsePublisher } from '../../storage/trust/publisher-file.ts';
import { readNamed, someCertificateFilesIn } from '../../storage/trust/small-files.ts';
import {
  type PublisherFiles,
  readPublisher,
  readTimestampAuthorities,
  readTimestampAuthority,
  readTrustFolder,
  type TrustedKind,
} from '../../storage/trust/trust-folder.ts';
import { certificatesIn } from '../../trust/given-certificates.ts';
import type { Publisher } from '../../trust/publisher.ts';
import {
  isStateless,
  parseTrust,
  type Trust,
  type Trusted,
  type TrustedPublisher,
} from '../../trust/trust.ts';

/**
 * Whom to trust, by files or as data, or some of each. `anchors` and `pins`, when either is given, are all that counts;
 * otherwise the publishers in `publishers` and `folders` count.
 */
export interface TrustFiles extends Omit<Trust, 'anchors' | 'timestampAnchors' | 'untrusted'> {
  /** files of CA or signer certificates (PEM, DER, PKCS#7), folders of such files, or their bytes */
  readonly anchors?: readonly (string | NamedBytes)[];
  /** the same of timestamp authorities' CA certificates; given any, those of `folders` do not count */
  readonly timestampAnchors?: readonly (string | NamedBytes)[];
  /** the same of certificates that may stand between a signer and what is trusted; they vouch for nobody [path.27] */
  readonly untrusted?: readonly (string | NamedBytes)[];
  /**
   * Trust folders, the one that overrules first: the first that has a publisher of a name decides about it, and `publishers`
   * before all of them. The last is the user's own, where it is remembered which revocation lists have been seen.
   */
  readonly folders?: readonly string[];
}

/** One publisher with its anchors, and the folder it was read from. */
export interface LoadedPublisher<T = Certificate> {
  readonly publisher: Publisher;
  readonly folder: string;
  readonly anchors: readonly T[];
}

/** Reads all that is trusted, files first. @throws {BundleError} `FILE_*`, `CONFIG_INVALID` */
export async function loadTrust(
  given: TrustFiles,
  waiting: SourceOptions = sourceOptions({}),
): Promise<Trusted> {
  return parseTrust(await readTrust(given, waiting));
}

/** The same as data: everything that is a file is read. */
async function readTrust(given: TrustFiles, waiting: SourceOptions): Promise<Trust> {
  const { anchors = [], pins = [], timestampAnchors = [], publishers = [], untrusted = [] } = given;
  const folders = isStateless(given) ? [] : (given.folders ?? []); // [pub.12]
  return {
    timestampAnchors:
      timestampAnchors.length > 0
        ? await readAll(timestampAnchors, waiting)
        : await authoritiesIn(folders, waiting),
    anchors: await readAll(anchors, waiting),
    pins,
    untrusted: await readAll(untrusted, waiting),
    publishers: [...publishers, ...(await publishersIn(folders, waiting, publishers)).map(asData)],
  };
}

function asData({ publisher, anchors }: LoadedPublisher<NamedBytes>): TrustedPublisher {
  return { ...publisher, anchors };
}

/** The publishers of several trust folders, by name; a name in an earlier folder hides it in a later one. [pub.1] */
export async function loadPublishers(
  folders: readonly string[],
  waiting: SourceOptions = sourceOptions({}),
): Promise<readonly LoadedPublisher[]> {
  const found = await publishersIn(folders, waiting);
  return found.map((one) => ({ ...one, anchors: one.anchors.flatMap(certificatesIn) }));
}

/** Those whose anchors are read and not looked into; what is hidden is not read. [pub.13] */
async function publishersIn(
  folders: readonly string[],
  waiting: SourceOptions,
  overruling: readonly TrustedPublisher[] = [],
): Promise<readonly LoadedPublisher<NamedBytes>[]> {
  const hidden = new Set(overruling.map(({ name }) => name));
  const found = new Map<string, LoadedPublisher<NamedBytes>>();
  for (const folder of folders) {
    for (const files of await readTrustFolder(folder, waiting)) {
      if (!hidden.has(files.name) && !found.has(files.name)) found.set(files.name, await publisherIn(files));
    }
  }
  return [...found.values()].sort((a, b) => (a.publisher.name < b.publisher.name ? -1 : 1));
}

/** The certificates of one publisher or timestamp authority by itself, all of it held to the rules. @throws {BundleError} `CONFIG_INVALID`, `FILE_*` */
export async function lookAtTrusted(
  kind: TrustedKind,
  folder: string,
  name: string,
  waiting: SourceOptions,
): Promise<readonly Certificate[]> {
  const anchors =
    kind === 'publisher'
      ? (await publisherIn(await readPublisher(folder, name, waiting))).anchors
      : await readTimestampAuthority(folder, name, waiting);
  const certificates = anchors.flatMap(certificatesIn);
  if (certificates.length > 0) return certificates;
  throw new BundleError('CONFIG_INVALID', 'it has no certificate, so it vouches for nothing', {
    where: { file: folder },
  });
}

async function publisherIn(files: PublisherFiles): Promise<LoadedPublisher<NamedBytes>> {
  const { name, folder, settings, certificates } = files;
  if (!settings) {
    throw new BundleError('CONFIG_INVALID', `the publisher "${name}" has no publisher.toml`, {
      where: { file: folder },
      fix: { text: 'remove the folder, and add the publisher again', advice: 'add-publisher', of: name },
    });
  }
  const publisher = await parsePublisher(settings.text, settings.file);
  if (publisher.name !== name) {
    throw new BundleError(
      'CONFIG_INVALID',
      `the file says name = "${publisher.name}" in the folder of "${name}"`,
      {
        where: { file: settings.file },
      },
    );
  }
  return { publisher, folder, anchors: certificates };
}

/** The CA certificates of the timestamp authorities in the trust folders, unread. [tst.2] @throws {BundleError} `CONFIG_INVALID`, `FILE_*` */
export async function authoritiesIn(
  folders: readonly string[],
  waiting: SourceOptions,
): Promise<readonly NamedBytes[]> {
  const found: NamedBytes[] = [];
  for (const folder of folders) found.push(...(await readTimestampAuthorities(folder, waiting)));
  return found;
}

/**
 * Holds that none of the files that are to be judged vouches for itself; it looks before anything is read: what comes from a pipe comes once. [pub.19]
 * @throws {BundleError} `USAGE`, `FILE_*`
 */
export function expectVouchedByOthers(
  { anchors = [], timestampAnchors = [] }: TrustFiles,
  judged: readonly string[],
): void {
  for (const file of [...anchors, ...timestampAnchors].flatMap(certificateFilesOf)) {
    if (typeof file !== 'string' || !judged.some((one) => isSameFile(one, file))) continue;
    throw new BundleError('USAGE', 'this is the very file that is to be verified', {
      where: { file },
      why: 'nothing vouches for itself: whoever made it would choose whom you trust',
      fix: 'name the certificate of a CA or signer that you have from elsewhere',
    });
  }
}

async function readAll(
  given: readonly (string | NamedBytes)[],
  waiting: SourceOptions,
): Promise<readonly NamedBytes[]> {
  const all: NamedBytes[] = [];
  for (const one of given.flatMap(certificateFilesOf)) {
    all.push(typeof one === 'string' ? await readNamed(one, waiting) : one);
  }
  return all;
}

/** The certificate files that a name stands for; what is given as bytes stands for itself. @throws {BundleError} `FILE_NOT_FOUND` for a folder without any */
export function certificateFilesOf(given: string | NamedBytes): readonly (string | NamedBytes)[] {
  return typeof given === 'string' ? someCertificateFilesIn(given) : [given];
}
