import { checkAborted } from '../../kit/bytes.ts';
import { toBundleError } from '../../kit/errors/errors.ts';
import type { SourceOptions } from '../../kit/source.ts';
import { readSmallFile } from '../../storage/trust/small-files.ts';
import { revocationFilesIn } from '../../storage/trust/trust-folder.ts';
import type { RevocationEvidence } from '../../trust/revocation/evidence.ts';
import { joinAll, parseEvidence } from '../../verdict/signers/evidence.ts';

/** The files with revocation information that the caller gives. */
export interface EvidenceFiles {
  /** CRLs, PEM or DER */
  readonly crls?: readonly string[];
  /** OCSP responses, DER */
  readonly ocsps?: readonly string[];
  /** trust folders, whose `revocation` folder counts too */
  readonly folders?: readonly string[];
}
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
