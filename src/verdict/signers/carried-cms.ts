import type { Certificate } from '../../crypto/certificate.ts';
import { digestHex } from '../../crypto/digest.ts';
import { type CarriedParts, formatCarried } from '../../formats/cms/format-carried.ts';
import type { SignedData } from '../../formats/cms/signed-data.ts';
import type { TimestampToken } from '../../formats/tsp/token.ts';
import { equalBytes } from '../../kit/bytes.ts';
import type { RevocationEvidence } from '../../trust/revocation/evidence.ts';
import type { Vouched } from '../../trust/vouched.ts';
import { carriedResponse } from './carried-evidence.ts';
import type { FoundSignature } from './found-signature.ts';

/** A CMS signature that was read: its signers in their order, and the evidence in it in its order. */
export interface SpokenCms {
  readonly der: Uint8Array;
  readonly data: SignedData;
  readonly found: readonly FoundSignature[];
  readonly evidence: RevocationEvidence;
}

/** What of a CMS signature is handed on: the signers who are trusted, and what they answer for. [cert.11] [side.6] */
export function cmsParts(
  { data, found, evidence }: SpokenCms,
  isKept: (der: Uint8Array) => boolean,
  vouched: Vouched,
): CarriedParts {
  const claims = found.flatMap(({ timestamps }) => timestamps);
  return {
    certificate: isKept,
    signer: (index) => {
      const signer = found[index]?.signer;
      return signer && vouched.signers.has(signer.fingerprint)
        ? { issuer: signer.fields.issuer.raw }
        : undefined;
    },
    token: (der) => {
      const token = claims.find((claim) => equalBytes(claim.token.raw, der))?.token;
      const path = token && vouched.tokens.get(token);
      return path && carriedToken(token, path);
    },
    crl: (der) => isVouched(evidence.crls[indexOf(data.crls, der)], vouched),
    ocsp: (der) => {
      const response = evidence.ocsps[indexOf(data.ocsps, der)];
      const signers = response && vouched.evidence.get(response);
      return signers && carriedResponse(der, signers);
    },
  };
}

/** [tst.14] A timestamp with the certificates of its authority's path; nobody has signed what else it brings. */
export function carriedToken({ raw }: TimestampToken, path: readonly Certificate[]): Uint8Array {
  const kept = new Set(path.map(({ fingerprint }) => fingerprint));
  const issuer = path[0]?.fields.issuer.raw;
  const parts: CarriedParts = {
    certificate: (der) => kept.has(fingerprintOf(der)),
    signer: () => (issuer ? { issuer } : {}),
    token: () => undefined,
    crl: () => false,
    ocsp: () => undefined,
  };
  return formatCarried(raw, parts, 'the timestamp');
}

function isVouched(evidence: RevocationEvidence['crls'][number] | undefined, vouched: Vouched): boolean {
  return evidence !== undefined && vouched.evidence.has(evidence);
}

/** A certificate that somebody answers for, or of a signer who is trusted for the key in it alone. */
export function isOfTrusted(der: Uint8Array, { certificates, signers }: Vouched): boolean {
  const fingerprint = fingerprintOf(der);
  return certificates.has(fingerprint) || signers.has(fingerprint);
}

/** SHA-256 of a certificate, as `Certificate` has it. */
export function fingerprintOf(der: Uint8Array): string {
  return digestHex('sha256', der);
}

function indexOf(all: readonly Uint8Array[], der: Uint8Array): number {
  return all.findIndex((one) => equalBytes(one, der));
}

/** Each once, in their order. */
export function distinct(ders: readonly Uint8Array[]): readonly Uint8Array[] {
  return ders.filter((der, i) => indexOf(ders, der) === i);
}
