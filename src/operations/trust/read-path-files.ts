import { type Certificate, parseCertificate } from '../../crypto/certificate.ts';
import { findCertificates } from '../../formats/credentials/find-certificates.ts';
import { nameKey } from '../../formats/x509/name.ts';
import { BundleError, toBundleError } from '../../kit/errors/errors.ts';
import type { NamedBytes } from '../../kit/given-bytes.ts';
import { DEFAULT_LIMITS } from '../../kit/limits.ts';
import { type SourceOptions, sourceOptions } from '../../kit/source.ts';
import { readSmallFile } from '../../storage/trust/small-files.ts';
import { openBudget } from '../../trust/path/budget.ts';
import { isSelfIssued } from '../../trust/path/certificate-rules.ts';
import type { RevocationEvidence } from '../../trust/revocation/evidence.ts';
import { loadEvidence } from '../verify/load-evidence.ts';
import { certificateFilesOf } from '../verify/load-trust.ts';

/** More than any honest chain has; a folder of anchors may hold a whole trust store. */
const MAX_CERTIFICATES = 1024;

/** Files, or their bytes; folders of anchors count for the certificates in them. */
interface Files {
  readonly untrusted?: readonly (string | NamedBytes)[];
  readonly anchors: readonly (string | NamedBytes)[];
  readonly crls?: readonly (string | NamedBytes)[];
  readonly ocsps?: readonly (string | NamedBytes)[];
  readonly signal?: AbortSignal;
}

/** What a path is looked for in. */
export interface PathFiles {
  readonly leaf: Certificate;
  readonly untrusted: readonly Certificate[];
  readonly anchors: readonly Certificate[];
  readonly evidence: RevocationEvidence;
  /** what is wrong with certificates that only might have led to an anchor */
  readonly unusable: readonly BundleError[];
}

/**
 * Reads the certificates and the revocation information that a path is looked for in, each once.
 *
 * @throws {BundleError} `FILE_*`, `USAGE`; `CERTIFICATE_MALFORMED` of the leaf or an anchor, `REVOCATION_MALFORMED`
 */
export async function readPathFiles(from: string | NamedBytes, options: Files): Promise<PathFiles> {
  const waiting = sourceOptions(options); // [cli.21]
  const [first, ...behind] = await blocksIn([from], waiting);
  if (!first) throw malformed(typeof from === 'string' ? from : from.name);
  const own = parseBlock(first);
  const anchors = (await blocksIn(options.anchors.flatMap(certificateFilesOf), waiting)).map(parseBlock);
  const named = await blocksIn(options.untrusted ?? [], waiting);
  expectFew(behind.length + named.length + anchors.length);
  const unusable: BundleError[] = [];
  // [path.24] one that cannot be read is no way, and must not hide another
  const readable = (blocks: readonly Block[]): readonly Certificate[] =>
    blocks.flatMap((block) => {
      try {
        return [parseBlock(block)];
      } catch (error) {
        unusable.push(toBundleError(error));
        return [];
      }
    });
  const together = [own, ...readable(behind)];
  const leaf = leafAmong(together) ?? own;
  const untrusted = [...together.filter((one) => one !== leaf), ...readable(named)];
  return { leaf, untrusted, anchors, evidence: await loadEvidence(options, waiting), unusable };
}

/** [path.24] The first that has issued no other, as far as few signatures show it: what exports a whole chain writes it in any order. */
export function leafAmong(certificates: readonly Certificate[]): Certificate | undefined {
  const { isSigned } = openBudget();
  const issuers = new Map(certificates.map((one) => [nameKey(one.fields.subject), [] as Certificate[]]));
  for (const one of certificates) issuers.get(nameKey(one.fields.subject))?.push(one);
  const haveIssued = new Set(
    certificates
      .filter((one) => !isSelfIssued(one))
      .flatMap((one) => {
        const namesakes = issuers.get(nameKey(one.fields.issuer)) ?? [];
        return namesakes.filter((issuer) => isSigned(one, issuer) === true);
      }),
  );
  return certificates.find((one) => !haveIssued.has(one));
}

function expectFew(count: number): void {
  if (count <= MAX_CERTIFICATES) return;
  throw new BundleError('USAGE', `${count} certificates are more than are looked at`, {
    fix: `give at most ${MAX_CERTIFICATES}`,
  });
}

/** A certificate in DER, unread, and its file. */
interface Block {
  readonly bytes: Uint8Array;
  readonly file: string;
}

async function blocksIn(
  given: readonly (string | NamedBytes)[],
  waiting: SourceOptions,
): Promise<readonly Block[]> {
  const blocks: Block[] = [];
  for (const one of given) {
    if (typeof one === 'string')
      blocks.push(
        ...blocksOf({ name: one, bytes: await readSmallFile(one, waiting, DEFAULT_LIMITS.evidenceBytes) }),
      );
    else blocks.push(...blocksOf(one));
  }
  return blocks;
}

/** The certificates in a file of any form. @throws {BundleError} `CERTIFICATE_MALFORMED` when there is none, `USAGE` [pub.19] [pub.21] */
function blocksOf(given: NamedBytes): readonly Block[] {
  const file = given.name;
  const found = findCertificates(given);
  if (found.kind === 'none') throw malformed(file, found);
  expectFew(found.blocks.length); // before each is read: that takes a millisecond
  return found.blocks.map(({ bytes }) => ({ bytes, file }));
}

/** Unlike in a trust folder with the verdict of a bundle's when it is malformed. */
function parseBlock({ bytes, file }: Block): Certificate {
  try {
    return parseCertificate(bytes);
  } catch (error) {
    throw toBundleError(error).at({ file });
  }
}

function malformed(
  file: string,
  {
    message = 'the file holds no certificate',
    why,
    fix,
  }: { message?: string; why?: string; fix?: string } = {},
): BundleError {
  return new BundleError('CERTIFICATE_MALFORMED', message, {
    where: { file },
    why: why ?? 'a certificate is needed here, whole: in PEM (-----BEGIN CERTIFICATE-----), DER or PKCS#7',
    fix: fix ?? 'give the certificate as you have it from its owner',
  });
}
