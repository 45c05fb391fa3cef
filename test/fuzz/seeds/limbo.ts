import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { concat } from '../../../src/kit/bytes.ts';
import { encodeUtf8 } from '../../../src/kit/encoding.ts';
import { formatParcel } from '../parcel.ts';
import { unarmoured } from './vectors.ts';

const MOST_BYTES = 64 * 1024;

/** One case of x509-limbo, as far as it is of use. */
interface LimboCase {
  readonly trusted_certs: readonly string[];
  readonly untrusted_intermediates: readonly string[];
  readonly peer_certificate: string;
  readonly validation_time: string | null;
  readonly crls: readonly string[];
}

/** The cases of x509-limbo as parcels; none when the vectors are not there. */
export function limboParcels(): readonly Uint8Array[] {
  const { BULLA_VECTORS: vectors = '' } = process.env;
  const file = join(vectors, 'crypto/limbo/limbo.json');
  if (vectors === '' || !existsSync(file)) return [];
  const { testcases } = JSON.parse(readFileSync(file, 'utf8')) as { testcases: readonly LimboCase[] };
  return testcases.map(parcelOf).filter(({ byteLength }) => byteLength <= MOST_BYTES);
}

function parcelOf(one: LimboCase): Uint8Array {
  const of = (kind: string, pem: string): Uint8Array =>
    concat([encodeUtf8(kind), ...unarmoured(encodeUtf8(pem)).slice(0, 1)]);
  return formatParcel([
    of('l', one.peer_certificate),
    ...one.untrusted_intermediates.map((pem) => of('i', pem)),
    ...one.trusted_certs.map((pem) => of('a', pem)),
    ...one.crls.map((pem) => of('c', pem)),
    ...(one.validation_time === null ? [] : [encodeUtf8(`t${one.validation_time}`)]),
  ]);
}
