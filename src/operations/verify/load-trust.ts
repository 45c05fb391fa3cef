import { type Certificate, parseCertificate } from '../../crypto/certificate.ts';
import { splitPem } from '../../formats/pem.ts';
import { notPemText } from '../../formats/pem-text.ts';
import { BundleError, toBundleError } from '../../kit/errors/errors.ts';
import { type SourceOptions, sourceOptions } from '../../kit/source.ts';
import { isSameFile } from '../../storage/same-file.ts';
import { parsePublisher } from '../../storage/trust/publisher-file.ts';
import { someCertificateFilesIn } from '../../storage/trust/small-files.ts';
import {
  type PublisherFiles,
  readText,
  readTimestampAuthorities,
  readTrustFolder,
} from '../../storage/trust/trust-folder.ts';
import type { Anchor, TrustStore } from '../../trust/judge-signer.ts';
import type { Publisher } from '../../trust/publisher.ts';

/**
 * Whom to trust. `anchors` and `pins`, when either is given, are all that counts; otherwise the publishers in
 * `folders` count.
 */
export interface TrustOptions {
  /** PEM files of CA or signer certificates, or folders of such files */
  readonly anchors?: readonly string[];
  /** `sha256:` and the hex digest of a signer's SubjectPublicKeyInfo */
  readonly pins?: readonly string[];
  /** PEM files of timestamp authorities' CA certificates, or folders of such files; given any, those of `folders` do not count */
  readonly timestampAnchors?: readonly string[];
  /**
   * Trust folders, the one that overrules first: the first that has a publisher of a name decides about it.
   * The last is the user's own, where it is remembered which revocation lists have been seen.
   */
  readonly folders?: readonly string[];
}

/** All that is trusted in one run: who may sign, and whose timestamps count. */
export interface Trust {
  readonly signers: TrustStore;
  readonly timestamping: readonly Anchor[];
}

/** In one file: a whole trust store has some hundred. */
const MAX_CERTIFICATES = 1024;

/** One publisher with its anchors, and the folder it was read from. */
export interface LoadedPublisher {
  readonly publisher: Publisher;
  readonly folder: string;
  readonly anchors: readonly Certificate[];
}

/**
 * Reads all that is trusted.
 *
 * @param judged the files that are to be judged by it, none of which vouches for itself [pub.19]
 * @throws {BundleError} `FILE_*`, `CONFIG_INVALID`, `USAGE`
 */
export async function loadTrust(
  options: TrustOptions,
  waiting: SourceOptions = sourceOptions({}),
  judged: readonly string[] = [],
): Promise<Trust> {
  const { anchors = [], pins = [], timestampAnchors = [], folders = [] } = options;
  const stateless = anchors.length > 0 || pins.length > 0; // [pub.12]
  expectApart([...anchors, ...timestampAnchors], judged);
  const timestamping =
    timestampAnchors.length > 0 || stateless
      ? await allAnchorsIn(timestampAnchors, waiting)
      : await loadTimestampAuthorities(folders, waiting);
  return { signers: await loadSigners(options, stateless, waiting), timestamping };
}

async function loadSigners(
  options: TrustOptions,
  stateless: boolean,
  waiting: SourceOptions,
): Promise<TrustStore> {
  const { anchors = [], pins = [] } = options;
  if (stateless) return { anchors: await allAnchorsIn(anchors, waiting), pins: pins.map(parsePin) };
  const publishers = await loadPublishers(options.folders ?? [], waiting);
  return {
    anchors: publishers.flatMap(({ publisher, folder, anchors: certificates }) =>
      certificates.map((certificate) => ({ certificate, source: folder, publisher })),
    ),
    pins: [],
  };
}

/** The publishers of several trust folders, by name; a name in an earlier folder hides it in a later one. [pub.1] */
export async function loadPublishers(
  folders: readonly string[],
  waiting: SourceOptions = sourceOptions({}),
): Promise<readonly LoadedPublisher[]> {
  const loaded = new Map<string, LoadedPublisher>();
  for (const folder of folders) {
    for (const files of await readTrustFolder(folder, waiting)) {
      if (!loaded.has(files.name)) loaded.set(files.name, await loadPublisher(files));
    }
  }
  return [...loaded.values()].sort((a, b) => (a.publisher.name < b.publisher.name ? -1 : 1));
}

