import type { DigestName } from '../kit/digest-name.ts';
import { decodeUtf8, encodeUtf8, formatHex, parseHex } from '../kit/encoding.ts';
import { BundleError, toBundleError } from '../kit/errors/errors.ts';
import { formatJson, parseJson } from '../kit/json.ts';
import { DEFAULT_LIMITS } from '../kit/limits.ts';
import { flag, list, needed, path, type Rows, type Rule, refuse, shape, text } from '../kit/shape.ts';
import { memberNameFault } from './member-name.ts';

/** What is signed, and how: the same in a request and in the response to it. */
interface Asked {
  /** what the bundle is called, for people */
  readonly bundle: string;
  /** the file name of the manifest */
  readonly manifest: string;
  /** the digest that is signed, and what it is of the manifest */
  readonly digest: ManifestDigest;
  /** whether a CMS signature is added; when left out, it is when there are intermediates */
  readonly cms?: boolean;
  /** SHA-256 of the certificate of whoever is to sign, hex; anybody when left out */
  readonly signer?: string;
}

/** The digest of a manifest. */
interface ManifestDigest {
  readonly algorithm: Exclude<DigestName, 'sha1'>;
  readonly value: Uint8Array;
}

/** What is to be signed where the key is. [room.1] */
export interface RequestDocument extends Asked {
  /** what whoever asks says of the bundle; no signature covers it */
  readonly about: readonly string[];
  /** the bytes of the manifest */
  readonly content: Uint8Array;
}

/** What was signed. [room.4] */
export interface ResponseDocument extends Asked {
  /** the bytes of the certificate file */
  readonly certificateFile: Uint8Array;
}

const REQUEST = 'bulla.signing-request/1';
const RESPONSE = 'bulla.signing-response/1';

/** The name of a digest, a colon, and its value in hex. */
export function formatDigest({ algorithm, value }: ManifestDigest): string {
  return `${algorithm}:${formatHex(value)}`;
}

/** The bytes of a request. @throws {BundleError} `USAGE` for a manifest that is not UTF-8 [room.1] */
export function formatRequest({ content, about, ...asked }: RequestDocument): Uint8Array {
  const rest = { about, text: textIn(content, asked.manifest) };
  return encodeUtf8(`${formatJson({ type: REQUEST, ...formatAsked(asked), ...rest })}\n`);
}

/** The bytes of a response. [room.4] */
export function formatResponse({ certificateFile, ...asked }: ResponseDocument): Uint8Array {
  const rest = { certificateFile: textIn(certificateFile, 'the certificate file') };
  return encodeUtf8(`${formatJson({ type: RESPONSE, ...formatAsked(asked), ...rest })}\n`);
}

function formatAsked({ bundle, manifest, digest, cms, signer }: Asked): object {
  return {
    bundle,
    manifest,
    digest: formatDigest(digest),
    ...(cms !== undefined && { cms }),
    ...(signer !== undefined && { signer }),
  };
}

function textIn(bytes: Uint8Array, what: string): string {
  const content = decodeUtf8(bytes);
  if (content !== undefined) return content;
  throw new BundleError('USAGE', `${what} is not UTF-8, and cannot be sent away to be signed`, {
    why: 'what is signed elsewhere has to be read by a person there',
    fix: 'sign it where it is',
  });
}

/** A request, every part of it as it must be; whether they belong together is for whoever answers. @throws {BundleError} `USAGE` [room.2] */
export function parseRequest(bytes: Uint8Array): RequestDocument {
  const { text: content, type: _, ...rest } = parseDocument(bytes, request, REQUEST);
  return { ...rest, content: encodeUtf8(content) };
}

/** A response; whether it fits a bundle is for whoever attaches it. @throws {BundleError} `USAGE` [room.5] */
export function parseResponse(bytes: Uint8Array): ResponseDocument {
  const { certificateFile, type: _, ...rest } = parseDocument(bytes, response, RESPONSE);
  return { ...rest, certificateFile: encodeUtf8(certificateFile) };
}

const digestRule: Rule<ManifestDigest> = (value, name) => {
  const match = /^(sha256|sha384|sha512):([0-9a-f]+)$/.exec(String(value));
  const digest = match && parseHex(match[2] ?? '');
  return digest
    ? { algorithm: match[1] as ManifestDigest['algorithm'], value: digest }
    : refuse(name, value, 'the name of a digest, a colon, and its hex digits');
};

const fingerprint: Rule<string> = (value, name) =>
  typeof value === 'string' && /^[0-9a-f]{64}$/.test(value) ? value : refuse(name, value, '64 hex digits');

/** A name that a bundle may have its manifest under. [name.1] */
const manifestName: Rule<string> = (value, name) => {
  const fault =
    typeof value === 'string' && /\.mf$/i.test(value) ? memberNameFault(value, DEFAULT_LIMITS) : 'no .mf';
  return fault === undefined ? (value as string) : refuse(name, value, 'the file name of a manifest');
};

/** More than a person reads. */
const MOST_ABOUT = 100;

const aboutRule: Rule<readonly string[]> = (value, name) => {
  const rows = list(text)(value, name);
  return rows.length <= MOST_ABOUT
    ? rows
    : refuse(name, rows.length, `a list of at most ${MOST_ABOUT} texts`);
};

const ASKED: Rows<Asked> = {
  bundle: needed(path),
  manifest: needed(manifestName),
  digest: needed(digestRule),
  cms: flag,
  signer: fingerprint,
};

const request = shape<Omit<RequestDocument, 'content'> & { readonly type: string; readonly text: string }>({
  type: needed(text),
  ...ASKED,
  about: needed(aboutRule),
  text: needed(text),
});

const response = shape<Asked & { readonly type: string; readonly certificateFile: string }>({
  type: needed(text),
  ...ASKED,
  certificateFile: needed(text),
});

/** What each kind of document is called. */
const KINDS: Readonly<Record<string, string>> = {
  [REQUEST]: 'a request to sign',
  [RESPONSE]: 'a response to a request to sign',
};

function parseDocument<T>(bytes: Uint8Array, rule: Rule<T>, type: string): T {
  const wanted = KINDS[type] ?? '';
  const document = parseJson(bytes);
  if (!document) throw notOne(wanted, 'it is no JSON as bulla writes it');
  const given = (document.value as { type?: unknown } | null)?.type;
  if (given !== type) {
    const known = typeof given === 'string' ? KINDS[given] : undefined;
    throw notOne(wanted, known ? `it is ${known}` : `its type is not "${type}"`);
  }
  try {
    return rule(document.value, '');
  } catch (error) {
    throw notOne(wanted, toBundleError(error).message);
  }
}

function notOne(wanted: string, why: string): BundleError {
  return new BundleError('USAGE', `this is not ${wanted}`, {
    why,
    fix: 'give the file as it was written, or have it written again; nothing in it may be changed on the way',
  });
}
