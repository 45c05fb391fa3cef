import { types } from 'node:util';
import type { PackFormat } from '../archive/open-archive.ts';
import type { Certificate } from '../crypto/certificate.ts';
import type { Signer, SignerBounds, Signing } from '../engine/engine.ts';
import { isKeySigner } from '../engine/node/key-signer.ts';
import {
  HASH_METHOD_NAMES,
  type HashMethod,
  KEY_TYPE_NAMES,
  type KeyTypeName,
} from '../formats/glance/names.ts';
import { type PublicKey, parsePublicKey } from '../formats/x509/public-key.ts';
import { copyBytes } from '../kit/bytes.ts';
import { ADVICE, type Advised, type Told } from '../kit/errors/advice.ts';
import { asked, askedAtOnce } from '../kit/errors/asked.ts';
import { bytes, fileOrBytes } from '../kit/given-bytes.ts';
import {
  callback,
  expectNoUse,
  face,
  flag,
  list,
  moment,
  needed,
  object,
  oneOf,
  path,
  type Rows,
  type Rule,
  refuse,
  shape,
  text,
} from '../kit/shape.ts';
import { type ByteSink, byteSink } from '../kit/streams/byte-sink.ts';
import type { PluginFolder } from '../storage/signers/find-plugin.ts';
import type { BundleInput } from '../storage/sources/open-source.ts';
import { revocationMode, timestampMode, trustedPublisher } from '../trust/trust-rules.ts';
import { allowances, READING, streamIn } from '../verdict/judging-rules.ts';
import type { ImageSigner } from './glance/image-signer.ts';
import type { SigningDigest, SigningIdentity, TimestampSource } from './sign/signing.ts';
import type { TrustFiles } from './verify/load-trust.ts';
import type { VerifyOptions } from './verify/options.ts';

/** [api.1] The rules that several operations share for what a program hands in. */

/** A bundle or any other file to be read: its name, `-`, an https address, or a stream, which is asked for its iterator alone. */
export const bundleInput: Rule<BundleInput> = (value, name) => {
  if (typeof value === 'string') return path(value, name);
  return streamIn(value) ?? refuse(name, value, INPUT);
};

const INPUT = 'the name of a file, "-", an https address, or a stream of Uint8Array chunks';

/** Where what is made goes: the name of a file, `-`, or a sink, of which nothing but its methods is asked. */
export const output: Rule<string | ByteSink> = (value, name) =>
  typeof value === 'string' ? path(value, name) : outputSink(value, name);

const outputSink = byteSink(
  'the name of a file, "-", or a sink: an object with write(), finish() and discard()',
);

/** A sink has nothing in the way that could be replaced. @throws {BundleError} `USAGE` [api.3] */
export function expectReplaceable(given: {
  readonly output?: string | ByteSink;
  readonly overwrite?: boolean;
}): void {
  if (given.output === undefined) expectNoUse(given.overwrite, 'overwrite', 'without output');
  if (typeof given.output === 'object')
    expectNoUse(given.overwrite, 'overwrite', 'where output is a sink: there is nothing in its way');
}

/** The name of an output for a result; a sink has none. */
export function outputName(given: string | ByteSink): { readonly output?: string } {
  return { ...(typeof given === 'string' && { output: given }) };
}

export const packFormat = oneOf<PackFormat>({ tar: true, tgz: true, zip: true });
export const signingDigest = oneOf<SigningDigest>({ sha256: true, sha384: true, sha512: true });
export const keyTypeName = oneOf(wordsOf<KeyTypeName>(KEY_TYPE_NAMES));
export const hashMethod = oneOf(wordsOf<HashMethod>(HASH_METHOD_NAMES));
function wordsOf<T extends string>(words: readonly T[]): Readonly<Record<T, true>> {
  return Object.fromEntries(words.map((word) => [word, true])) as Record<T, true>;
}

/** The options of whatever judges a bundle. */
export const JUDGING: Rows<VerifyOptions> = {
  ...READING,
  trust: shape<TrustFiles>({
    anchors: list(fileOrBytes),
    pins: list(text),
    timestampAnchors: list(fileOrBytes),
    publishers: list(trustedPublisher),
    untrusted: list(fileOrBytes),
    folders: list(path),
  }),
  at: moment,
  revocation: shape<NonNullable<VerifyOptions['revocation']>>({
    mode: revocationMode,
    crls: list(fileOrBytes),
    ocsps: list(fileOrBytes),
  }),
  timestamp: timestampMode,
  allow: allowances,
  remember: flag,
};

export const verifyOptions = shape<VerifyOptions>(JUDGING);

/** What is about bundles has no effect on any other file. @throws {BundleError} `USAGE` */
export function expectNoBundleOptions({ allow, relax, inner }: VerifyOptions): void {
  expectNoUse(allow?.unsigned, 'allow.unsigned', 'on a file that is no bundle');
  expectNoUse(allow?.unlistedDescriptor, 'allow.unlistedDescriptor', 'on a file that is no bundle');
  expectNoUse(relax, 'relax', 'on a file that is no bundle');
  expectNoUse(inner, 'inner', 'on a file that is no bundle');
}

