import type { Certificate } from '../crypto/certificate.ts';
import type { Anchor } from './judge-signer.ts';
import { shown } from './path/findings.ts';

/**
 * The certificates whose own fingerprint is pinned, as the anchors that they are: the digest is of every byte of them, so that it makes no
 * difference who brought them. A pin of a key makes no anchor. [path.26]
 */
export function pinnedAmong(
  certificates: readonly Certificate[],
  pins: readonly string[],
): readonly Anchor[] {
  const pinned = certificates.filter(({ fingerprint }) => pins.includes(fingerprint));
  const distinct = new Map(pinned.map((certificate) => [certificate.fingerprint, certificate]));
  return [...distinct.values()].map((certificate) => {
    const { fingerprint, fields } = certificate;
    const source = `the pinned certificate sha256:${fingerprint.slice(0, 16)}…, ${shown(fields.subject.text)}`;
    return { certificate, source };
  });
}
