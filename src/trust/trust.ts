import type { Certificate } from '../crypto/certificate.ts';
import { BundleError } from '../kit/errors/errors.ts';
import type { NamedBytes } from '../kit/given-bytes.ts';
import { expectNoUse } from '../kit/shape.ts';
import { parseFingerprint } from './fingerprint.ts';
import { certificatesIn } from './given-certificates.ts';
import type { Anchor, TrustStore } from './judge-signer.ts';
import type { Publisher } from './publisher.ts';

/**
 * Whom to trust, as data. `anchors` and `pins`, when either is given, are all that counts; otherwise the `publishers` count.
 *
 * Where these come from is the caller's affair: nothing here can tell certificates of one's own from those that came with
 * what is judged.
 */
export interface Trust {
  /** certificates of CAs or signers, PEM or DER; the report shows what vouched by its name */
  readonly anchors?: readonly NamedBytes[];
  /**
   * SHA-256 fingerprints as openssl and browsers print them: of a certificate, which is then trusted as an anchor is wherever it comes from,
   * or of the public key (SubjectPublicKeyInfo) of a signer [path.17] [path.26]
   */
  readonly pins?: readonly string[];
  /** CA certificates of timestamp authorities, PEM or DER */
  readonly timestampAnchors?: readonly NamedBytes[];
  readonly publishers?: readonly TrustedPublisher[];
  /** certificates that may stand between a signer, or a timestamp authority, and what is trusted; they vouch for nobody [path.27] */
  readonly untrusted?: readonly NamedBytes[];
}

/** A publisher with its own anchors. What is left out is as in a `publisher.toml`: any bundle, any subject, one signer, at any time. */
export interface TrustedPublisher extends Partial<Publisher> {
  /** as in a `publisher.toml`; no two have the same */
  readonly name: string;
  readonly anchors: readonly NamedBytes[];
}

/** All that is trusted in one run, read: who may sign, and whose timestamps count. */
export interface Trusted {
  readonly signers: TrustStore;
  readonly timestamping: readonly Anchor[];
  readonly untrusted: readonly Certificate[];
}

/** Reads all that is trusted. @throws {BundleError} `CONFIG_INVALID` for what is no certificate, `USAGE` for what is no pin, or would not count */
export function parseTrust(trust: Trust): Trusted {
  return {
    timestamping: anchorsIn(trust.timestampAnchors ?? []),
    signers: parseSigners(trust),
    untrusted: (trust.untrusted ?? []).flatMap(certificatesIn),
  };
}

function parseSigners({ anchors = [], pins = [], publishers = [] }: Trust): TrustStore {
  if (isStateless({ anchors, pins })) {
    expectNoUse(publishers, 'trust.publishers', 'beside trust.anchors and trust.pins'); // [pub.12]
    return { anchors: anchorsIn(anchors), pins: pins.map(parseFingerprint) };
  }
  expectSound(publishers);
  return {
    anchors: publishers.flatMap(({ anchors: own, ...settings }) => {
      const publisher = { scopes: ['*'], subjects: [], threshold: 1, ...settings };
      return anchorsIn(own).map((anchor) => ({ ...anchor, publisher }));
    }),
    pins: [],
  };
}

/** Whether somebody is named who is trusted whatever is known otherwise. [pub.12] */
export function isStateless({
  anchors = [],
  pins = [],
}: {
  readonly anchors?: readonly unknown[];
  readonly pins?: readonly string[];
}): boolean {
  return anchors.length > 0 || pins.length > 0;
}

function anchorsIn(given: readonly NamedBytes[]): readonly Anchor[] {
  return given.flatMap((one) =>
    certificatesIn(one).map((certificate) => ({ certificate, source: one.name })),
  );
}

/** Two of one name would be told apart by nobody who reads a report, and one that ends before it begins is a slip. [pub.3] */
function expectSound(publishers: readonly TrustedPublisher[]): void {
  const names = new Set<string>();
  for (const { name, from, until } of publishers) {
    if (from && until && from > until) {
      throw new BundleError(
        'USAGE',
        `the publisher "${name}" in trust.publishers is trusted from after until`,
        {
          fix: 'give another from, or another until',
        },
      );
    }
    if (names.has(name)) {
      throw new BundleError('USAGE', `there are two publishers "${name}" in trust.publishers`, {
        fix: 'give each a name of its own, and all anchors of one together',
      });
    }
    names.add(name);
  }
}
