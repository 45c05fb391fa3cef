import { isBase64, oddValue, seenPart } from './odd-value.ts';

/** What is wrong with a certificate file: the whole message, the 1-based line, and what to do. */
export interface OddCertificateFile {
  readonly message: string;
  readonly line?: number;
  readonly fix?: string;
}

interface Line {
  readonly text: string;
  readonly line: number;
}

const HEAD = /^([^\s()]+)[ \t]*\((.+)\)[ \t]*=[ \t]*(.*)$/;
const SAME = 'what it signs stays as it is';
const ONE_LINE = `ask the publisher to write the signature as hex in one line (xxd -p SIGNATURE | tr -d '\\n'); ${SAME}`;
const FROM_BASE64 = `ask the publisher to write it as hex (base64 -d | xxd -p | tr -d '\\n'); ${SAME}`;
const PLAIN_HEX = `ask the publisher to write it as hex digits and nothing else; ${SAME}`;
const BLOCKS_ALONE = `ask the publisher to leave it out (openssl x509 -in CERT writes the certificate alone); ${SAME}`;

/** Text around PEM blocks, by the programs that write it. */
const AROUND: readonly (readonly [RegExp, string])[] = [
  [
    /^(?:Bag|Key) Attributes|^(?:friendlyName|localKeyID|Microsoft [\w ]+):/i,
    'what openssl pkcs12 writes around a certificate',
  ],
  [
    /^(?:subject|issuer)\s*[=:]|^\d+ s:|^i:|^a:PKEY|^v:NotBefore/,
    'what openssl writes of a certificate for people',
  ],
  [
    /^(?:Certificate:|Data:|Version: \d|Serial Number:|Signature Algorithm:)/,
    'what openssl x509 -text writes for people',
  ],
  [/^(?:CertUtil:|Input Length|Output Length)/, 'what certutil of Windows writes'],
  [/^(?:#|;|\/\/)/, 'a comment, which a certificate file has no place for'],
  [/^(?:Version|Hash|Comment): /, 'of an OpenPGP signature, which belongs into a file of its own'],
];

/**
 * Names what stands in a certificate file outside of its blocks, when it is not one signature line in its form.
 * @see spec/ovf.md, clause cert.12
 */
export function oddCertificateFile(outside: readonly Line[]): OddCertificateFile {
  const lines = outside.map(({ text, line }) => ({ text: seenPart(text), line }));
  const at = lines.findIndex(({ text }) => HEAD.test(text));
  const signature = lines[at];
  const written = signature && continuedFrom(lines, at);
  if (signature && written && written.lines > 0) return wrapped(signature, written.value);
  const [stranger] = lines.filter((_, index) => index !== at);
  if (stranger) return odd(stranger, at >= 0);
  return oddSignature(signature ?? { text: '', line: 1 });
}

/** The value of a signature line with the lines right behind it that can only be more of it. */
function continuedFrom(
  lines: readonly Line[],
  at: number,
): { readonly value: string; readonly lines: number } {
  const [, , , first = ''] = HEAD.exec(lines[at]?.text ?? '') ?? [];
  const values = [first];
  for (let next = at + 1; next < lines.length; next++) {
    const { text = '', line = 0 } = lines[next] ?? {};
    if (line !== (lines[next - 1]?.line ?? 0) + 1 || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) break;
    values.push(text);
  }
  return { value: values.join(''), lines: values.length - 1 };
}

function wrapped({ line }: Line, value: string): OddCertificateFile {
  if (/^[0-9A-Fa-f]+$/.test(value)) {
    return { message: 'the signature is wrapped: its hex goes on in the next line', line, fix: ONE_LINE };
  }
  const is = isBase64(value) ? 'base64 over several lines, not hex' : 'text over several lines, not hex';
  return { message: `the signature is ${is}`, line, fix: FROM_BASE64 };
}

/** A line that is not the signature line, if there is one. */
function odd({ text, line }: Line, isSigned: boolean): OddCertificateFile {
  const kind = AROUND.find(([pattern]) => pattern.test(text));
  if (kind) return { message: `line ${line} is ${kind[1]}`, line, fix: BLOCKS_ALONE };
  if (HEAD.test(text)) {
    const fix = `ask the publisher for one signature in it; others go into a CMS block`;
    return { message: `line ${line} is a second signature line`, line, fix };
  }
  if (isSigned) return { message: `line ${line} is neither the signature nor a PEM block`, line };
  if (/^[0-9A-Fa-f]{32,}$/.test(text) || isBase64(text)) {
    const fix = `ask the publisher for the line ALGORITHM(name.mf)= hex; ${SAME}`;
    return { message: `line ${line} is a value without ALGORITHM(name.mf)= in front`, line, fix };
  }
  return { message: `line ${line} is not a signature line ALGORITHM(name.mf)= hex`, line };
}

/** The signature line itself, of which something is not as it should be. */
function oddSignature({ text, line }: Line): OddCertificateFile {
  const [, word = '', , value = ''] = HEAD.exec(text) ?? [];
  const is = oddValue(value);
  if (is === 'nothing') return { message: 'there is no signature in the signature line', line };
  if (is === 'base64') return { message: 'the signature is base64, not hex', line, fix: FROM_BASE64 };
  if (is !== undefined) return { message: `the signature is ${is}, not plain hex`, line, fix: PLAIN_HEX };
  if (/^[0-9A-Fa-f]+$/.test(value) && !/^[A-Za-z0-9-]+$/.test(word)) {
    return { message: `the signature line names a digest that is not known`, line };
  }
  return { message: `line ${line} is not a signature line ALGORITHM(name.mf)= hex`, line };
}

/** What to do about a block that does not belong into a certificate file, by its label. */
export function strayBlockFix(label: string): string | undefined {
  if (label.endsWith('PRIVATE KEY')) {
    return 'whoever has this file has the key: the publisher has to revoke its certificate, and to sign with another';
  }
  if (label === 'TRUSTED CERTIFICATE' || label === 'X509 CERTIFICATE') {
    return `ask the publisher to write it as CERTIFICATE (openssl x509 -in CERT); ${SAME}`;
  }
  if (label.startsWith('PGP ')) return 'ask the publisher to keep the OpenPGP signature in a file of its own';
  if (label.endsWith('CERTIFICATE REQUEST'))
    return 'ask the publisher for the certificate that the request was answered with';
  if (label === 'X509 CRL')
    return 'ask the publisher to put the revocation list beside it, as a file of its own';
  return undefined;
}
