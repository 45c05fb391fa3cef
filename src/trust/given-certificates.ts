import { type Certificate, parseCertificate } from '../crypto/certificate.ts';
import { splitPem } from '../formats/pem.ts';
import { notPemText } from '../formats/pem-text.ts';
import { decodeUtf8 } from '../kit/encoding.ts';
import { BundleError, toBundleError } from '../kit/errors/errors.ts';
import type { NamedBytes } from '../kit/given-bytes.ts';

/** In one file: a whole trust store has some hundred. */
const MAX_CERTIFICATES = 1024;

/**
 * The certificates that somebody gives as trusted: one in DER, or any number in PEM.
 *
 * @throws {BundleError} `CONFIG_INVALID` when there is none, or one is damaged: the fault is not the bundle's
 */
export function certificatesIn({ name, bytes }: NamedBytes): readonly Certificate[] {
  if (isDer(bytes)) return [parseDer(bytes, name)];
  const text = decodeUtf8(bytes);
  if (text === undefined) throw invalidDer('this is neither text nor a certificate in DER', name);
  return parseCertificates(text, name);
}

function parseDer(bytes: Uint8Array, name: string): Certificate {
  try {
    return parseCertificate(bytes);
  } catch (error) {
    throw invalidDer(toBundleError(error).message, name, error);
  }
}

function invalidDer(message: string, name: string, cause?: unknown): BundleError {
  return new BundleError('CONFIG_INVALID', message, {
    where: { file: name },
    why: 'a certificate is needed here, whole, in PEM or DER',
    fix: 'give the certificate as you have it from its owner',
    cause,
  });
}

/** A SEQUENCE of 128 bytes or more: no text in UTF-8 begins so, and no certificate otherwise. */
function isDer([tag, length = 0]: Uint8Array): boolean {
  return tag === 0x30 && length > 0x80 && length < 0x88;
}

/**
 * The certificates in a PEM file of the user's; text between the blocks is allowed here, since people keep notes there.
 *
 * @throws {BundleError} `CONFIG_INVALID` when there is none, or one is damaged: the fault is not the bundle's
 */
export function parseCertificates(pem: string, file: string): readonly Certificate[] {
  const { blocks, fault } = splitPem(expectPemText(pem, file));
  if (fault) throw invalid(fault.message, file, fault.line);
  const found = blocks.filter((block) => block.label === 'CERTIFICATE');
  if (found.length === 0) throw invalid('the file holds no PEM certificate', file);
  if (found.length > MAX_CERTIFICATES)
    throw invalid(`the file holds more than ${MAX_CERTIFICATES} certificates`, file);
  return found.map((block) => {
    try {
      return parseCertificate(block.bytes);
    } catch (error) {
      throw invalid(toBundleError(error).message, file, block.line, error);
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

function invalid(message: string, file: string, line?: number, cause?: unknown): BundleError {
  return new BundleError('CONFIG_INVALID', message, {
    where: { file, ...(line !== undefined && { line }) },
    why: 'a certificate is needed here, whole and in PEM',
    fix: 'give a file with -----BEGIN CERTIFICATE----- in it; from DER: openssl x509 -inform DER -in CERT -out CERT.pem',
    cause,
  });
}
