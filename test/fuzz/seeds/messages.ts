import { createHash, sign } from 'node:crypto';
import { digestIdentifier } from '../../../src/formats/cms/format-signed-data.ts';
import { CONTENT } from '../../../src/formats/cms/signed-data.ts';
import { ATTRIBUTE } from '../../../src/formats/cms/signer-info.ts';
import { readOnly, TAG } from '../../../src/formats/der/cursor.ts';
import {
  derElement,
  derOctets,
  derOid,
  derSequence,
  derSetOf,
  derUnsigned,
} from '../../../src/formats/der/writer.ts';
import { encodeUtf8 } from '../../../src/kit/encoding.ts';
import { type FixedKey, nameDer, sha256 } from './pki.ts';

const integer = (value: number): Uint8Array => derUnsigned(Uint8Array.of(value >> 8, value & 0xff));
const sha512 = (bytes: Uint8Array): Uint8Array =>
  Uint8Array.from(createHash('sha512').update(bytes).digest());

/** Who signs a message: its certificate, and by what that is named. */
export interface MessageSigner {
  readonly certificate: Uint8Array;
  readonly issuer: string;
  readonly serial: number;
  readonly key: FixedKey;
}

/** What is to stand in a CMS. */
export interface CmsFields {
  readonly content: Uint8Array;
  readonly signers: readonly MessageSigner[];
  readonly contentType?: string;
  /** whether the content is inside */
  readonly attached?: boolean;
  /** without signed attributes when false */
  readonly attributes?: boolean;
  /** certificates besides those of the signers */
  readonly certificates?: readonly Uint8Array[];
  readonly crls?: readonly Uint8Array[];
  /** a timestamp token over the signature */
  readonly stamp?: (signature: Uint8Array) => Uint8Array;
}

/** A SignedData in DER. */
export function cmsDer(fields: CmsFields): Uint8Array {
  const {
    content,
    signers,
    contentType = CONTENT.data,
    attached = false,
    certificates = [],
    crls = [],
  } = fields;
  const all = [...signers.map(({ certificate }) => certificate), ...certificates];
  const signedData = derSequence(
    integer(contentType === CONTENT.data ? 1 : 3),
    derSetOf(digestIdentifier('sha512')),
    derSequence(derOid(contentType), ...(attached ? [derElement(0xa0, derOctets(content))] : [])),
    derElement(0xa0, ...all),
    ...(crls.length > 0 ? [derElement(0xa1, ...crls)] : []),
    derSetOf(...signers.map((signer) => signerDer(signer, fields, contentType))),
  );
  return derSequence(derOid(CONTENT.signedData), derElement(0xa0, signedData));
}

function signerDer(signer: MessageSigner, fields: CmsFields, contentType: string): Uint8Array {
  const { content, attributes = true, stamp } = fields;
  const attribute = (oid: string, value: Uint8Array): Uint8Array => derSequence(derOid(oid), derSetOf(value));
  const meant = derSequence(derSequence(derSequence(derOctets(sha256(signer.certificate)))));
  const set = derSetOf(
    attribute(ATTRIBUTE.contentType, derOid(contentType)),
    attribute(ATTRIBUTE.signingTime, derElement(TAG.utcTime, encodeUtf8('261120000000Z'))),
    attribute(ATTRIBUTE.messageDigest, derOctets(sha512(content))),
    attribute(ATTRIBUTE.signingCertificateV2, meant),
  );
  const signature = Uint8Array.from(sign(null, attributes ? set : content, signer.key.privateKey));
  return derSequence(
    integer(1),
    derSequence(nameDer(signer.issuer), integer(signer.serial)),
    digestIdentifier('sha512'),
    ...(attributes ? [derElement(0xa0, readOnly(set, TAG.set, 'attributes').value)] : []),
    derSequence(derOid('1.3.101.112')),
    derOctets(signature),
    ...(stamp ? [derElement(0xa1, attribute(ATTRIBUTE.timestampToken, stamp(signature)))] : []),
  );
}

/** What a timestamp authority states over bytes. */
export function infoDer(over: Uint8Array): Uint8Array {
  return derSequence(
    integer(1),
    derOid('1.3.6.1.4.1.99999.2'),
    derSequence(digestIdentifier('sha256'), derOctets(sha256(over))),
    integer(4711),
    derElement(TAG.generalizedTime, encodeUtf8('20261120120000.5Z')),
    derSequence(integer(1), derElement(0x80, Uint8Array.of(0x64))),
    derElement(TAG.boolean, Uint8Array.of(0xff)),
    derUnsigned(Uint8Array.of(0x12, 0x34, 0x56)),
  );
}

/** A timestamp token over bytes. */
export function tokenDer(
  over: Uint8Array,
  signer: MessageSigner,
  certificates: readonly Uint8Array[] = [],
): Uint8Array {
  return cmsDer({
    content: infoDer(over),
    contentType: CONTENT.timestampInfo,
    attached: true,
    signers: [signer],
    certificates,
  });
}

/** A timestamp response: the token granted, or a refusal. */
export function responseDer(token?: Uint8Array): Uint8Array {
  if (token) return derSequence(derSequence(integer(0)), token);
  const text = derSequence(derElement(TAG.utf8String, encodeUtf8('no')));
  return derSequence(derSequence(integer(2), text, derElement(TAG.bitString, Uint8Array.of(5, 0x20))));
}
