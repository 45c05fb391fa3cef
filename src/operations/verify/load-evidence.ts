import { checkAborted } from '../../kit/bytes.ts';
import { toBundleError } from '../../kit/errors/errors.ts';
import type { NamedBytes } from '../../kit/given-bytes.ts';
import type { SourceOptions } from '../../kit/source.ts';
import { readSmallFile } from '../../storage/trust/small-files.ts';
import { revocationFilesIn } from '../../storage/trust/trust-folder.ts';
import type { RevocationEvidence } from '../../trust/revocation/evidence.ts';
import { type OwnEvidence, parseOwn } from '../../verdict/signers/evidence.ts';

/** The revocation information that the caller gives: files, their bytes, or some of each. */
export interface EvidenceFiles {
  /** CRLs, PEM or DER */
  readonly crls?: readonly (string | NamedBytes)[];
  /** OCSP responses, DER */
  readonly ocsps?: readonly (string | NamedBytes)[];
  /** trust folders, whose `revocation` folder counts too */
  readonly folders?: readonly string[];
}
/** The largest revocation lists of public authorities have some tens of MiB. */
const FILE_BYTES = 256 * 1024 * 1024;
/** From here on a list takes so long to read that signals and timers have their turn behind it. */
const TURN_BYTES = 1024 * 1024;

/** Reads revocation information, each file when those before it have been read. @throws {BundleError} `FILE_*`, `REVOCATION_MALFORMED`, and what ends the waiting [rev.2] */
export async function loadEvidence(
  { crls = [], ocsps = [], folders = [] }: EvidenceFiles,
  waiting: SourceOptions,
): Promise<RevocationEvidence> {
  const kept = folders.flatMap(revocationFilesIn);
  return parseOwn(
    readEach(
      [
        ...crls.map((given) => ({ given, kind: 'crl', named: true })),
        ...ocsps.map((given) => ({ given, kind: 'ocsp', named: true })),
        ...kept.map((given) => ({ given, kind: given, named: false })),
      ],
      waiting,
    ),
  );
}

async function* readEach(
  all: readonly { readonly given: string | NamedBytes; readonly kind: string; readonly named: boolean }[],
  waiting: SourceOptions,
): AsyncGenerator<OwnEvidence, void> {
  for (const { given, ...rest } of all) {
    const one = typeof given === 'string' ? { name: given, bytes: await read(given, waiting) } : given;
    yield { ...one, ...rest };
    if (one.bytes.byteLength > TURN_BYTES) await new Promise((resolve) => setTimeout(resolve)); // [cli.21] a large one takes seconds: a timer that is due fires first
    checkAborted(waiting.signal);
  }
}

async function read(file: string, waiting: SourceOptions): Promise<Uint8Array> {
  try {
    return await readSmallFile(file, waiting, FILE_BYTES);
  } catch (error) {
    throw toBundleError(error).at({ file });
  }
}
