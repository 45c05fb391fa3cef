import { equalBytes } from '../../kit/bytes.ts';
import type { DigestName } from '../../kit/digest-name.ts';
import { counted, decodeUtf8, encodeUtf8, formatHex, parseHex, printable } from '../../kit/encoding.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../../kit/limits.ts';
import { formatPem, splitPem } from '../pem.ts';
import { parseDigestName } from './digest-name.ts';

/** A certificate file (`.cert`): the signature of the manifest and the certificates that came with it, all unjudged. */
export interface CertificateFile {
  /** the digest the signature was made over; it need not be the manifest's own */
  readonly algorithm: DigestName;
  /** the file name the signature line gives: the manifest's */
  readonly manifestName: string;
  readonly signature: Uint8Array;
  /** 1-based line of the signature */
  readonly line: number;
  /** DER of each CERTIFICATE block, in file order; the standard has the signer's first */
  readonly certificates: readonly Uint8Array[];
  /** DER of the CMS or PKCS7 block that VirtualBox adds; kept, not judged */
  readonly cms?: Uint8Array;
  /** bytes around and between all that, which could be others: blanks, line ends, the case of hex digits */
  readonly loose: number;
  readonly notes: readonly string[];
}

const SIGNATURE_LINE = /^([A-Za-z0-9-]+)[ \t]*\((.+)\)[ \t]*=[ \t]*([0-9A-Fa-f]+)$/;

/**
 * Parses an OVF certificate file: one line `SHA256(name.mf)= hex of the signature`, then PEM certificates.
 *
 * Blocks may come in any order; ovftool's filling with blanks is read; any other text is refused, since whoever
 * skips text reads another file than the one who does not. Whether the signature is good, and which certificate
 * made it, is decided in `verdict/bundle/judge-signature.ts`.
 *
 * @throws {BundleError} `CERTIFICATE_FILE_SYNTAX` or `ALGORITHM_UNSUPPORTED`, with the line
 * @see spec/ovf.md, clauses cert.1 to cert.8
 */
export function parseCertificateFile(bytes: Uint8Array, limits: Limits = DEFAULT_LIMITS): CertificateFile {
  const text = decodeUtf8(bytes);
  if (text === undefined || text.includes('\0')) throw syntax('the certificate file is not text');
  if (/^\uFEFF?[ \t\r\n]*$/.test(text)) throw syntax('the certificate file is empty: it holds no signature'); // [cert.2]

  const { blocks, outside, loose, fault } = splitPem(text.replace(/^\uFEFF/, '')); // [cert.7]
  if (fault) throw syntax(fault.message, fault.line);
  const [first, second] = outside;
  if (!first) throw syntax('the certificate file has no signature line'); // [cert.2]
  if (second) throw syntax(`line ${second.line} is neither the signature nor a PEM block`, second.line); // [cert.4]

  // [cert.1]
  const match = SIGNATURE_LINE.exec(first.text.replace(/^[ \t]+/, ''));
  const [, word = '', manifestName = '', hex = ''] = match ?? [];
  if (!match) {
    throw syntax(`line ${first.line} is not a signature line ALGORITHM(name.mf)= hex`, first.line);
  }
  const algorithm = parseDigestName(word);
  if (!algorithm) {
    throw new BundleError(
      'ALGORITHM_UNSUPPORTED',
      `the signature is made over the digest "${printable(word)}"`,
      {
        where: { line: first.line },
      },
    );
  }
  const signature = parseHex(hex);
  // [cert.6]
  if (!signature) throw syntax('the signature has an odd number of hex digits', first.line);

  const certificates: Uint8Array[] = [];
  let cms: Uint8Array | undefined;
  for (const block of blocks) {
    if (block.label === 'CERTIFICATE') certificates.push(block.bytes);
    else if (block.label !== 'CMS' && block.label !== 'PKCS7') {
      throw syntax(`a ${block.label} block does not belong into a certificate file`, block.line); // [cert.5]
    } else if (cms) {
      throw syntax('the certificate file has two CMS blocks', block.line);
    } else {
      cms = block.bytes;
    }
  }
  if (certificates.length === 0) throw syntax('the certificate file holds no certificate'); // [cert.3]
  if (certificates.length > limits.certificates) {
    throw syntax(
      `the certificate file holds ${counted(certificates.length, 'certificate')}, over the limit of ${limits.certificates}`,
    );
  }
  return {
    algorithm: algorithm.name,
    manifestName,
    signature,
    line: first.line,
    certificates,
    ...(cms !== undefined && { cms }),
    loose: loose + looseInLine(first.text, match),
    notes: algorithm.note ? [algorithm.note] : [],
  };
}

/** Bytes of the signature line that could be others: blanks, and the case of its digits where that is not one. */
function looseInLine(line: string, [, word = '', name = '', hex = '']: readonly string[]): number {
  const mixed = /[A-F]/.test(hex) && /[a-f]/.test(hex);
  return (
    Math.max(0, line.length - `${word}(${name})= ${hex}`.length) + (mixed ? Math.ceil(hex.length / 8) : 0)
  );
}

function syntax(message: string, line?: number): BundleError {
  return new BundleError('CERTIFICATE_FILE_SYNTAX', message, line === undefined ? {} : { where: { line } });
}

/** Whether the bytes are a certificate file as `formatCertificateFile` writes what is in it. [cert.11] */
export function isCanonical(bytes: Uint8Array, file: CertificateFile): boolean {
  return equalBytes(bytes, formatCertificateFile(file));
}

/**
 * The bytes of a certificate file: signature line, the signer's certificate, then the intermediates or a CMS signature.
 *
 * The inverse of `parseCertificateFile`; certificates are DER, the signer's first, as every reader expects.
 *
 * @throws {BundleError} `CERTIFICATE_FILE_SYNTAX` for what could not be read again: no certificate, or too many
 */
export function formatCertificateFile(
  file: Pick<CertificateFile, 'algorithm' | 'manifestName' | 'signature' | 'certificates' | 'cms'>,
): Uint8Array {
  const line = `${file.algorithm.toUpperCase()}(${file.manifestName})= ${formatHex(file.signature)}\n`;
  const certificates = file.certificates.map((der) => formatPem('CERTIFICATE', der)).join('');
  const cms = file.cms ? formatPem('CMS', file.cms) : '';
  const bytes = encodeUtf8(line + certificates + cms);
  const read = parseCertificateFile(bytes); // [cert.8]
  if (read.manifestName !== file.manifestName) throw syntax('the certificate file would be read otherwise');
  return bytes;
}
