import type { Certificate } from '../../crypto/certificate.ts';
import { sameKey } from '../../crypto/key-identity.ts';
import { formatProperties, type PropertyForm, propertyForm } from '../../formats/glance/format-properties.ts';
import { isUuid, KEY_TYPE_NAMES, type KeyTypeName, keyTypeFor } from '../../formats/glance/names.ts';
import type { SignatureProperties } from '../../formats/glance/properties.ts';
import { type Deadline, openDeadline } from '../../kit/deadline.ts';
import { encodeUtf8, formatBase64 } from '../../kit/encoding.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import type { Limits } from '../../kit/limits.ts';
import type { OnProgress } from '../../kit/progress.ts';
import { flag, moment, needed, path, positive, shape, text } from '../../kit/shape.ts';
import { type SourceOptions, sourceOptions } from '../../kit/source.ts';
import { type ByteSink, discardedAtEnd } from '../../kit/streams/byte-sink.ts';
import { apartFrom } from '../../storage/apart.ts';
import { openOutput } from '../../storage/output/open-output.ts';
import type { PluginFolder } from '../../storage/signers/find-plugin.ts';
import { openKey } from '../../storage/signers/open-key.ts';
import { type BundleInput, openSource } from '../../storage/sources/open-source.ts';
import { readNamed } from '../../storage/trust/small-files.ts';
import { certificatesIn } from '../../trust/given-certificates.ts';
import { judgeValidity } from '../../trust/path/certificate-rules.ts';
import { allowancesOf, judgeKey, warningOf } from '../../trust/policy.ts';
import { readImage } from '../../verdict/image/read-image.ts';
import { limits, WORKING } from '../../verdict/judging-rules.ts';
import { makeReport, type Report } from '../../verdict/report/report.ts';
import {
  bundleInput,
  expectReplaceable,
  hashMethod,
  imageSigner,
  keyTypeName,
  output,
  outputName,
  passphrase,
  pluginFolders,
} from '../option-rules.ts';
import { namedInput } from '../readings.ts';
import { noPassphrase } from '../sign/signing-identity.ts';
import { type Waiting, waitingOptions, whileWaiting } from '../waiting.ts';
import { type ImageSigner, type ImageSignerUse, openSigning } from './image-signer.ts';

/** Whoever signs images, by files and names. */
export interface ImageSignerFiles {
  /** PEM, or a key that is in no file [key.1] */
  readonly key: string;
  /** asked only when the key is encrypted */
  readonly passphrase?: () => Promise<string>;
  /** how often it is asked while what it says is wrong (default: once) */
  readonly tries?: number;
  /** where plugins are looked for; nowhere when left out [key.8] */
  readonly plugins?: readonly PluginFolder[];
  /** PEM of the certificate that is kept under the UUID; when given, it must be that of the key, and valid */
  readonly certificate?: string;
  /** that of the key when left out */
  readonly keyType?: KeyTypeName;
  /** sign with RSA and DSA keys of 1024 to 2047 bits, too: they can be broken */
  readonly allowWeakKeys?: boolean;
}

/**
 * Loads a key for signing images, and refuses one whose signatures strict verifiers or Glance would refuse.
 *
 * @throws {BundleError} `KEY_*`, `PASSPHRASE_*`, `FILE_*`, `CONFIG_INVALID`, `CERTIFICATE_EXPIRED`, `USAGE`, … [glance.26]
 */
export async function loadImageSigner(
  files: ImageSignerFiles,
  use: ImageSignerUse,
  waiting: Waiting = {},
): Promise<ImageSigner> {
  const from = imageSignerFiles(files, 'files');
  const given = imageSignerUse(use, 'use');
  return whileWaiting(waitingOptions(waiting, 'waiting'), (source) => loadGiven(from, given, source));
}

const imageSignerFiles = shape<ImageSignerFiles>({
  key: needed(path),
  passphrase,
  tries: positive,
  plugins: pluginFolders,
  certificate: path,
  keyType: keyTypeName,
  allowWeakKeys: flag,
});

