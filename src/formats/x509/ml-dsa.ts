import { derElement, derOid, derSequence } from '../der/writer.ts';

/** The parameter sets of ML-DSA (FIPS 204 section 4), as types of keys. */
export type MlDsaType = 'ml-dsa-44' | 'ml-dsa-65' | 'ml-dsa-87';

/** A parameter set: one OID names the key and its signatures (RFC 9881 section 2); sizes are in bytes, and exact. [pq.1] */
export interface MlDsa {
  readonly type: MlDsaType;
  /** for people */
  readonly label: string;
  readonly oid: string;
  readonly publicBytes: number;
  readonly expandedBytes: number;
  readonly signatureBytes: number;
  /** the shortest digest that may stand for the content in signed attributes (RFC 9882 section 3.3) */
  readonly digestBytes: number;
}

/** The largest, which is made where nothing else is asked for. */
export const ML_DSA_87 = set('87', 19, {
  publicBytes: 2592,
  expandedBytes: 4896,
  signatureBytes: 4627,
  digestBytes: 64,
});
const SETS: readonly MlDsa[] = [
  set('44', 17, { publicBytes: 1312, expandedBytes: 2560, signatureBytes: 2420, digestBytes: 32 }),
  set('65', 18, { publicBytes: 1952, expandedBytes: 4032, signatureBytes: 3309, digestBytes: 48 }),
  ML_DSA_87,
];

function set(name: '44' | '65' | '87', arc: number, sizes: Omit<MlDsa, 'type' | 'label' | 'oid'>): MlDsa {
  return { type: `ml-dsa-${name}`, label: `ML-DSA-${name}`, oid: `2.16.840.1.101.3.4.3.${arc}`, ...sizes };
}

/** The parameter set that an OID names; undefined for all other algorithms. */
export function mlDsaOf(oid: string): MlDsa | undefined {
  return SETS.find((one) => one.oid === oid);
}

/** The parameter set of a key; undefined for keys of other kinds. */
export function mlDsaOfKey({ type }: { readonly type: string }): MlDsa | undefined {
  return SETS.find((one) => one.type === type);
}

/** The AlgorithmIdentifier (DER) of keys and signatures alike, without parameters. [pq.1] */
export function mlDsaIdentifier({ oid }: MlDsa): Uint8Array {
  return derSequence(derOid(oid));
}

/** The SubjectPublicKeyInfo (DER) of the bytes of a public key. */
export function mlDsaSpki(set: MlDsa, key: Uint8Array): Uint8Array {
  return derSequence(mlDsaIdentifier(set), derElement(0x03, Uint8Array.of(0), key));
}