/** The CA certificates of the timestamp authorities in the trust folders. [tst.2] @throws {BundleError} `CONFIG_INVALID`, `FILE_*` */
export async function loadTimestampAuthorities(
  folders: readonly string[],
  waiting: SourceOptions,
): Promise<readonly Anchor[]> {
  const anchors: Anchor[] = [];
  for (const folder of folders) {
    for (const { file, text } of await readTimestampAuthorities(folder, waiting)) {
      anchors.push(...parseCertificates(text, file).map((certificate) => ({ certificate, source: file })));
    }
  }
  return anchors;
}

async function loadPublisher(files: PublisherFiles): Promise<LoadedPublisher> {
  const { name, folder, settings, certificates } = files;
  if (!settings) {
    throw new BundleError('CONFIG_INVALID', `the publisher "${name}" has no publisher.toml`, {
      where: { file: folder },
      fix: `remove the folder, and add the publisher again: bulla trust add ${name} ca.pem`,
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
  return {
    publisher,
    folder,
    anchors: certificates.flatMap(({ file, text }) => parseCertificates(text, file)),
  };
}

/** [pub.19] Looked at before anything is read: what comes from a pipe comes once. */
function expectApart(anchors: readonly string[], judged: readonly string[]): void {
  for (const file of anchors.flatMap(someCertificateFilesIn)) {
    if (!judged.some((one) => isSameFile(one, file))) continue;
    throw new BundleError('USAGE', 'this is the very file that is to be verified', {
      where: { file },
      why: 'nothing vouches for itself: whoever made it would choose whom you trust',
      fix: 'name the certificate of a CA or signer that you have from elsewhere',
    });
  }
}

async function allAnchorsIn(paths: readonly string[], waiting: SourceOptions): Promise<readonly Anchor[]> {
  const anchors: Anchor[] = [];
  for (const file of paths.flatMap(someCertificateFilesIn)) {
    const certificates = parseCertificates(await readText(file, waiting), file);
    anchors.push(...certificates.map((certificate) => ({ certificate, source: file })));
  }
  return anchors;
}

/**
 * The certificates in a PEM file of the user's; text between the blocks is allowed here, since people keep notes there.
 *
 * @throws {BundleError} `CONFIG_INVALID` when there is none, or one is damaged: the fault is not the bundle's
 */
export function parseCertificates(pem: string, file: string): readonly Certificate[] {
  const { blocks, fault } = splitPem(expectPemText(pem, file));
  const invalid = (message: string, line?: number, cause?: unknown): BundleError =>
    new BundleError('CONFIG_INVALID', message, {
      where: { file, ...(line === undefined ? {} : { line }) },
      why: 'a certificate is needed here, whole and in PEM',
      fix: 'give a file with -----BEGIN CERTIFICATE----- in it; from DER: openssl x509 -inform DER -in CERT -out CERT.pem',
      cause,
    });
  if (fault) throw invalid(fault.message, fault.line);
  const found = blocks.filter((block) => block.label === 'CERTIFICATE');
  if (found.length === 0) throw invalid('the file holds no PEM certificate');
  if (found.length > MAX_CERTIFICATES)
    throw invalid(`the file holds more than ${MAX_CERTIFICATES} certificates`);
  return found.map((block) => {
    try {
      return parseCertificate(block.bytes);
    } catch (error) {
      throw invalid(toBundleError(error).message, block.line, error);
    }
  });
}

/** The text of a file in which PEM blocks may be looked for. @throws {BundleError} `CONFIG_INVALID` [pub.19] */
export function expectPemText(text: string, file: string): string {
  const odd = notPemText(text);
  if (odd === undefined) return text;
  throw new BundleError('CONFIG_INVALID', odd.message, {
    where: { file },
    why: odd.why,
    fix: 'give the certificate as you have it from its owner: a text file with -----BEGIN CERTIFICATE----- in it',
  });
}

function parsePin(pin: string): string {
  const hex = /^sha256:([0-9A-Fa-f]{64})$/.exec(pin.replaceAll(/[\s]/g, ''))?.[1];
  if (hex) return hex.toLowerCase();
  throw new BundleError('USAGE', `"${pin}" is no pin`, {
    fix: 'give sha256: and 64 hex digits; bulla verify prints those of the signer as "key"',
  });
}
