import { printable } from '../../kit/encoding.ts';
import { isBase64, type OddLine, oddValue, seenPart } from './odd-value.ts';

const EACH_LINE = 'ask the publisher to write each line as SHA256(name)= hex, as openssl dgst -sha256 does,';
const AGAIN = 'and to sign the manifest again';

/** What a checksum program is called by the hex digits that it writes. */
const SUM_PROGRAMS: ReadonlyMap<number, string> = new Map([
  [32, 'md5sum'],
  [40, 'sha1sum'],
  [56, 'sha224sum'],
  [64, 'sha256sum'],
  [96, 'sha384sum'],
  [128, 'sha512sum'],
]);

/** Lines that are known by how they begin. */
const KINDS: readonly (readonly [RegExp, string])[] = [
  [/^-----BEGIN PGP/, 'is of an OpenPGP signature, which belongs into a file of its own'],
  [/^-----BEGIN /, 'is PEM, which belongs into the certificate file'],
  [/^Manifest-Version:/, 'is of the manifest of a Java archive'],
  [/^<[!?A-Za-z]/, 'is XML or HTML'],
  [/^[[{"]/, 'is JSON, or quoted'],
  [/^(?:#|;|\/\/)/, 'is a comment, which a manifest has no place for'],
  [/^Algorithm\s+Hash\s+Path|^-{4,}\s+-{4,}/, 'is of the table that Get-FileHash of PowerShell shows'],
  [/^(?:CertUtil:|SHA\d+ hash of )/i, 'is what certutil of Windows shows'],
];

const HEAD = /^([^\s()]+)[ \t]*\((.+)\)[ \t]*([=:]*)[ \t]*(.*)$/;

/**
 * Names a line of a manifest that is refused for its form; `next` is the line behind it. Undefined where nothing can be told.
 * @see spec/ovf.md, clause mf.10
 */
export function oddManifestLine(line: string, next: string): OddLine | undefined {
  const text = seenPart(line);
  const kind = KINDS.find(([pattern]) => pattern.test(text));
  if (kind) return { is: kind[1], fix: `${EACH_LINE} ${AGAIN}` };
  const sum = /^\\?([0-9A-Fa-f]+)[ \t]+\*?\S/.exec(text)?.[1];
  const program = SUM_PROGRAMS.get(sum?.length ?? 0);
  if (program) return { is: `is as ${program} writes it`, fix: `${EACH_LINE} ${AGAIN}` };
  if (/^[0-9A-Fa-f]+$/.test(text))
    return { is: 'is hex alone: a digest is in one line with its name', fix: oneLine() };

  const [, word = '', name, equals = '', value = ''] = HEAD.exec(text) ?? [];
  if (equals === '=') return oddDigest(value, next) ?? behind(value) ?? inFront(line) ?? oddWord(word);
  if (name !== undefined) {
    const found = equals === '' ? 'no "="' : `"${equals}", not "=",`;
    return { is: `has ${found} between name and digest`, fix: `${EACH_LINE} ${AGAIN}` };
  }
  if (/^SHA-?\d+[ \t:]/i.test(text))
    return { is: 'has no parentheses around the name', fix: `${EACH_LINE} ${AGAIN}` };
  return undefined;
}

/** Names a digest that is not hex, or whose hex is too short because it goes on in the next line. */
export function oddDigest(value: string, next: string, digits?: number): OddLine | undefined {
  const more = seenPart(next);
  if (
    /^[0-9A-Fa-f]*$/.test(value) &&
    /^[0-9A-Fa-f]+$/.test(more) &&
    (digits === undefined || value.length < digits)
  ) {
    return { is: 'has a digest that is wrapped: it goes on in the next line', fix: oneLine() };
  }
  const odd = oddValue(value);
  if (odd === 'nothing') return { is: 'has no digest', fix: `${EACH_LINE} ${AGAIN}` };
  if (odd !== undefined) return { is: `has a digest that is ${odd}, not plain hex`, fix: inHex() };
  return undefined;
}

function behind(value: string): OddLine | undefined {
  const [, digest = '', rest = ''] = /^(\S+)[ \t]+(\S.*)$/.exec(value) ?? [];
  const isDigest = /^[0-9A-Fa-f]{32,}$/.test(digest) || isBase64(digest);
  return isDigest && rest !== ''
    ? { is: 'has more text behind the digest', fix: `${EACH_LINE} ${AGAIN}` }
    : undefined;
}

function inFront(line: string): OddLine | undefined {
  return /^\s/.test(line) ? { is: 'begins with blanks', fix: `${EACH_LINE} ${AGAIN}` } : undefined;
}

function oddWord(word: string): OddLine | undefined {
  if (/^[A-Za-z0-9-]+$/.test(word)) return undefined;
  return {
    is: `names the digest "${printable(word.slice(0, 64))}", which is not known`,
    fix: `${EACH_LINE} ${AGAIN}`,
  };
}

function oneLine(): string {
  return `ask the publisher to write each digest in one line (as openssl dgst -sha256 does), ${AGAIN}`;
}

function inHex(): string {
  return `ask the publisher to write the digests as plain hex, ${AGAIN}`;
}

/** Names an algorithm that is refused; undefined where nothing but the name can be told. */
export function oddAlgorithm(word: string): OddLine | undefined {
  if (/^(?:RSA|EC|ECDSA|DSA)-/i.test(word)) {
    return {
      is: `is a signature ("${word}"), not a digest`,
      fix: 'ask the publisher for a manifest of digests alone (openssl dgst -sha256 FILE), with the signature in the certificate file',
    };
  }
  if (/^HMAC-/i.test(word)) {
    return { is: `has a digest with a secret key ("${word}")`, fix: `${EACH_LINE} ${AGAIN}` };
  }
  const name = inCapitals(word);
  if (name === undefined) return undefined;
  return { is: `spells ${name} "${word}"`, fix: `ask the publisher to write ${name}, in capitals, ${AGAIN}` };
}

/** The name that a word is when its small letters are not counted; undefined for any other word. */
export function inCapitals(word: string): string | undefined {
  const digits = /^sha(?:2?-)?(1|256|384|512)$/i.exec(word)?.[1];
  return digits === undefined || word === word.toUpperCase() ? undefined : `SHA${digits}`;
}
