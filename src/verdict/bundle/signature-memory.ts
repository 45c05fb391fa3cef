import { equalBytes } from '../../kit/bytes.ts';
import type { NamedMember } from '../walk/member.ts';
import { judgeSignature, type SignatureJudgement, type SignaturePolicy } from './judge-signature.ts';
import type { SignedManifest } from './signed-manifest.ts';

/** What a judgement depends on, but for the policy, of which a memory has one. */
type Part = keyof SignedManifest;

/** Whether a part is the same in both, by name and bytes; without one for each part it does not compile. */
const SAME: Readonly<Record<Part, (a: SignedManifest, b: SignedManifest) => boolean>> = {
  manifest: (a, b) => isSame(a.manifest, b.manifest),
  certificate: (a, b) => isSame(a.certificate, b.certificate),
  timestamp: (a, b) => isSame(a.timestamp, b.timestamp),
  sidecars: (a, b) => areSame(a.sidecars, b.sidecars),
  evidence: (a, b) => areSame(a.evidence, b.evidence),
};

const EVERY_PART = Object.keys(SAME) as readonly Part[];
const SIGNED_PARTS: readonly Part[] = ['manifest', 'certificate', 'sidecars'];

/**
 * Judges the signature of one bundle, and remembers the last judgement by what it was made of.
 *
 * A bundle may have hundreds of members that could play a part; each manifest with its certificate file and the signatures beside it is judged once
 * on the way, whoever comes after it, and once more in the end when more speaks for it than had come.
 */
export class SignatureMemory {
  readonly #policy: SignaturePolicy;
  #last: { readonly signed: SignedManifest; readonly judgement: SignatureJudgement } | undefined;

  constructor(policy: SignaturePolicy) {
    this.#policy = policy;
  }

  /** The judgement of exactly this. */
  judge(signed: SignedManifest): SignatureJudgement {
    return this.#judge(signed, EVERY_PART);
  }

  /** A judgement of this manifest, certificate file and signatures, with the timestamp and the evidence that had come when they were first seen. */
  judgeAhead(signed: SignedManifest): SignatureJudgement {
    return this.#judge(signed, SIGNED_PARTS);
  }

  #judge(signed: SignedManifest, parts: readonly Part[]): SignatureJudgement {
    const last = this.#last;
    if (last && parts.every((part) => SAME[part](last.signed, signed))) return last.judgement;
    const judgement = judgeSignature(signed, this.#policy);
    this.#last = { signed, judgement };
    return judgement;
  }
}

function areSame(a: readonly NamedMember[], b: readonly NamedMember[]): boolean {
  return a.length === b.length && a.every((member, i) => isSame(member, b[i]));
}

function isSame(a: NamedMember | undefined, b: NamedMember | undefined): boolean {
  if (!a || !b) return a === b;
  return a.name === b.name && (a.bytes === b.bytes || equalBytes(a.bytes, b.bytes));
}
