import type { Certificate } from '../../crypto/certificate.ts';
import { formatPem } from '../../formats/pem.ts';
import { BundleError, toBundleError } from '../../kit/errors/errors.ts';
import { type SourceOptions, sourceOptions } from '../../kit/source.ts';
import { formatPublisher, parsePublisher } from '../../storage/trust/publisher-file.ts';
import { readNamed } from '../../storage/trust/small-files.ts';
import { addTrusted, removeTrusted } from '../../storage/trust/trust-folder.ts';
import { expectFingerprints, type Fingerprinted } from '../../trust/fingerprint.ts';
import { certificatesIn } from '../../trust/given-certificates.ts';
import { showTime } from '../../trust/path/certificate-rules.ts';
import type { Publisher, RequiredKind, RevocationMode, TimestampMode } from '../../trust/publisher.ts';
import type { CertificateReport } from '../../verdict/report/report.ts';
import { certificateReport } from '../../verdict/signers/signature-report.ts';
import { authoritiesIn, type LoadedPublisher, loadPublishers } from '../verify/load-trust.ts';

/** A publisher as it is shown to people and in JSON. */
export interface PublisherReport {
  readonly name: string;
  readonly folder: string;
  readonly scopes: readonly string[];
  readonly subjects: readonly string[];
  readonly threshold: number;
  readonly from?: string;
  readonly until?: string;
  readonly revocation?: RevocationMode;
  readonly timestamp?: TimestampMode;
  readonly require?: readonly RequiredKind[];
  readonly anchors: readonly TrustedCertificateReport[];
}

/** A certificate that is trusted, and what of it was compared when it was added: all of it, or its key. [pub.23] */
export interface TrustedCertificateReport extends CertificateReport {
  readonly matched?: 'certificate' | 'key';
}

/** A timestamp authority as it is shown: its certificates, and the file each is in. */
export interface TimestampAuthorityReport {
  readonly file: string;
  readonly certificate: TrustedCertificateReport;
}

/** What a publisher is trusted for when it is added; what is left out is not limited. */
export interface AddPublisherOptions {
  readonly scopes?: readonly string[];
  readonly subjects?: readonly string[];
  readonly from?: Date;
  readonly until?: Date;
  /** what its owner says that the SHA-256 fingerprints are, of certificates or keys: one for each certificate */
  readonly fingerprints?: readonly string[];
  /** now */
  readonly at?: Date;
  readonly signal?: AbortSignal;
}

/**
 * Trusts a publisher from now on: writes its settings and anchors into the trust folder `folder`.
 *
 * @throws {BundleError} `DESTINATION_EXISTS`, `CONFIG_INVALID`, `FILE_*`, `STORAGE_*`, `USAGE`
 */
export async function trustAdd(
  folder: string,
  name: string,
  certificateFiles: readonly string[],
  options: AddPublisherOptions = {},
): Promise<PublisherReport> {
  const anchors = await anchorsIn(name, certificateFiles, sourceOptions(options));
  const matched = compared(anchors, options);
  const publisher: Publisher = {
    name,
    scopes: options.scopes?.length ? options.scopes : ['*'],
    subjects: options.subjects ?? [],
    threshold: 1,
    ...(options.from !== undefined && { from: options.from }),
    ...(options.until !== undefined && { until: options.until }),
  };
  const settings = formatPublisher(publisher);
  await expectReadable(settings);
  expectYetToCome(publisher, options.at ?? new Date());
  const added = await addTrusted('publisher', folder, name, [
    { name: 'publisher.toml', text: settings },
    ...anchors.map(anchorFile),
  ]);
  return publisherReport({ publisher, folder: added, anchors }, matched);
}

/**
 * Believes the timestamps of an authority from now on: writes its CA certificates into the trust folder `folder`. [tst.2]
 *
 * @throws {BundleError} `DESTINATION_EXISTS`, `CONFIG_INVALID`, `FILE_*`, `STORAGE_*`, `USAGE`
 */
export async function trustAddTimestamping(
  folder: string,
  name: string,
  certificateFiles: readonly string[],
  options: Pick<AddPublisherOptions, 'fingerprints' | 'signal'> = {},
): Promise<readonly TimestampAuthorityReport[]> {
  const anchors = await anchorsIn(name, certificateFiles, sourceOptions(options));
  const matched = compared(anchors, options);
  const added = await addTrusted('timestamp authority', folder, name, anchors.map(anchorFile));
  return anchors.map((anchor) => ({
    file: `${added}/${anchorFile(anchor).name}`,
    certificate: trustedReport(anchor, matched),
  }));
}

/** What of each certificate its owner's fingerprints are of; nothing where none is given. [pub.23] */
function compared(
  anchors: readonly Certificate[],
  { fingerprints = [] }: Pick<AddPublisherOptions, 'fingerprints'>,
): ReadonlyMap<string, Fingerprinted> {
  return fingerprints.length > 0 ? expectFingerprints(anchors, fingerprints) : NOT_COMPARED;
}

