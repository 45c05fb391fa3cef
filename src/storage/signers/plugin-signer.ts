import { engine } from '#engine';
import { type Certificate, parseCertificate } from '../../crypto/certificate.ts';
import { digestBytes, openHash } from '../../crypto/digest.ts';
import { falseSignature } from '../../crypto/signer.ts';
import type { SignatureForm, Signer, SignerBounds, Signing } from '../../engine/engine.ts';
import type { PluginKey } from '../../formats/keys/key-name.ts';
import {
  formatDescribeKey,
  formatGenerateSignature,
  type KeySpec,
  PKCS1_SIGNATURES,
  type PluginDigest,
  type PluginSignature,
  type PluginSignatureRequest,
  readKeySpec,
  readMetadata,
  readSignature,
} from '../../formats/keys/plugin-messages.ts';
import { ecdsaFromRaw } from '../../formats/keys/raw-ecdsa.ts';
import { concat, copyBytes } from '../../kit/bytes.ts';
import { DIGEST_BYTES } from '../../kit/digest-name.ts';
import { encodeUtf8 } from '../../kit/encoding.ts';
import { BundleError, textOf } from '../../kit/errors/errors.ts';
import { DEFAULT_LIMITS } from '../../kit/limits.ts';
import { askPlugin, failed, type PluginProgram } from './run-plugin.ts';

/** What a plugin is handed whole: as much as the largest thing that is signed for a bundle. */
const PAYLOAD_BYTES = DEFAULT_LIMITS.manifestBytes;
/** Signed once to learn whose key it is: nothing that anybody takes for a manifest. */
export const QUESTION = encodeUtf8('bulla asks whose key this is; this text is part of no bundle.\n');

/** A key that a plugin holds, and the certificates that the plugin gives for it, the signer's first. */
export interface PluginSigner {
  readonly signer: Signer;
  readonly certificates: readonly Certificate[];
}

/** A plugin that has said what it can do with the key. */
interface Holder {
  readonly program: PluginProgram;
  readonly key: PluginKey;
  readonly spec: KeySpec;
  readonly makesPkcs1: boolean;
}

type Scheme = PluginSignatureRequest['scheme'];

/**
 * Asks a plugin for a key. It signs one text at once: its certificates come with signatures only, and whoever lies is found
 * before anything else is read.
 *
 * @throws {BundleError} `SIGNER_FAILED`, `REMOTE_UNAUTHORISED`, `USAGE` for a signature that does not fit [key.9] [key.10]
 */
export async function openPluginSigner(
  key: PluginKey,
  program: PluginProgram,
  signal: AbortSignal | undefined,
): Promise<PluginSigner> {
  // asked anew each time, as the contract has it
  const metadata = readMetadata(await askPlugin(program, 'get-plugin-metadata', {}, signal), key.plugin);
  const makesPkcs1 = expectSaid(metadata, program).capabilities.includes(PKCS1_SIGNATURES);
  const described = await askPlugin(program, 'describe-key', formatDescribeKey(key.keyId), signal);
  const spec = expectSaid(readKeySpec(described, key.keyId), program);
  const holder: Holder = { program, key, spec, makesPkcs1 };
  const scheme = spec.family === 'ec' ? 'ecdsa' : makesPkcs1 ? 'pkcs1' : 'pss';
  const digest = scheme === 'pkcs1' ? 'sha256' : spec.digest;
  const digestValue = digestBytes(digest, QUESTION);
  const { signature, chain } = await generate(
    holder,
    { scheme, digest, digestValue, payload: QUESTION },
    signal,
  );
  const certificates = chain.map((bytes) => certificateOf(bytes, program));
  const leaf = expectSaid(certificates[0] ?? 'it gives no certificate', program);
  expectKind(leaf, holder);
  const signer = signerOf(holder, leaf);
  const reading = {
    key: leaf.publicKey,
    digest,
    ...(scheme === 'pss' && { pss: { saltLength: DIGEST_BYTES[digest] } }),
  };
  if (!engine.verify({ ...reading, signature }, QUESTION)) throw falseSignature(signer);
  return { signer, certificates };
}

function expectSaid<T extends object>(said: T | string, program: PluginProgram): T {
  if (typeof said !== 'string') return said;
  throw failed(program, `cannot be used: ${said}`);
}

function certificateOf(bytes: Uint8Array, program: PluginProgram): Certificate {
  try {
    return parseCertificate(bytes);
  } catch (error) {
    throw failed(program, `gives a certificate that cannot be read: ${textOf(error)}`, error);
  }
}

