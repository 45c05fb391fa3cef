import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseCertificate } from '../../src/crypto/certificate.ts';
import { isBundleError } from '../../src/kit/errors.ts';
import { findPath } from '../../src/trust/path.ts';
import { NO_ALLOWANCES } from '../../src/trust/policy.ts';

const { BULLA_VECTORS: vectors = '' } = process.env;
const limboFile = join(vectors, 'crypto/limbo/limbo.json');
const pkitsFolder = join(vectors, 'crypto/pkits');
const hasLimbo = vectors !== '' && existsSync(limboFile);
const hasPkits = vectors !== '' && existsSync(pkitsFolder);
if (!hasLimbo || !hasPkits) {
  console.warn('SKIPPED: set BULLA_VECTORS to a folder with crypto/limbo and crypto/pkits to compare paths');
}

interface Case {
  readonly leaf: Uint8Array;
  readonly intermediates: readonly Uint8Array[];
  readonly anchors: readonly Uint8Array[];
  readonly at: Date;
}

/** Whether the path is good, apart from the purpose `ignored`: these suites are about web servers. */
function isAccepted({ leaf, intermediates, anchors, at }: Case, ignored: RegExp): boolean {
  try {
    const { errors } = findPath(
      { leaf: parseCertificate(leaf), intermediates: intermediates.map(parseCertificate) },
      { anchors: anchors.map(parseCertificate), at, allowances: NO_ALLOWANCES },
    );
    return errors.every(({ code, message }) => code === 'PURPOSE_REFUSED' && ignored.test(message));
  } catch (error) {
    if (isBundleError(error)) return false;
    throw error;
  }
}

interface LimboCase {
  readonly id: string;
  readonly trusted_certs: readonly string[];
  readonly untrusted_intermediates: readonly string[];
  readonly peer_certificate: string;
  readonly validation_time: string | null;
  readonly expected_result: 'SUCCESS' | 'FAILURE';
}

const pemToDer = (pem: string) =>
  Uint8Array.from(Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64'));

/** Names of servers, and the rules of browsers, are another program's. */
const LIMBO_NOT_ASKED = /^webpki::|san::/;
/** Revocation; a limit of the caller; what RFC 5280 wants of issuers and no decision here depends on. */
const LIMBO_LENIENT =
  /^crl::|^pathlen::max-chain-depth|^rfc5280::(aki|ski|serial)::|^rfc5280::(root-non-critical-basic-constraints|leaf-ku-keycertsign)$/;
/** Name constraints are refused unread; a certification authority as leaf may not sign data by its key usage. */
const LIMBO_STRICT = /^rfc5280::nc::|^rfc5280::ca-as-leaf$|^pathlen::validation-ignores-pathlen-in-leaf$/;

describe.skipIf(!hasLimbo)('x509-limbo, without names of servers and the browsers’ profile', () => {
  const { testcases }: { testcases: readonly LimboCase[] } = hasLimbo
    ? JSON.parse(readFileSync(limboFile, 'utf8'))
    : { testcases: [] };

  test.each(testcases.filter(({ id }) => !LIMBO_NOT_ASKED.test(id)))('$id', (limbo) => {
    const accepted = isAccepted(
      {
        leaf: pemToDer(limbo.peer_certificate),
        intermediates: limbo.untrusted_intermediates.map(pemToDer),
        anchors: limbo.trusted_certs.map(pemToDer),
        at: new Date(limbo.validation_time ?? '2026-11-21T00:00:00Z'),
      },
      /serverAuth/,
    );
    const valid = limbo.expected_result === 'SUCCESS';
    if (accepted !== valid) expect(limbo.id).toMatch(accepted ? LIMBO_LENIENT : LIMBO_STRICT);
  });
});

interface PkitsCase {
  readonly number: string;
  readonly title: string;
  readonly certs: readonly string[];
  readonly should_validate: boolean;
}

/** Revocation lists (4.4, 4.14, 4.15) and policies (4.8–4.12) are not evaluated: these sections say nothing about us. */
const PKITS_NOT_ASKED = /^4\.(4|8|9|10|11|12|14|15)\./;
/** Invalid by revocation alone, or by who may sign revocation lists. */
const PKITS_LENIENT = /^4\.(5\.2|5\.5|5\.7|7\.4|7\.5)$/;
/** DSA; names that differ in case or blanks; name constraints. */
const PKITS_STRICT = /^4\.(1\.4|1\.5|3\.3|3\.4|3\.5|3\.11|13\.\d+)$/;

describe.skipIf(!hasPkits)('NIST PKITS, without revocation lists and policies', () => {
  const cases: readonly PkitsCase[] = hasPkits
    ? JSON.parse(readFileSync(join(pkitsFolder, 'pkits-cases.json'), 'utf8'))
    : [];
  const read = (name: string) => Uint8Array.from(readFileSync(join(pkitsFolder, 'certs', `${name}.crt`)));

  test.each(cases.filter(({ number }) => !PKITS_NOT_ASKED.test(number)))('$number $title', (pkits) => {
    const certificates = pkits.certs.map(read);
    const accepted = isAccepted(
      {
        leaf: certificates.at(-1) ?? new Uint8Array(),
        intermediates: certificates.slice(1, -1),
        anchors: certificates.slice(0, 1),
        at: new Date('2011-04-15T00:00:00Z'),
      },
      /^$/,
    );
    if (accepted !== pkits.should_validate) {
      expect(pkits.number).toMatch(accepted ? PKITS_LENIENT : PKITS_STRICT);
    }
  });
});
