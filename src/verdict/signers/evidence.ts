import type { SignedData } from '../../formats/cms/signed-data.ts';
import { nameKind } from '../../formats/credentials/conversion.ts';
import { type CredentialKind, kindOfBytes, kindOfLabel } from '../../formats/credentials/credential-kind.ts';
import { decodePemFile } from '../../formats/credentials/pem-file.ts';
import { parseCrl, parseCrls } from '../../formats/crl/crl.ts';
import { parseOcspResponse } from '../../formats/ocsp/response.ts';
import { splitPem } from '../../formats/pem.ts';
import { BundleError, toBundleError } from '../../kit/errors/errors.ts';
import type { NamedBytes } from '../../kit/given-bytes.ts';
import type { RevocationEvidence } from '../../trust/revocation/evidence.ts';

/** Lists or an answer that the user has. */
export interface OwnEvidence extends NamedBytes {
  /** CRLs, or an OCSP response when it ends in `ocsp` */
  readonly kind: string;
  /** given for this run, and so meant for what is judged [rev.17] */
  readonly named: boolean;
}

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

/**
 * Reads what the user has, one after the other as it comes.
 * @throws {BundleError} `REVOCATION_MALFORMED`; `CONFIG_INVALID` for a file of another kind, such as a certificate [crl.2]
 */
export async function parseOwn(
  given: Iterable<OwnEvidence> | AsyncIterable<OwnEvidence>,
): Promise<RevocationEvidence> {
  const parts: RevocationEvidence[] = [];
  const named: RevocationEvidence[] = [];
  for await (const one of given) {
    try {
      const part = parseEvidence(one.bytes, one.name, one.kind);
      parts.push(part);
      if (one.named) named.push(part);
    } catch (error) {
      throw (ofAnotherKind(one) ?? toBundleError(error)).at({ file: one.name });
    }
  }
  return { ...joinAll(parts), named: named.map(({ crls, ocsps }) => [...crls, ...ocsps]) };
}

/** A certificate that was named as a list, say, is a slip of whoever named it, and no damaged list. */
function ofAnotherKind(one: OwnEvidence): BundleError | undefined {
  const wanted = /ocsp$/i.test(one.kind) ? 'OCSP response' : 'revocation list';
  const kinds = kindsIn(one.bytes);
  const [kind] = kinds;
  if (kind === undefined || kinds.includes('crl') || (kind === 'ocsp' && wanted === 'OCSP response'))
    return undefined;
  const { message, fix } = nameKind(kind, wanted, one);
  return new BundleError('CONFIG_INVALID', message, {
    why: 'whether a certificate is revoked is told by its issuer, in a list or a response',
    fix: fix ?? `give the ${wanted} as the issuer publishes it`,
  });
}

/** What is in a file by its first bytes, or by the labels of its PEM. */
function kindsIn(bytes: Uint8Array): readonly CredentialKind[] {
  const kind = kindOfBytes(bytes);
  if (kind) return [kind];
  const text = decodePemFile(bytes)?.text ?? '';
  return splitPem(text).blocks.flatMap(({ label }) => kindOfLabel(label) ?? []);
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
        own: 'put in only those of the certificates in the path',
      },
    );
  }
  return {
    ...joinAll([given, all]),
    brought: count,
    ...(given.named !== undefined && { named: given.named }),
  };
}

function joinAll(parts: readonly RevocationEvidence[]): RevocationEvidence {
  return { crls: parts.flatMap(({ crls }) => crls), ocsps: parts.flatMap(({ ocsps }) => ocsps) };
}
