import { createECDH, createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { type Certificate, parseCertificate } from '../../../src/crypto/certificate.ts';
import {
  derElement,
  derNull,
  derOctets,
  derOid,
  derSequence,
  derSetOf,
  derUnsigned,
} from '../../../src/formats/der/writer.ts';
import { concat } from '../../../src/kit/bytes.ts';
import { encodeUtf8 } from '../../../src/kit/encoding.ts';

/** A key that is the same in every run, as Ed25519 signatures are. */
export interface FixedKey {
  readonly privateKey: KeyObject;
  readonly spki: Uint8Array;
}

const ED25519 = derSequence(derOid('1.3.101.112'));
const keys = new Map<string, FixedKey>();

/** The key of this name. Nothing is secret about it. */
export function fixedKey(name: string): FixedKey {
  const known = keys.get(name);
  if (known) return known;
  const seed = createHash('sha256').update(`fuzz ${name}`).digest();
  const pkcs8 = derSequence(derUnsigned(Uint8Array.of(0)), ED25519, derOctets(derOctets(seed)));
  const privateKey = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' });
  const spki = Uint8Array.from(createPublicKey(privateKey).export({ format: 'der', type: 'spki' }));
  const made = { privateKey, spki };
  keys.set(name, made);
  return made;
}

/** Public keys of other kinds, which sign nothing here. */
export function otherSpkis(): readonly Uint8Array[] {
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(createHash('sha256').update('fuzz p256').digest());
  const curve = derSequence(derOid('1.2.840.10045.2.1'), derOid('1.2.840.10045.3.1.7'));
  const modulus = concat([1, 2, 3, 4, 5, 6, 7, 8].map((i) => sha256(encodeUtf8(`modulus ${i}`)))).map(
    (byte, i) => (i === 0 || i === 255 ? byte | 0x81 : byte),
  );
  const rsaKey = derSequence(derUnsigned(modulus), derUnsigned(Uint8Array.of(1, 0, 1)));
  return [
    derSequence(curve, bitString(Uint8Array.from(ecdh.getPublicKey()))),
    derSequence(derSequence(derOid('1.2.840.113549.1.1.1'), derNull()), bitString(rsaKey)),
  ];
}

/** A BIT STRING of whole bytes. */
function bitString(bytes: Uint8Array): Uint8Array {
  return derElement(3, Uint8Array.of(0), bytes);
}

/** `outer` over what is signed, and the signature by the key. */
export function signedStructure(tbs: Uint8Array, key: FixedKey, ...more: readonly Uint8Array[]): Uint8Array {
  return derSequence(tbs, ED25519, bitString(Uint8Array.from(sign(null, tbs, key.privateKey))), ...more);
}

/** A name of an organisation and a common name. */
export function nameDer(commonName: string): Uint8Array {
  const rdn = (oid: string, text: string): Uint8Array =>
    derSetOf(derSequence(derOid(oid), derElement(0x0c, encodeUtf8(text))));
  return derSequence(rdn('2.5.4.10', 'Fuzz'), rdn('2.5.4.3', commonName));
}

/** One extension. */
export function extension(oid: string, critical: boolean, value: Uint8Array): Uint8Array {
  const flag = critical ? [derElement(1, Uint8Array.of(0xff))] : [];
  return derSequence(derOid(oid), ...flag, derOctets(value));
}

/** The extensions of a certification authority; the path length when it is not negative. */
export function authorityExtensions(key: FixedKey, pathLen = -1): Uint8Array[] {
  const length = pathLen < 0 ? [] : [derUnsigned(Uint8Array.of(pathLen))];
  return [
    extension('2.5.29.19', true, derSequence(derElement(1, Uint8Array.of(0xff)), ...length)),
    extension('2.5.29.15', true, derElement(3, Uint8Array.of(1, 0x06))),
    extension('2.5.29.14', false, derOctets(keyId(key.spki))),
  ];
}

/** The extensions of one who signs, for these purposes. */
export function signerExtensions(purposes: readonly string[], critical = false): Uint8Array[] {
  return [
    extension('2.5.29.15', true, derElement(3, Uint8Array.of(7, 0x80))),
    extension('2.5.29.37', critical, derSequence(...purposes.map(derOid))),
  ];
}

/** SHA-1 of the bits of a key, as key identifiers and OCSP have it. */
export function keyId(spki: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash('sha1').update(spki.subarray(-32)).digest());
}

