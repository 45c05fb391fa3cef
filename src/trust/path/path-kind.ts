import type { Certificate } from '../../crypto/certificate.ts';

/** Whether a signature outlasts a computer that breaks RSA and elliptic curves. */
export type SignatureKind = 'classical' | 'post-quantum';

const STRONG: ReadonlySet<string> = new Set(['ml-dsa-65', 'ml-dsa-87']);

/** The kind of what a path proves: post-quantum where all of it is, the signer, those above it and the anchor; a pinned signer alone. [pq.8] */
export function kindOfPath(path: readonly Certificate[]): SignatureKind {
  const isStrong = path.length > 0 && path.every(({ key }) => STRONG.has(key.type));
  return isStrong ? 'post-quantum' : 'classical';
}

/** The better kind of several paths that vouch for one signer; undefined where none does. [pq.8] */
export function kindOfPaths(paths: readonly (readonly Certificate[])[]): SignatureKind | undefined {
  const kinds = paths.map(kindOfPath);
  return kinds.find((kind) => kind === 'post-quantum') ?? kinds[0];
}