const imageSignerUse = shape<ImageSignerUse>({
  hash: hashMethod,
  certificateUuid: needed(text),
  at: needed(moment),
});

async function loadGiven(
  files: ImageSignerFiles,
  use: ImageSignerUse,
  waiting: SourceOptions,
): Promise<ImageSigner> {
  const { key: file, certificate, allowWeakKeys = false } = files;
  const where = { file };
  if (!isUuid(use.certificateUuid)) {
    throw new BundleError('USAGE', `"${use.certificateUuid}" is no UUID`, {
      why: 'Nova looks the certificate up by this UUID and refuses anything else',
      fix: { text: 'give the last part of the secret href', advice: 'store-certificate' },
    });
  }
  const { passphrase: ask = noPassphrase(file), tries = 1, plugins = [] } = files;
  const { signer: own, files: opened } = await openKey(file, { passphrase: ask, tries, plugins }, waiting);
  const { key } = own.publicKey;
  const keyType = keyTypeFor(key.type === 'rsa-pss' ? 'rsa' : key.type, key.curve);
  if (keyType === undefined || (files.keyType !== undefined && files.keyType !== keyType)) {
    const problem =
      keyType === undefined ? 'Glance has no name for it' : `that is ${keyType}, not ${files.keyType}`;
    throw new BundleError('USAGE', `the key is ${key.label}: ${problem}`, {
      where,
      why: 'Glance and Nova refuse a signature under another name',
      fix:
        keyType === undefined
          ? `sign with a key of one of these kinds: ${KEY_TYPE_NAMES.join(', ')}`
          : { text: 'name no type of key: it is found out', advice: 'any-key-type' },
    });
  }
  const weak = judgeKey(key, 'the file', allowancesOf({ allow: { weakKeys: allowWeakKeys } }));
  if (weak && weak.allowed === undefined) {
    throw new BundleError('KEY_WEAK', weak.error.message, {
      where,
      fix: 'make a new key (RSA of 3072 bits, say), and have a certificate issued for it',
    });
  }
  if (certificate !== undefined) {
    const all = certificatesIn(await readNamed(certificate, waiting));
    const leaf = all.find(({ publicKey }) => sameKey(publicKey, own.publicKey));
    expectBelongs(leaf, { certificate, key: file, at: use.at });
  }
  return {
    signer: own,
    keyType,
    hash: use.hash ?? 'SHA-256',
    certificateUuid: use.certificateUuid.toLowerCase(),
    files: [...opened, ...(certificate === undefined ? [] : [certificate])],
    warnings: [...(weak ? [warningOf(weak)] : []), ...ageing(keyType)],
  };
}

function expectBelongs(
  leaf: Certificate | undefined,
  {
    certificate: file,
    key: keyFile,
    at,
  }: {
    readonly certificate: string;
    readonly key: string;
    readonly at: Date;
  },
): void {
  if (!leaf) {
    throw new BundleError('KEY_MISMATCH', 'the key does not belong to the certificate', {
      where: { file: keyFile },
      why: `the certificate in ${file} is for another key, so Glance would refuse the image`,
    });
  }
  const [untimely] = judgeValidity(leaf, { from: at, to: at });
  if (untimely) throw untimely.error.at({ file });
}

/** [glance.26] What newer systems have given up, or are about to. */
function ageing(keyType: KeyTypeName): readonly string[] {
  if (keyType === 'DSA') {
    return [
      'DSA is withdrawn by FIPS 186-5, and Glance knows it since Mitaka only: prefer RSA-PSS or ECC_SECP384R1',
    ];
  }
  if (keyType.startsWith('ECC_SECT')) {
    return [
      `${keyType} is on a binary curve, which newer cryptography libraries (Python's since 47) have dropped: prefer ECC_SECP384R1`,
    ];
  }
  return [];
}

/** Characters that a property could have in old releases of Glance. */
const OLD_PROPERTY = 255;