/** SHA-256. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(bytes).digest());
}

/** What is to stand in a certificate. */
export interface TbsFields {
  readonly serial: number;
  readonly issuer: string;
  readonly subject: string;
  readonly spki: Uint8Array;
  readonly extensions: readonly Uint8Array[];
  readonly until?: string;
}

/** A TBSCertificate of version 3. */
export function tbsDer({
  serial,
  issuer,
  subject,
  spki,
  extensions,
  until = '360101000000Z',
}: TbsFields): Uint8Array {
  const time = (text: string): Uint8Array => derElement(0x17, encodeUtf8(text));
  return derSequence(
    derElement(0xa0, derUnsigned(Uint8Array.of(2))),
    derUnsigned(Uint8Array.of(serial >> 8, serial & 0xff)),
    ED25519,
    nameDer(issuer),
    derSequence(time('200101000000Z'), time(until)),
    nameDer(subject),
    spki,
    derElement(0xa3, derSequence(...extensions)),
  );
}

/** A certificate by the key of its issuer. */
export function certificateDer(fields: TbsFields, issuerKey: FixedKey): Uint8Array {
  return signedStructure(tbsDer(fields), issuerKey);
}

/** Purposes by name. */
export const PURPOSE = {
  codeSigning: '1.3.6.1.5.5.7.3.3',
  timeStamping: '1.3.6.1.5.5.7.3.8',
  ocspSigning: '1.3.6.1.5.5.7.3.9',
} as const;

/** The moment at which everything here is judged. */
export const AT = new Date('2026-11-21T12:00:00Z');

/** Who there is: a root, an authority under it, and those whom it certifies. */
export type Role = 'root' | 'sub' | 'signer' | 'tsa' | 'responder' | 'loose' | 'looseSigner' | 'looseTsa';

/**
 * The cast of every target, DER; the key of each has the name of its subject.
 *
 * `loose` is an authority that signs whatever it is given, changed inputs too: so they get past the signatures, to what
 * is behind. Nobody is surprised when those verify; by any other key they must not.
 */
export function cast(): Readonly<Record<Role, Uint8Array>> {
  players ??= makeCast();
  return players;
}

let players: Readonly<Record<Role, Uint8Array>> | undefined;
let known: Readonly<Record<Role, Certificate>> | undefined;

function makeCast(): Readonly<Record<Role, Uint8Array>> {
  const root = fixedKey('Root');
  const issue = (
    [serial, subject]: readonly [number, string],
    issuer: string,
    extensions: readonly Uint8Array[],
  ): Uint8Array =>
    certificateDer({ serial, issuer, subject, spki: fixedKey(subject).spki, extensions }, fixedKey(issuer));
  const codeSigner = signerExtensions([PURPOSE.codeSigning]);
  const stamper = signerExtensions([PURPOSE.timeStamping], true);
  return {
    root: issue([1, 'Root'], 'Root', authorityExtensions(root)),
    sub: issue([2, 'Sub'], 'Root', authorityExtensions(fixedKey('Sub'), 0)),
    signer: issue([3, 'Signer'], 'Sub', codeSigner),
    tsa: issue([4, 'TSA'], 'Sub', stamper),
    responder: issue([5, 'Responder'], 'Sub', signerExtensions([PURPOSE.ocspSigning])),
    loose: issue([6, 'Loose'], 'Root', authorityExtensions(fixedKey('Loose'))),
    looseSigner: issue([3, 'LooseSigner'], 'Loose', codeSigner),
    looseTsa: issue([4, 'LooseTSA'], 'Loose', stamper),
  };
}

/** The cast as certificates. */
export function castCertificates(): Readonly<Record<Role, Certificate>> {
  known ??= Object.fromEntries(
    Object.entries(cast()).map(([role, der]) => [role, parseCertificate(der)]),
  ) as Record<Role, Certificate>;
  return known;
}
