import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseCertificate } from '../../src/crypto/certificate.ts';
import { parseProperties } from '../../src/formats/glance/properties.ts';
import { BundleError } from '../../src/kit/errors/errors.ts';
import type {
  CursiveVerdict,
  ImageReport,
  VerifyImageOptions,
} from '../../src/operations/glance/image-options.ts';
import { verifyImage } from '../../src/operations/glance/verify-image.ts';
import { refusal } from '../../src/trust/glance/cursive.ts';
import { ALL_RULES, judgeChainLikeCursive } from '../../src/trust/glance/cursive-chain.ts';
import { judgeTrustedIds } from '../../src/trust/glance/trusted-ids.ts';
import { openBudget } from '../../src/trust/path/budget.ts';
import { NO_ALLOWANCES } from '../../src/trust/policy.ts';
import type { CertificateAnswer, CertificateSource } from '../../src/verdict/image/certificate-source.ts';
import { pemToDer, vectorFolder } from './vectors.ts';

interface GlanceCase {
  readonly name: string;
  readonly kind: 'image' | 'legacy-md5' | 'trust';
  readonly image: string | null;
  readonly certificate: string | null;
  readonly properties: Readonly<Record<string, string>>;
  readonly expect: 'accept' | 'reject';
  readonly strict?: 'accept' | 'reject';
  readonly cursive?: CursiveVerdict;
  readonly emulated_mitaka?: CursiveVerdict;
  readonly trusted_certs?: readonly { readonly uuid: string; readonly file: string | null }[];
  readonly flags?: {
    readonly enforce_valid_dates?: boolean;
    readonly enforce_signing_extensions?: boolean;
    readonly enforce_path_length?: boolean;
  };
}

interface GlanceIndex {
  readonly certificates: Readonly<Record<string, string>>;
  readonly cases: readonly GlanceCase[];
}

const folder = vectorFolder('glance') ?? '';
const index: GlanceIndex = folder
  ? JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8'))
  : { certificates: {}, cases: [] };
const ofKind = (kind: GlanceCase['kind']): readonly GlanceCase[] =>
  index.cases.filter((one) => one.kind === kind);
const AT = new Date('2026-11-24T12:00:00Z');

function certificateAt(file: string): CertificateAnswer & { kind: 'found' } {
  const certificate = parseCertificate(pemToDer(readFileSync(join(folder, file), 'latin1')));
  return { kind: 'found', certificate, others: [], source: file, warnings: [] };
}

function absent(cursive: ReturnType<typeof refusal>): CertificateAnswer {
  return { kind: 'absent', error: new BundleError('SIGNER_UNKNOWN', cursive.message), cursive };
}

/** The key manager of the vectors: certificates, and three UUIDs with trouble. */
const certificates: CertificateSource = {
  find: async (uuid) => {
    const file = index.certificates[uuid];
    if (file !== undefined) return certificateAt(file);
    if (uuid.endsWith('dead')) throw new BundleError('REMOTE_FAILED', 'Barbican cannot be asked');
    if (uuid.endsWith('00aa')) return absent(refusal('SIGNER_UNKNOWN', 'Invalid certificate format: Opaque'));
    return absent(refusal('SIGNER_UNKNOWN', `Certificate not found with ID: ${uuid}`));
  },
};

/** Verifies a case; strictly, with its certificate trusted and short keys allowed, so that only the signature and the dates decide. */
async function verdictOf(
  one: GlanceCase,
  options: Partial<VerifyImageOptions>,
): Promise<{ readonly verdict: 'accept' | 'reject'; readonly report?: ImageReport }> {
  const judged = {
    allow: { weakKeys: true },
    ...(one.certificate !== null && { trust: { anchors: [join(folder, one.certificate)] } }),
  };
  try {
    const report = await verifyImage(join(folder, one.image ?? ''), {
      properties: parseProperties(JSON.stringify(one.properties)),
      certificates,
      at: AT,
      allowImage: { legacyMd5: one.kind === 'legacy-md5' },
      ...(options.compat ? {} : judged),
      ...options,
    });
    return { verdict: report.exitCode === 0 ? 'accept' : 'reject', report };
  } catch (error) {
    if (error instanceof BundleError && error.kind === 'network') return { verdict: 'reject' };
    throw error;
  }
}

describe.skipIf(index.cases.length === 0)(
  '[glance.15] signatures of images, as bulla and as cursive judge them',
  () => {
    test.each([...ofKind('image'), ...ofKind('legacy-md5')])('$name', async (one) => {
      const strict = await verdictOf(one, {});
      expect(strict.verdict, 'strict').toBe(one.strict ?? one.expect);
      if (strict.verdict === 'accept') expect(strict.report?.verdict).toBe('trusted');

      const compat = await verdictOf(one, { compat: true });
      expect(compat.verdict, 'compat').toBe(one.expect);
      expect(compat.report?.trusted).toBe(false);
      const { verdict, error, message } = compat.report?.result?.cursive ?? {};
      const wanted = one.cursive ?? one.emulated_mitaka;
      expect(verdict).toBe(one.expect);
      expect(error?.endsWith(wanted?.error ?? '')).not.toBe(false);
      expect(message).toBe(one.expect === 'accept' ? undefined : wanted?.message);
    });

    const short = ofKind('image').filter(({ name }) => /^ok-(rsa|dsa)1024-.*-mib$/.test(name));
    test.each(short)('[glance.16] $name: the signature is valid and the key too short', async (one) => {
      const { report } = await verdictOf(one, { allow: {} });
      expect(report?.result?.signature).toBe('valid');
      expect(report?.result?.certificate).toBe('untrusted');
      expect(report?.errors.map(({ code }) => code)).toEqual(['KEY_WEAK']);
    });
  },
);

describe.skipIf(index.cases.length === 0)('[glance.17] [glance.18] certificates trusted by UUID', () => {
  test.each(ofKind('trust'))('$name', (one) => {
    const base = one.certificate === null ? undefined : certificateAt(one.certificate).certificate;
    const trusted = (one.trusted_certs ?? []).flatMap(({ uuid, file }) =>
      file === null ? [] : [{ uuid, certificate: certificateAt(file).certificate }],
    );
    const { enforce_valid_dates, enforce_signing_extensions, enforce_path_length } = one.flags ?? {};
    const rules = {
      ...ALL_RULES,
      ...(enforce_valid_dates !== undefined && { validDates: enforce_valid_dates }),
      ...(enforce_signing_extensions !== undefined && { signingExtensions: enforce_signing_extensions }),
      ...(enforce_path_length !== undefined && { pathLength: enforce_path_length }),
    };
    if (!base) {
      expect(one.expect).toBe('reject'); // nothing to judge: the search for the certificate has failed
      return;
    }
    const fault = judgeChainLikeCursive(base, trusted, AT, rules);
    expect(fault ? 'reject' : 'accept', fault?.message).toBe(one.expect);
    expect(fault?.error).toBe(one.cursive?.error);
    expect(fault?.message).toBe(one.cursive?.message);
    const options = { at: AT, allowances: NO_ALLOWANCES, budget: openBudget(), rules };
    const { errors } = judgeTrustedIds(base, trusted, options);
    expect(errors.length > 0 ? 'reject' : 'accept', errors[0]?.message).toBe(one.strict ?? one.expect);
  });
});
