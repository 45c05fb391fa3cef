import { type Certificate, isSignedBy } from '../../../src/crypto/certificate.ts';
import { nameKey } from '../../../src/formats/x509/name.ts';
import type { PathResult } from '../../../src/trust/path/find-path.ts';
import { expectThat } from '../target.ts';

/**
 * What RFC 5280 section 6.1 asks at the least of every path that is found good, written once more and plainly.
 *
 * @throws {Violation}
 */
export function expectSound(
  { kind, path, errors }: PathResult,
  anchors: readonly Certificate[],
  at: Date,
): void {
  expectThat(
    (kind === 'good') === (errors.length === 0),
    `a path that is ${kind} has ${errors.length} errors`,
  );
  if (kind !== 'good') return;
  const top = path.at(-1);
  expectThat(
    anchors.some(({ fingerprint }) => fingerprint === top?.fingerprint),
    'a good path ends at no anchor',
  );
  expectThat(path.length <= 10, 'a good path has more than ten certificates');
  path.forEach((certificate, i) => {
    const { fields } = certificate;
    expectThat(fields.notBefore <= at && at <= fields.notAfter, 'a good path has an expired certificate');
    expectThat(
      fields.extensions.unknownCritical.length === 0,
      'a good path passes over a critical extension',
    );
    if (i === 0) return;
    const child = path[i - 1];
    if (!child) return;
    const { basicConstraints, keyUsage } = fields.extensions;
    const between = path
      .slice(1, i)
      .filter(({ fields: { subject, issuer } }) => nameKey(subject) !== nameKey(issuer));
    expectThat(
      nameKey(fields.subject) === nameKey(child.fields.issuer),
      'the names of a good path do not chain',
    );
    expectThat(isSignedBy(child, certificate), 'a signature in a good path does not fit');
    expectThat(basicConstraints?.ca === true, 'an issuer in a good path is no authority');
    expectThat(between.length <= (basicConstraints?.pathLen ?? 99), 'a good path is longer than it may be');
    expectThat(keyUsage?.has('keyCertSign') ?? true, 'an issuer in a good path may not sign certificates');
  });
}