/** How an image is signed. */
export interface SignImageOptions {
  readonly signer: ImageSigner;
  /** a file to write the properties into, or a sink, as for `sign`; `-` for none: they are in the result */
  readonly output?: string | ByteSink;
  readonly form?: PropertyForm;
  readonly overwrite?: boolean;
  /** warn about what a Glance with the short property column cannot hold [glance.26] */
  readonly oldGlance?: boolean;
  /** of what is read */
  readonly limits?: Partial<Limits>;
  /** milliseconds that all of it may take; without it only `limits.idleMs` ends the waiting */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

/** The properties of a signed image, their text in the form that was asked for, and the report. */
export interface SignedImage {
  readonly properties: SignatureProperties;
  readonly text: string;
  readonly report: SignImageReport;
}

/** The signature of an image, as properties of it. */
export interface SignImageResult {
  /** the name of the file with them, or `-`; left out when they were only returned, or went into a sink */
  readonly output?: string;
  /** by the names that Glance knows them by */
  readonly properties: Readonly<Record<string, string>>;
}

/** The report of `glance sign`. */
export type SignImageReport = Report<'glance sign', SignImageResult>;

/**
 * Signs an image for Glance, in one pass over it and without storing anything of it.
 *
 * @throws {BundleError} when the image cannot be read, or the signature not made or written
 * @see spec/glance.md, clauses glance.7, glance.8, glance.26
 */
export async function signImage(input: BundleInput, options: SignImageOptions): Promise<SignedImage> {
  const given = signImageOptions(options, '');
  expectReplaceable(given);
  const from = bundleInput(input, 'input');
  await using _ = discardedAtEnd(given.output);
  using deadline = openDeadline(given);
  return await signGiven(from, { ...given, ...deadline });
}

const signImageOptions = shape<SignImageOptions>({
  ...WORKING,
  limits,
  deadlineMs: positive,
  signer: needed(imageSigner),
  output,
  form: propertyForm,
  overwrite: flag,
  oldGlance: flag,
});

async function signGiven(
  input: BundleInput,
  options: SignImageOptions & Pick<Deadline, 'expectInTime'>,
): Promise<SignedImage> {
  const { signer, output: to, form = 'json', signal, onProgress } = options;
  const reads = [...namedInput(input), ...signer.files];
  const target = to === undefined ? undefined : apartFrom(to, reads); // before all of the image is read
  await using source = await openSource(input, sourceOptions(options));
  const signing = openSigning(signer, signal);
  const { size } = await readImage(source, [signing], [], onProgress);
  const properties = propertiesOf(signer, await signing.finish());
  const text = formatProperties(properties, form);
  if (target !== undefined && target !== '-') {
    await using file = await openOutput(target, { overwrite: options.overwrite ?? false, signal });
    await file.write(encodeUtf8(text));
    options.expectInTime(); // [cli.15]
    await file.finish();
  }
  const report = makeReport({
    operation: 'glance sign',
    input: { name: source.name, size },
    errors: [],
    warnings: [...signer.warnings, ...(options.oldGlance ? shortColumn(properties) : [])],
    result: {
      ...(to !== undefined && outputName(to)),
      properties: JSON.parse(formatProperties(properties, 'json')) as Record<string, string>,
    },
  });
  return { properties, text, report };
}

/** The four properties for a signature. [glance.1] */
export function propertiesOf(signer: ImageSigner, signature: Uint8Array): SignatureProperties {
  const { hash: hashMethod, keyType, certificateUuid } = signer;
  return { signature: formatBase64(signature), hashMethod, keyType, certificateUuid };
}

function shortColumn({ signature }: SignatureProperties): readonly string[] {
  if (signature.length <= OLD_PROPERTY) return [];
  return [
    `the signature has ${signature.length} characters; a Glance whose properties have at most ${OLD_PROPERTY} cuts or refuses it: sign with an elliptic curve there`,
  ];
}
