import type { SignedData } from '../../formats/cms/signed-data.ts';
import { parseCrl, parseCrls } from '../../formats/crl/crl.ts';
import { parseOcspResponse } from '../../formats/ocsp/response.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import type { RevocationEvidence } from '../../trust/revocation/evidence.ts';

const NONE: RevocationEvidence = { crls: [], ocsps: [] };

/**
 * CRLs, or an OCSP response when `name` ends in `ocsp`; `source` is what the report calls it; with `alone` there may be
 * nothing else in the file. @throws {BundleError} `REVOCATION_MALFORMED`
 */
export function parseEvidence(
  bytes: Uint8Array,
  source: string,
  name: string,
  options: { readonly alone?: boolean } = {},
): RevocationEvidence {
  if (/ocsp$/i.test(name)) return { crls: [], ocsps: [parseOcspResponse(bytes, source)] };
  return { crls: parseCrls(bytes, source, options), ocsps: [] };
}

/** What a CMS signature carries. @throws {BundleError} `REVOCATION_MALFORMED` */
export function evidenceIn({ crls, ocsps }: SignedData): RevocationEvidence {
  const source = 'the CMS signature';
  return {
    crls: crls.map((der) => parseCrl(der, source)),
    ocsps: ocsps.map((der) => parseOcspResponse(der, source)),
  };
}

/** All of it together; what the caller gives (the first) is not counted. @throws {BundleError} `REVOCATION_MALFORMED` for more than `limit` */
export function joinEvidence(
  [given = NONE, ...brought]: readonly RevocationEvidence[],
  limit: number,
): RevocationEvidence {
  const all = joinAll(brought);
  const count = all.crls.length + all.ocsps.length;
  if (count > limit) {
    throw new BundleError(
      'REVOCATION_MALFORMED',
      `the bundle brings ${count} CRLs and OCSP responses, over the limit of ${limit}`,
      {
        why: 'the limit keeps a hostile bundle from exhausting this machine',
        fix: 'ask the publisher to bring only those of the certificates in the path',
      },
    );
  }
  return { ...joinAll([given, all]), brought: count, ...(given.named && { named: given.named }) };
}

export function joinAll(parts: readonly RevocationEvidence[]): RevocationEvidence {
  return { crls: parts.flatMap(({ crls }) => crls), ocsps: parts.flatMap(({ ocsps }) => ocsps) };
}
