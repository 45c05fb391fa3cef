import type { Certificate } from '../../crypto/certificate.ts';
import { isSignedWith } from '../../crypto/signature.ts';
import type { Crl } from '../../formats/crl/crl.ts';
import { nameKey } from '../../formats/x509/name.ts';
import { costOf } from '../path/budget.ts';
import { findPath } from '../path/find-path.ts';
import type { Finding } from '../policy.ts';
import { judgeDigest } from '../policy.ts';
import type { RevocationOptions } from './evidence.ts';

/** How the revocation of those who sign evidence is judged. */
export interface IssuerJudging {
  /** True while the path of this very certificate is being judged: its own list may speak of it. [crl.9] */
  readonly isPending: (issuer: Certificate) => boolean;
  readonly judge: (issuer: Certificate, path: readonly Certificate[]) => readonly Finding[];
}

/** A search for the path of a list's signer asks for evidence in turn, and so counts for several signatures. [rev.8] */
const SEARCH_COST = 4;

/** Which certificate made the signature of a list; remembered, since a list speaks for many certificates. */
const signers = new WeakMap<Crl, Map<string, boolean>>();

/**
 * The certificate that signed a list and may do so: one of the path above, or one that leads to the same anchor, with
 * the path that does; undefined when there is none.
 *
 * @param above the path from the issuer of the judged certificate up to the anchor
 * @see spec/trust.md, clauses crl.9 and crl.10
 */
export function crlIssuerOf(
  crl: Crl,
  above: readonly Certificate[],
  options: RevocationOptions,
  judging: IssuerJudging,
): readonly Certificate[] | undefined {
  const name = nameKey(crl.issuer);
  const mayHave = (certificate: Certificate): boolean => {
    const { keyUsage } = certificate.fields.extensions;
    // [crl.10]
    return nameKey(certificate.fields.subject) === name && (!keyUsage || keyUsage.has('cRLSign'));
  };
  const own = above.filter(mayHave).find((certificate) => hasSigned(crl, certificate, options));
  if (own) return [own];
  const anchor = above.at(-1);
  if (!anchor) return undefined;
  const others = options.issuers.filter((one) => mayHave(one) && !above.includes(one));
  for (const candidate of others) {
    if (!hasSigned(crl, candidate, options)) continue;
    if (judging.isPending(candidate)) return [candidate];
    if (!options.budget.spend('evidence', SEARCH_COST)) continue;
    // [crl.9] the same anchor: another authority of the same name could revoke, or clear, what is not its own
    const { kind, path } = findPath(
      { leaf: candidate, intermediates: options.issuers },
      {
        anchors: [anchor],
        window: { from: options.at, to: options.at },
        allowances: options.allowances,
        purpose: 'any',
        budget: options.budget,
        judgeMore: (found) => judging.judge(candidate, found),
      },
    );
    if (kind === 'good') return path;
  }
  return undefined;
}

/** Why the digest under a list is not accepted. */
export function weaknessOf(crl: Crl, { allowances }: RevocationOptions): string | undefined {
  const finding = judgeDigest(crl.algorithm.digest, 'it', allowances);
  return finding && finding.allowed === undefined ? finding.error.message : undefined;
}

/**
 * The certificate whose name the list bears and whose key signed it, whether it may do so or not: of the path above, or
 * one that an authority there has issued and not revoked. [rev.14]
 */
export function keyHolderOf(
  crl: Crl,
  above: readonly Certificate[],
  options: RevocationOptions,
  judging: IssuerJudging,
): Certificate | undefined {
  const name = nameKey(crl.issuer);
  const isHolder = (one: Certificate): boolean =>
    nameKey(one.fields.subject) === name && hasSigned(crl, one, options);
  const isNamed = (one: Certificate): boolean => {
    const at = above.findIndex((issuer) => options.budget.isSigned(one, issuer));
    if (at < 0) return false;
    if (judging.isPending(one)) return true;
    const findings = judging.judge(one, [one, ...above.slice(at)]);
    return !findings.some(({ error }) => error.code === 'CERTIFICATE_REVOKED');
  };
  const others = options.issuers.filter((one) => !above.includes(one));
  return above.find(isHolder) ?? others.find((one) => isHolder(one) && isNamed(one));
}

function hasSigned(crl: Crl, certificate: Certificate, { budget }: RevocationOptions): boolean {
  const known = signers.get(crl) ?? new Map<string, boolean>();
  signers.set(crl, known);
  let signed = known.get(certificate.spkiSha256);
  if (signed === undefined) {
    if (!budget.spend('evidence', costOf(certificate.key))) return false;
    signed = isSignedWith(crl, crl.tbs, certificate.publicKey);
    known.set(certificate.spkiSha256, signed);
  }
  return signed;
}