/** An object of the library's own, which is not looked into. */
export const something = <T extends object>(): Rule<T> =>
  object((value) => typeof value === 'object' && value !== null, 'an object');

const certificateFace = face<Certificate>(
  {
    raw: needed(bytes),
    fields: needed(something<Certificate['fields']>()),
    publicKey: needed(something<Certificate['publicKey']>()),
    fingerprint: needed(path),
    spkiSha256: needed(path),
    key: needed(something<Certificate['key']>()),
  },
  'a certificate that the library has read',
);

/** As the library made it; it stays that very object, by which its X.509 form is found again. */
export const certificate: Rule<Certificate> = (value, name) => {
  certificateFace(value, name);
  return value as Certificate;
};

const spkiFace = face<Pick<PublicKey, 'spki'>>(
  { spki: needed(bytes) },
  'a PublicKey, as the certificate for the key has it',
);

/** What it says of its key is read from the SubjectPublicKeyInfo, whatever else stands there. */
const publicKey: Rule<PublicKey> = (value, name) => {
  const { spki } = spkiFace(value, name);
  try {
    return parsePublicKey(copyBytes(spki), name);
  } catch {
    return refuse(`${name}.spki`, spki, 'a SubjectPublicKeyInfo in DER');
  }
};

const signerFace = face<Signer>(
  {
    publicKey: needed(publicKey),
    name: text,
    bounds: shape<SignerBounds>({ digest: signingDigest, pss: flag }),
    open: needed(callback<Signer['open']>()),
  },
  'a Signer: an object with publicKey and open()',
);

const signingFace = face<Signing>(
  { update: needed(callback<Signing['update']>()), finish: needed(callback<Signing['finish']>()) },
  'a Signing: an object with update() and finish()',
);

/** What signs, whose signatures are looked at as they come; a key in memory, which is our own, as it is. */
const signer: Rule<Signer> = (value, name) => {
  if (isKeySigner(value as Signer)) return value as Signer;
  const { open, ...own } = signerFace(value, name);
  const call = `${name}.open()`;
  return {
    ...own,
    open: (form) => {
      const signing = signingFace(
        askedAtOnce(call, () => open(form)),
        call,
      );
      const last = `${call}.finish()`;
      return {
        // a copy: the buffer itself is hashed and stored as well [pack.13]
        update: (chunk) => answersNothing(`${call}.update()`, () => signing.update(copyBytes(chunk))),
        finish: async (signal) => answered(await asked(last, () => signing.finish(signal)), last),
      };
    },
  };
};

/** One that answers later would be asked for more meanwhile, and what it throws would be nobody's. */
function answersNothing(call: string, ask: () => unknown): void {
  const answer = askedAtOnce(call, ask);
  if (!types.isPromise(answer)) return;
  answer.catch(() => {});
  refuse(call, answer, 'a function that has taken the bytes when it returns');
}

/** Who gives timestamps, and what is read for them. */
export const timestampSource: Rule<TimestampSource> = (value, name) => {
  const source = callback<TimestampSource>()(value, name);
  const { files } = source;
  const taken = files === undefined ? undefined : list(path)(files, `${name}.files`);
  const give = async (over: Uint8Array): Promise<Uint8Array> =>
    answered(await asked(`${name}()`, () => source(copyBytes(over))), `${name}()`);
  return taken ? Object.assign(give, { files: taken }) : give;
};

/** Bytes that came of a call, the caller's own buffer left to the caller. */
function answered(given: unknown, call: string): Uint8Array {
  return copyBytes(bytes(given, `the answer of ${call}`));
}

/** What gives a passphrase. */
export const passphrase: Rule<() => Promise<string>> = (value, name) => {
  const ask = callback<() => Promise<string>>()(value, name);
  return async () => text(await asked(`${name}()`, ask), `the answer of ${name}()`);
};

/** Where plugins are looked for. */
export const pluginFolders: Rule<readonly PluginFolder[]> = list(
  shape<PluginFolder>({ folder: needed(path), prefix: needed(text) }),
);

const advised = shape<Advised>({ text: needed(text), advice: needed(oneOf(wordsOf(ADVICE))), of: text });

/** A warning, which may advise something. */
export const told: Rule<Told> = (value, name) =>
  typeof value === 'string' ? text(value, name) : advised(value, name);

/** Who signs. */
export const signingIdentity: Rule<SigningIdentity> = face<SigningIdentity>(
  {
    signer: needed(signer),
    leaf: needed(certificate),
    intermediates: needed(list(certificate)),
    warnings: needed(list(told)),
    files: needed(list(path)),
  },
  'an identity, as loadSigningIdentity gives it',
);

/** Who signs images. */
export const imageSigner: Rule<ImageSigner> = face<ImageSigner>(
  {
    signer: needed(signer),
    keyType: needed(keyTypeName),
    hash: needed(hashMethod),
    certificateUuid: needed(path),
    files: needed(list(path)),
    warnings: needed(list(told)),
  },
  'a signer of images, as loadImageSigner gives it',
);
