import { equalBytes } from '../../kit/bytes.ts';
import type { DigestName } from '../../kit/digest-name.ts';
import { counted, decodeUtf8, encodeUtf8, formatHex, parseHex, printable } from '../../kit/encoding.ts';
import { SIGNED_ANEW } from '../../kit/errors/bundle-errors.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../../kit/limits.ts';
import { formatPem, type PemParts, splitPem } from '../pem.ts';
import { asUtf8, wideEncoding } from '../wide-text.ts';
import { parseSignatureName } from './digest-name.ts';
import { oddCertificateFile, strayBlockFix } from './odd-certificate-line.ts';
import { inCapitals } from './odd-manifest-line.ts';

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
  const wide = wideEncoding(bytes);
  if (wide) {
    const fix = `ask the publisher for it in UTF-8: ${asUtf8(wide)}; what it signs stays as it is`;
    throw syntax(`the certificate file is ${wide} text`, { fix }); // [cert.12]
  }
  if (isDer(bytes)) {
    const fix = 'ask the publisher for the signature line, and the certificates as PEM below it';
    throw syntax('the certificate file is DER: a certificate or a signature alone, without signature line', {
      fix,
    });
  }
  const text = decodeUtf8(bytes);
  if (text === undefined || text.includes('\0')) throw syntax('the certificate file is not text');
  if (/^\uFEFF?[ \t\r\n]*$/.test(text)) throw syntax('the certificate file is empty: it holds no signature'); // [cert.2]

  const { blocks, outside, loose, fault } = splitPem(text.replace(/^\uFEFF/, '')); // [cert.7]
  if (fault) throw faultOfBlock(text, fault);
  const [first, second] = outside;
  if (!first) throw noSignatureLine(blocks.length); // [cert.2]

  // [cert.1]
  const match = SIGNATURE_LINE.exec(first.text.replace(/^[ \t]+/, ''));
  const [, word = '', manifestName = '', hex = ''] = match ?? [];
  if (second || !match) throw oddity(outside); // [cert.4]
  const algorithm = parseSignatureName(word);
  if (!algorithm) throw unsupported(word, first.line);
  const signature = parseHex(hex);
  // [cert.6]
  if (!signature) throw syntax('the signature has an odd number of hex digits', { line: first.line });

  const certificates: Uint8Array[] = [];
  let cms: Uint8Array | undefined;
  for (const block of blocks) {
    if (block.label === 'CERTIFICATE') certificates.push(block.bytes);
    else if (block.label !== 'CMS' && block.label !== 'PKCS7') {
      throw strayBlock(block.label, block.line);
    } else if (cms) {
      throw syntax('the certificate file has two CMS blocks', { line: block.line });
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

function syntax(
  message: string,
  details: { readonly line?: number; readonly fix?: string } = {},
): BundleError {
  const { line, fix } = details;
  return new BundleError('CERTIFICATE_FILE_SYNTAX', message, {
    ...(line !== undefined && { where: { line } }),
    ...(fix !== undefined && { fix, own: SIGNED_ANEW }),
  });
}

function unsupported(word: string, line: number): BundleError {
  const name = inCapitals(word.replace(/^(?:RSA|EC|ECDSA)-/i, ''));
  const message =
    name === undefined
      ? `the signature is made over the digest "${printable(word)}"`
      : `the signature line spells ${name} "${word}"`;
  return new BundleError('ALGORITHM_UNSUPPORTED', message, {
    where: { line },
    ...(name !== undefined && {
      fix: `ask the publisher to write ${name}, in capitals; what it signs stays as it is`,
    }),
  });
}

/** [cert.12] What stands outside of the blocks, named. */
function oddity(outside: PemParts['outside']): BundleError {
  const { message, ...details } = oddCertificateFile(outside);
  return syntax(message, details);
}

/** A block that is not as it should be, or of a kind that is not base64 alone. */
function faultOfBlock(text: string, { message, line }: NonNullable<PemParts['fault']>): BundleError {
  const label = /^-----BEGIN (PGP [A-Z ]+|[A-Z ]*PRIVATE KEY)-----/m.exec(text)?.[1];
  return label === undefined ? syntax(message, { line }) : strayBlock(label, line);
}

/** [cert.5] */
function strayBlock(label: string, line: number): BundleError {
  const fix = strayBlockFix(label);
  return syntax(`a ${label} block does not belong into a certificate file`, {
    line,
    ...(fix !== undefined && { fix }),
  });
}

function noSignatureLine(blocks: number): BundleError {
  const message = 'the certificate file has no signature line';
  if (blocks === 0) return syntax(message);
  return syntax(`${message}, only PEM blocks`, {
    fix: 'ask the publisher to sign the manifest; if it is a certificate that belongs to something else, it must not be named as the manifest',
  });
}

/** One SEQUENCE with its length in the long form, such as a certificate or a CMS signature is. */
function isDer(bytes: Uint8Array): boolean {
  return bytes[0] === 0x30 && (bytes[1] === 0x82 || bytes[1] === 0x83);
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
