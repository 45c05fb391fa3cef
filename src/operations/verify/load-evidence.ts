import type { SignedData } from '../../formats/cms/signed-data.ts';
import { parseOcspResponse } from '../../formats/ocsp/response.ts';
import { parseCrl, parseCrls } from '../../formats/x509/crl.ts';
import { checkAborted } from '../../kit/bytes.ts';
import { BundleError, toBundleError } from '../../kit/errors/errors.ts';
import type { SourceOptions } from '../../kit/source.ts';
import { readSmallFile } from '../../storage/trust/small-files.ts';
import { revocationFilesIn } from '../../storage/trust/trust-folder.ts';
import type { RevocationEvidence } from '../../trust/revocation/evidence.ts';

/** The files with revocation information that the caller gives. */
export interface EvidenceFiles {
  /** CRLs, PEM or DER */
  readonly crls?: readonly string[];
  /** OCSP responses, DER */
  readonly ocsps?: readonly string[];
  /** trust folders, whose `revocation` folder counts too */
  readonly folders?: readonly string[];
}

const NONE: RevocationEvidence = { crls: [], ocsps: [] };
/** The largest revocation lists of public authorities have some tens of MiB. */
const FILE_BYTES = 256 * 1024 * 1024;
/** From here on a list takes so long to read that signals and timers have their turn behind it. */
const TURN_BYTES = 1024 * 1024;

/** Reads revocation information from files. @throws {BundleError} `FILE_*`, `REVOCATION_MALFORMED`, and what ends the waiting [rev.2] */
export async function loadEvidence(
  { crls = [], ocsps = [], folders = [] }: EvidenceFiles,
  waiting: SourceOptions,
): Promise<RevocationEvidence> {
  const kept = folders.flatMap(revocationFilesIn);
  const files = [
    ...crls.map((file) => ({ file, kind: 'crl' })),
    ...ocsps.map((file) => ({ file, kind: 'ocsp' })),
    ...kept.map((file) => ({ file, kind: file })),
  ];
  const parts: RevocationEvidence[] = [];
  for (const { file, kind } of files) {
    try {
      const bytes = await readSmallFile(file, waiting, FILE_BYTES);
      parts.push(parseEvidence(bytes, file, kind));
      if (bytes.byteLength > TURN_BYTES) await new Promise((resolve) => setTimeout(resolve)); // [cli.21] a large one takes seconds: a timer that is due fires first
    } catch (error) {
      throw toBundleError(error).at({ file });
    }
    checkAborted(waiting.signal);
  }
  const named = parts.slice(0, crls.length + ocsps.length).map((part) => [...part.crls, ...part.ocsps]);
  return { ...joinAll(parts), named };
}

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

function joinAll(parts: readonly RevocationEvidence[]): RevocationEvidence {
  return { crls: parts.flatMap(({ crls }) => crls), ocsps: parts.flatMap(({ ocsps }) => ocsps) };
}