function expectKind({ key }: Certificate, { spec, program }: Holder): void {
  const fits = spec.family === 'ec' ? key.curve === spec.curve : `RSA-${key.bits}` === spec.name;
  if (!fits)
    throw failed(program, `describes its key as ${spec.name}, and gives a certificate for ${key.label}`);
}

function signerOf(holder: Holder, leaf: Certificate): Signer {
  const { spec, makesPkcs1, key } = holder;
  const isFree = spec.family === 'rsa' && makesPkcs1;
  const bounds: SignerBounds = { digest: spec.digest, ...(spec.family === 'rsa' && { pss: true }) };
  const name = `plugin:${key.plugin}/${key.keyId}`;
  return {
    publicKey: leaf.publicKey,
    name,
    ...(!isFree && { bounds }),
    open: (form) => openSigning(holder, schemeOf(holder, leaf, form, name), form),
  };
}

/** What a plugin is to be asked for. @throws {BundleError} `USAGE` for what it does not make [key.7] */
function schemeOf(
  { spec, makesPkcs1 }: Holder,
  { key }: Certificate,
  form: SignatureForm,
  file: string,
): Scheme {
  const { digest, saltLength } = form;
  const isPss = spec.family === 'rsa' && (saltLength !== undefined || key.type === 'rsa-pss');
  const scheme = spec.family === 'ec' ? 'ecdsa' : isPss ? 'pss' : 'pkcs1';
  const isMade =
    scheme === 'pkcs1'
      ? makesPkcs1 && isPluginDigest(digest)
      : digest === spec.digest && (saltLength ?? DIGEST_BYTES[digest]) === DIGEST_BYTES[digest];
  if (isMade) return scheme;
  const wanted =
    scheme === 'ecdsa'
      ? 'ECDSA'
      : scheme === 'pss'
        ? `RSA-PSS with a salt of ${saltLength ?? DIGEST_BYTES[digest]} bytes`
        : 'RSA with PKCS#1 v1.5';
  throw new BundleError('USAGE', `the plugin does not sign by ${wanted} and ${digest}`, {
    where: { file },
    why: `by the contract of plugins its key (${spec.name}) signs with ${spec.digest} alone, and RSA as RSA-PSS with a salt as long as that`,
    fix: 'sign with a key in a file or on a token, or with a plugin and key that make such signatures',
  });
}

function isPluginDigest(digest: SignatureForm['digest']): digest is PluginDigest {
  return digest === 'sha256' || digest === 'sha384' || digest === 'sha512';
}

/** The digest is made here; what is signed goes along as far as a plugin can be handed it. */
function openSigning(holder: Holder, scheme: Scheme, { digest }: SignatureForm): Signing {
  const hash = openHash(digest);
  let parts: Uint8Array[] = [];
  let bytes = 0;
  return {
    update: (chunk) => {
      hash.update(chunk);
      bytes += chunk.byteLength;
      if (bytes <= PAYLOAD_BYTES) parts.push(copyBytes(chunk));
      else parts = [];
    },
    finish: async (signal) => {
      const isWhole = bytes <= PAYLOAD_BYTES;
      if (!isWhole && scheme !== 'pkcs1') {
        throw failed(holder.program, `signs only what it is handed whole, and this has ${bytes} bytes`);
      }
      const { signature } = await generate(
        holder,
        {
          scheme,
          digest: digest as PluginDigest, // as `schemeOf` has seen
          digestValue: Uint8Array.from(hash.digest()),
          ...(isWhole && { payload: concat(parts) }),
        },
        signal,
      );
      return signature;
    },
  };
}

/** Has a plugin sign; the signature is as everybody else has it: ECDSA in DER. Whether it fits is for whoever asked. */
async function generate(
  { program, key: { keyId }, spec }: Holder,
  asked: Omit<PluginSignatureRequest, 'keyId' | 'spec'>,
  signal: AbortSignal | undefined,
): Promise<PluginSignature> {
  const request = { ...asked, keyId, spec };
  const answer = await askPlugin(program, 'generate-signature', formatGenerateSignature(request), signal);
  const { signature: raw, chain } = expectSaid(readSignature(answer, request), program);
  if (asked.scheme !== 'ecdsa') return { signature: raw, chain };
  const signature = ecdsaFromRaw(raw, spec.curve);
  if (signature) return { signature, chain };
  throw failed(
    program,
    `answers with an ECDSA signature of ${raw.byteLength} bytes, which is not r and s of ${spec.name}`,
  );
}