const NOT_COMPARED: ReadonlyMap<string, Fingerprinted> = new Map();

async function anchorsIn(
  name: string,
  files: readonly string[],
  waiting: SourceOptions,
): Promise<readonly Certificate[]> {
  const all: Certificate[] = [];
  for (const file of files) all.push(...certificatesIn(await readNamed(file, waiting)));
  const anchors = distinct(all);
  if (anchors.length > 0) return anchors;
  throw new BundleError('USAGE', 'no certificate is given', {
    why: 'whoever has none could not sign anything',
    fix: { text: 'name the CA certificate', advice: 'add-publisher', of: name },
  });
}

function anchorFile(anchor: Certificate): { readonly name: string; readonly text: string } {
  return { name: `${anchor.fingerprint.slice(0, 16)}.pem`, text: formatPem('CERTIFICATE', anchor.raw) };
}

/** Each certificate once: two files may hold the same. */
function distinct(certificates: readonly Certificate[]): readonly Certificate[] {
  return [...new Map(certificates.map((certificate) => [certificate.fingerprint, certificate])).values()];
}

/** [pub.18] Whoever's time is over could never be believed. */
function expectYetToCome({ name, until }: Publisher, at: Date): void {
  if (!until || until >= at) return;
  throw new BundleError('USAGE', `"${name}" would be trusted until ${showTime(until)}, which is over`, {
    why: `every bundle of this publisher would be refused at ${showTime(at)} and later`,
    fix: {
      text: 'give an end that is to come, or leave it out; if the clock of this machine is wrong, say what time it is',
      advice: 'trust-until-later',
    },
  });
}

/** Refuses what could not be read back. */
async function expectReadable(settings: string): Promise<void> {
  try {
    await parsePublisher(settings, 'publisher.toml');
  } catch (error) {
    const { code, message, cause } = toBundleError(error);
    throw new BundleError(code, `the publisher cannot be added: ${message}`, {
      fix: { text: 'correct the options', advice: 'correct-options' },
      cause,
    });
  }
}

/** The publishers of the trust folders, the first folder overruling the next. @throws {BundleError} `CONFIG_INVALID`, … */
export async function trustList(
  folders: readonly string[],
  options: Pick<AddPublisherOptions, 'signal'> = {},
): Promise<readonly PublisherReport[]> {
  return (await loadPublishers(folders, sourceOptions(options))).map((one) => publisherReport(one));
}

/** One publisher. @throws {BundleError} `FILE_NOT_FOUND` when nobody of that name is trusted */
export async function trustShow(
  folders: readonly string[],
  name: string,
  options: Pick<AddPublisherOptions, 'signal'> = {},
): Promise<PublisherReport> {
  const publishers = await loadPublishers(folders, sourceOptions(options));
  const found = publishers.find(({ publisher }) => publisher.name === name);
  if (found) return publisherReport(found);
  throw new BundleError('FILE_NOT_FOUND', `no publisher "${name}" is trusted`, {
    why: 'publishers go by the name they were added under',
    fix: { text: 'see who is trusted', advice: 'list-trusted' },
  });
}

/** The authorities whose timestamps count, of all trust folders. @throws {BundleError} `CONFIG_INVALID`, … */
export async function trustListTimestamping(
  folders: readonly string[],
  options: Pick<AddPublisherOptions, 'signal'> = {},
): Promise<readonly TimestampAuthorityReport[]> {
  const authorities = await authoritiesIn(folders, sourceOptions(options));
  return authorities.flatMap((one) =>
    certificatesIn(one).map((certificate) => ({
      file: one.name,
      certificate: certificateReport(certificate),
    })),
  );
}

/** Trusts a publisher, or a timestamp authority, no more. @throws {BundleError} `FILE_NOT_FOUND`, `STORAGE_FAILED` */
export async function trustRemove(folder: string, name: string, timestamping = false): Promise<string> {
  return removeTrusted(timestamping ? 'timestamp authority' : 'publisher', folder, name);
}

function publisherReport(
  { publisher, folder, anchors }: LoadedPublisher,
  matched = NOT_COMPARED,
): PublisherReport {
  const { name, scopes, subjects, threshold, from, until, revocation, timestamp, require } = publisher;
  return {
    name,
    folder,
    scopes,
    subjects,
    threshold,
    ...(from !== undefined && { from: from.toISOString() }),
    ...(until !== undefined && { until: until.toISOString() }),
    ...(revocation !== undefined && { revocation }),
    ...(timestamp !== undefined && { timestamp }),
    ...(require !== undefined && { require }),
    anchors: anchors.map((anchor) => trustedReport(anchor, matched)),
  };
}

function trustedReport(
  anchor: Certificate,
  matched: ReadonlyMap<string, Fingerprinted>,
): TrustedCertificateReport {
  const of = matched.get(anchor.fingerprint);
  return { ...certificateReport(anchor), ...(of !== undefined && { matched: of }) };
}
