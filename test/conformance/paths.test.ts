import { describe, expect, test } from 'vitest';
import { parseCertificate } from '../../src/crypto/certificate.ts';
import { isBundleError } from '../../src/kit/errors/errors.ts';
import { findPath } from '../../src/trust/path/find-path.ts';
import type { PathOptions } from '../../src/trust/path/judge-options.ts';
import { NO_ALLOWANCES } from '../../src/trust/policy.ts';
import { soon } from '../factory/growth.ts';
import {
  limboCases,
  PKITS_ALLOWANCES,
  PKITS_UNSUPPORTED,
  pemToDer,
  pkitsSuite,
  policiesOf,
} from './vectors.ts';

interface Chain {
  readonly leaf: Uint8Array;
  readonly intermediates: readonly Uint8Array[];
  readonly anchors: readonly Uint8Array[];
  readonly at: Date;
}

/** The codes of what is wrong, none for a good path. */
function codesOf(chain: Chain, options: Partial<PathOptions>): readonly string[] {
  const { at } = chain;
  try {
    const { errors } = findPath(
      { leaf: parseCertificate(chain.leaf), intermediates: chain.intermediates.map(parseCertificate) },
      {
        anchors: chain.anchors.map(parseCertificate),
        window: { from: at, to: at },
        allowances: NO_ALLOWANCES,
        purpose: 'any',
        ...options,
      },
    );
    return errors.map(({ code }) => code);
  } catch (error) {
    if (isBundleError(error)) return [error.code];
    throw error;
  }
}

/** Names of servers, and the rules of browsers, are another program's; revocation is `revocation.test.ts`. */
const LIMBO_NOT_ASKED = /^webpki::|^rfc5280::san::underscore-dns|^rfc5280::san::ip-in-dns|wrong-san$|^crl::/;

const limbo = limboCases().filter(({ id }) => !LIMBO_NOT_ASKED.test(id));
describe.skipIf(limbo.length === 0)(
  'x509-limbo, strict, without names of servers and the browsers’ profile',
  () => {
    test.each(limbo)('$id', (one) => {
      const given = {
        leaf: pemToDer(one.peer_certificate),
        intermediates: one.untrusted_intermediates.map(pemToDer),
        anchors: one.trusted_certs.map(pemToDer),
        at: new Date(one.validation_time ?? '2026-11-21T00:00:00Z'),
      };
      const depth = one.max_chain_depth !== null && { maxIntermediates: one.max_chain_depth };
      const codes = soon(() => codesOf(given, { strict: true, ...depth }));
      expect(codes.length === 0 ? 'SUCCESS' : 'FAILURE', codes.join(' ')).toBe(one.expected_result);
    });
  },
);

/** Lists (4.4, 4.14, 4.15), and cases that are invalid by revocation alone: `revocation.test.ts` has all of PKITS. */
const PKITS_NOT_ASKED = /^4\.(4|14|15)\.|^4\.(5\.2|5\.5|5\.7|7\.4|7\.5)$/;
const pkits = pkitsSuite();
describe.skipIf(pkits.cases.length === 0)('NIST PKITS, without revocation lists', () => {
  test.each(pkits.cases.filter(({ number }) => !PKITS_NOT_ASKED.test(number)))('$number $title', (one) => {
    const certificates = one.certs.map(pkits.certificate);
    const codes = codesOf(
      {
        leaf: certificates.at(-1) ?? new Uint8Array(),
        intermediates: certificates.slice(1, -1),
        anchors: certificates.slice(0, 1),
        at: new Date('2011-04-15T00:00:00Z'),
      },
      { allowances: PKITS_ALLOWANCES, policies: policiesOf(one) },
    );
    const expected = one.should_validate && one.number !== PKITS_UNSUPPORTED;
    expect(codes.length === 0, codes.join(' ')).toBe(expected);
  });
});
