import {
  constants,
  createPublicKey,
  createSign,
  type KeyObject,
  type SignKeyObjectInput,
  sign,
} from 'node:crypto';
import { promisify } from 'node:util';
import { type PublicKey, parsePublicKey, pssSaltLength } from '../../formats/x509/public-key.ts';
import { concat, copyBytes } from '../../kit/bytes.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import type { SignatureForm, Signer, Signing } from '../engine.ts';
import { MlDsaKey } from './ml-dsa-key.ts';
import type { PrivateKey } from './private-key.ts';

const signAsync = promisify(sign);

/** What `keySigner` has made. */
const made = new WeakSet<Signer>();

/** True for a key in memory, whose signatures are made beside the key that they are verified with; others may answer with anything. */
export function isKeySigner(signer: Signer): boolean {
  return made.has(signer);
}

/**
 * Signs with a private key in memory: a `Signer`.
 *
 * @param file where it was read from
 * @throws {BundleError} `KEY_UNREADABLE` for a key whose public half cannot be written down, or is none that a certificate may have
 */
export function keySigner(privateKey: PrivateKey, file: string): Signer {
  if (privateKey instanceof MlDsaKey) return mlDsaSigner(privateKey);
  const publicKey = publicHalf(privateKey, file);
  const { type } = publicKey.key;
  const signer: Signer = Object.freeze<Signer>({
    publicKey,
    open: (form) => {
      expectFree(publicKey, form);
      if (type === 'ed25519' || type === 'ed448')
        return openWhole(async (data) =>
          Uint8Array.from((await signAsync(null, data, privateKey)) as Uint8Array),
        );
      const input = inputOf(privateKey, publicKey, form);
      const signing = createSign(form.digest);
      return {
        update: (chunk) => {
          signing.update(chunk);
        },
        finish: async () => {
          try {
            return Uint8Array.from(signing.sign(input));
          } catch (cause) {
            throw cannotSign(publicKey, form, cause);
          }
        },
      };
    },
  });
  made.add(signer);
  return signer;
}

function publicHalf(privateKey: KeyObject, file: string): PublicKey {
  try {
    const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
    return parsePublicKey(Uint8Array.from(spki), 'the public key');
  } catch (cause) {
    throw new BundleError('KEY_UNREADABLE', 'the private key has no public key that can be used', {
      where: { file },
      fix: 'make a new key: RSA of 3072 bits, say, or P-256',
      cause,
    });
  }
}

/** Too short for what it is to sign, or of a kind that makes no signatures. */
function cannotSign({ key }: PublicKey, { digest }: SignatureForm, cause: unknown): BundleError {
  return new BundleError('USAGE', `the key (${key.label}) makes no signature with ${digest}`, {
    why: 'it is too short for what the signature is to hold, or is a key for another purpose',
    fix: 'make a new key: RSA of 3072 bits, say, or P-256',
    cause,
  });
}

function mlDsaSigner(key: MlDsaKey): Signer {
  const signer: Signer = Object.freeze<Signer>({
    publicKey: key.publicKey,
    open: () => openWhole((data) => key.sign(data)),
  });
  made.add(signer);
  return signer;
}

/** Keys that sign the data itself, of which all is kept for them. */
function openWhole(signWhole: (data: Uint8Array) => Promise<Uint8Array>): Signing {
  const parts: Uint8Array[] = [];
  return {
    update: (chunk) => {
      parts.push(copyBytes(chunk));
    },
    finish: () => signWhole(concat(parts)),
  };
}

function inputOf(key: KeyObject, publicKey: PublicKey, form: SignatureForm): SignKeyObjectInput {
  if (publicKey.key.type !== 'rsa-pss' && form.saltLength === undefined) return { key };
  const saltLength = form.saltLength ?? pssSaltLength(publicKey, form.digest);
  return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength };
}

function expectFree({ bound }: PublicKey, { digest }: SignatureForm): void {
  if (bound === undefined || bound.digest === digest) return;
  throw new BundleError('USAGE', `this key signs with ${bound.digest} only, not with ${digest}`, {
    fix: {
      text: `give the digest ${bound.digest}, if that is one of sha256, sha384, sha512; else make another key`,
      advice: 'sign-with-digest',
      ...(bound.digest !== undefined && { of: bound.digest }),
    },
  });
}
