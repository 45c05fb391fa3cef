import type { Certificate } from '../../crypto/certificate.ts';
import { isBundleError } from '../../kit/errors/errors.ts';
import type { Finding } from '../policy.ts';
import type { HighWaterMarks, RevocationEvidence, RevocationOptions } from './evidence.ts';
import { judgeRevocation } from './judge-revocation.ts';
import { ofAnchor } from './marks.ts';
import type { RevocationStatus } from './verdict.ts';

/** What is found out about revocation while a path is looked for, path by path. */
export interface Noted {
  /** for the search */
  readonly judgeMore: (path: readonly Certificate[]) => readonly Finding[];
  readonly findings: (path: readonly Certificate[]) => readonly Finding[];
  readonly statuses: (path: readonly Certificate[]) => readonly RevocationStatus[];
  /** marks of a path that was accepted, or is revoked, whatever else refuses it [rev.9] */
  readonly seen: (path: readonly Certificate[], errors: readonly unknown[]) => HighWaterMarks;
}

/** Judges the revocation of paths, and notes what it found. */
export function noteRevocation(evidence: RevocationEvidence, options: RevocationOptions): Noted {
  const noted = new Map<string, ReturnType<typeof judgeRevocation>>();
  return {
    judgeMore: (path) => {
      const judged = judgeRevocation(path, evidence, options);
      noted.set(keyOf(path), judged);
      return judged.findings;
    },
    findings: (path) => noted.get(keyOf(path))?.findings ?? [],
    statuses: (path) => noted.get(keyOf(path))?.statuses ?? [],
    seen: (path, errors) => {
      const judged = noted.get(keyOf(path));
      return judged && (errors.length === 0 || errors.some(isRevocation))
        ? ofAnchor(judged.seen, path)
        : new Map();
    },
  };
}

function keyOf(path: readonly Certificate[]): string {
  return path.map(({ fingerprint }) => fingerprint).join(' ');
}

function isRevocation(error: unknown): boolean {
  return isBundleError(error) && error.code === 'CERTIFICATE_REVOKED';
}
