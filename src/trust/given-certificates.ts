import { type Certificate, parseCertificate } from '../crypto/certificate.ts';
import { type CertificateBlock, findCertificates } from '../formats/credentials/find-certificates.ts';
import { BundleError, toBundleError } from '../kit/errors/errors.ts';
import type { NamedBytes } from '../kit/given-bytes.ts';

/** In one file: a whole trust store has some hundred. */
const MAX_CERTIFICATES = 1024;

/**
 * The certificates in what the user gives, each of them meant: one in DER, or any number in PKCS#7 or PEM. Text between the blocks of PEM is
 * allowed here, since people keep notes there. [pub.21]
 *
 * @throws {BundleError} `CONFIG_INVALID` when there is none, or one is damaged: the fault is not the bundle's
 */
export function certificatesIn(given: NamedBytes): readonly Certificate[] {
  const file = given.name;
  return certificateBlocksIn(given).map(({ bytes, line }) => {
    try {
      return parseCertificate(bytes);
    } catch (error) {
      throw invalid(
        { message: toBundleError(error).message, ...(line !== undefined && { line }) },
        file,
        error,
      );
    }
  });
}

/** The same, unread. @throws {BundleError} `CONFIG_INVALID` */
export function certificateBlocksIn(given: NamedBytes): readonly CertificateBlock[] {
  const found = findCertificates(given);
  if (found.kind === 'none') throw invalid(found, given.name);
  if (found.blocks.length <= MAX_CERTIFICATES) return found.blocks;
  throw invalid({ message: `the file holds more than ${MAX_CERTIFICATES} certificates` }, given.name);
}

interface Problem {
  readonly message: string;
  readonly why?: string;
  readonly fix?: string;
  readonly line?: number;
}

function invalid({ message, line, why, fix }: Problem, file: string, cause?: unknown): BundleError {
  return new BundleError('CONFIG_INVALID', message, {
    where: { file, ...(line !== undefined && { line }) },
    why: why ?? 'a certificate is needed here, whole: in PEM (-----BEGIN CERTIFICATE-----), DER or PKCS#7',
    fix: fix ?? 'give the certificate as you have it from its owner',
    cause,
  });
}
