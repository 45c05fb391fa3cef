import { describe, expect, test } from 'vitest';
import { parseCertificate } from '../../src/crypto/certificate.ts';
import { parseCrl } from '../../src/formats/crl/crl.ts';
import { parseOcspResponse } from '../../src/formats/ocsp/response.ts';
import { isBundleError } from '../../src/kit/errors/errors.ts';
import { openBudget } from '../../src/trust/path/budget.ts';
import { findPath } from '../../src/trust/path/find-path.ts';
import type { PathOptions } from '../../src/trust/path/judge-options.ts';
import { NO_ALLOWANCES } from '../../src/trust/policy.ts';
import type { RevocationEvidence } from '../../src/trust/revocation/evidence.ts';
import { judgeRevocation } from '../../src/trust/revocation/judge-revocation.ts';
import {
  certificateIn,
  limboCases,
  PKITS_ALLOWANCES,
  PKITS_UNSUPPORTED,
  pemToDer,
  pkitsSuite,
  policiesOf,
  vectorBytes,
  vectorFolder,
} from './vectors.ts';

interface Chain {
  readonly leaf: Uint8Array;
  readonly intermediates: readonly Uint8Array[];
  readonly anchors: readonly Uint8Array[];
  readonly crls: readonly Uint8Array[];
  readonly at: Date;
}

/** The codes of what is wrong when it must be shown that nothing is revoked; none for a good path. */
function codesOf(chain: Chain, options: Partial<PathOptions>): readonly string[] {
  try {
    const { at } = chain;
    const budget = openBudget();
    const leaf = parseCertificate(chain.leaf);
    const intermediates = chain.intermediates.map(parseCertificate);
    const anchors = chain.anchors.map(parseCertificate);
    const evidence: RevocationEvidence = {
      crls: chain.crls.map((der, i) => parseCrl(der, `list ${i}`)),
      ocsps: [],
    };
    const allowances = options.allowances ?? NO_ALLOWANCES;
    const { errors } = findPath(
      { leaf, intermediates },
      {
        anchors,
        window: { from: at, to: at },
        allowances,
        purpose: 'any',
        ...options,
        judgeMore: (path) =>
          judgeRevocation(path, evidence, {
            mode: 'require',
            at,
            seen: new Map(),
            allowances,
            issuers: [...intermediates, ...anchors],
            anchors,
            budget,
            strict: options.strict ?? false,
          }).findings,
      },
    );
    return errors.map(({ code, message }) => `${code} ${message}`);
  } catch (error) {
    if (isBundleError(error)) return [`${error.code} ${error.message}`];
    throw error;
  }
}

const limbo = limboCases().filter(({ id }) => id.startsWith('crl::'));
describe.skipIf(limbo.length === 0)('x509-limbo, revocation lists, strict', () => {
  test.each(limbo)('$id', (one) => {
    const codes = codesOf(
      {
        leaf: pemToDer(one.peer_certificate),
        intermediates: one.untrusted_intermediates.map(pemToDer),
        anchors: one.trusted_certs.map(pemToDer),
        crls: one.crls.map(pemToDer),
        at: new Date(one.validation_time ?? '2026-11-21T00:00:00Z'),
      },
      { strict: true },
    );
    expect(codes.length === 0 ? 'SUCCESS' : 'FAILURE', codes.join(' ')).toBe(one.expected_result);
  });
});

const pkits = pkitsSuite();
describe.skipIf(pkits.cases.length === 0)('NIST PKITS, the whole, with its revocation lists', () => {
  test.each(pkits.cases)('$number $title', (one) => {
    const certificates = one.certs.map(pkits.certificate);
    const codes = codesOf(
      {
        leaf: certificates.at(-1) ?? new Uint8Array(),
        intermediates: certificates.slice(1, -1),
        anchors: certificates.slice(0, 1),
        crls: one.crls.map(pkits.crl),
        at: new Date('2011-04-15T00:00:00Z'),
      },
      { allowances: PKITS_ALLOWANCES, policies: policiesOf(one) },
    );
    const expected = one.should_validate && one.number !== PKITS_UNSUPPORTED;
    expect(codes.length === 0, codes.join(' ')).toBe(expected);
  });
});

const cms = vectorFolder('crypto/cms') ?? '';
describe.skipIf(cms === '')('OCSP responses made by OpenSSL', () => {
  const judged = (leafName: string, file: string): readonly string[] => {
    const [leaf, inter, root] = [leafName, 'inter', 'root'].map((name) => certificateIn(cms, `${name}.pem`));
    if (!leaf || !inter || !root) return ['no certificates'];
    const at = new Date('2026-11-22T00:00:00Z');
    const ocsps = [parseOcspResponse(vectorBytes(cms, file), file)];
    const judgement = judgeRevocation(
      [leaf, inter],
      { crls: [], ocsps },
      {
        mode: 'require',
        at,
        seen: new Map(),
        allowances: NO_ALLOWANCES,
        issuers: [inter, root],
        anchors: [inter],
        budget: openBudget(),
      },
    );
    return judgement.findings.map(({ error }) => error.code);
  };

  test('[ocsp.3] a good answer is for the certificate that it names, and for no other', () => {
    expect(judged('rsa', 'good.ocsp')).toEqual([]);
    expect(judged('p256', 'good.ocsp')).toEqual(['REVOCATION_UNKNOWN']);
  });

  test('[rev.3] a revoked one is refused', () => {
    expect(judged('p256', 'rev.ocsp')).toEqual(['CERTIFICATE_REVOKED']);
  });

  test('[ocsp.4] an answer signed by another certificate of the same issuer says nothing', () => {
    expect(judged('p256', 'rogue.ocsp')).toEqual(['REVOCATION_UNKNOWN']);
  });
});
