import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Certificate, parseCertificate } from '../../src/crypto/certificate.ts';
import type { PolicyInputs } from '../../src/trust/path/judge-options.ts';
import { type Allowances, NO_ALLOWANCES } from '../../src/trust/policy.ts';

const { BULLA_VECTORS: vectors = '' } = process.env;

/** A folder of vectors outside of this project; undefined, and said loudly, when it is not there. */
export function vectorFolder(name: string): string | undefined {
  const folder = join(vectors, name);
  if (vectors !== '' && existsSync(folder)) return folder;
  console.warn(`SKIPPED: set BULLA_VECTORS to a folder with ${name}`);
  return undefined;
}

/** A file of vectors as bytes. */
export function vectorBytes(...path: readonly string[]): Uint8Array {
  return Uint8Array.from(readFileSync(join(...path)));
}

/** The DER of one PEM block. */
export function pemToDer(pem: string): Uint8Array {
  return Uint8Array.from(Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64'));
}

/** The first certificate of a PEM file, whatever text or key stands around it. */
export function certificateIn(...path: readonly string[]): Certificate {
  const pem = /-----BEGIN CERT.*?-----END.*?-----/s.exec(readFileSync(join(...path), 'latin1'))?.[0];
  return parseCertificate(pemToDer(pem ?? ''));
}

/** One case of x509-limbo. */
export interface LimboCase {
  readonly id: string;
  readonly trusted_certs: readonly string[];
  readonly untrusted_intermediates: readonly string[];
  readonly peer_certificate: string;
  readonly validation_time: string | null;
  readonly max_chain_depth: number | null;
  readonly crls: readonly string[];
  readonly expected_result: 'SUCCESS' | 'FAILURE';
}

/** The cases of x509-limbo; none without the vectors. */
export function limboCases(): readonly LimboCase[] {
  const folder = vectorFolder('crypto/limbo');
  return folder ? JSON.parse(readFileSync(join(folder, 'limbo.json'), 'utf8')).testcases : [];
}

/** One case of NIST PKITS: anchor first, leaf last. */
export interface PkitsCase {
  readonly number: string;
  readonly title: string;
  readonly certs: readonly string[];
  readonly crls: readonly string[];
  readonly should_validate: boolean;
  readonly SetInitialPolicySet?: readonly string[];
  readonly SetInitialExplicitPolicy?: boolean;
  readonly SetInitialPolicyMappingInhibit?: boolean;
  readonly SetInitialInhibitAnyPolicy?: boolean;
}

/** NIST PKITS with a way to read its files; no cases without the vectors. */
export function pkitsSuite(): {
  readonly cases: readonly PkitsCase[];
  readonly certificate: (name: string) => Uint8Array;
  readonly crl: (name: string) => Uint8Array;
} {
  const folder = vectorFolder('crypto/pkits') ?? '';
  const cases = folder ? JSON.parse(readFileSync(join(folder, 'pkits-cases.json'), 'utf8')) : [];
  return {
    cases,
    certificate: (name) => vectorBytes(folder, 'certs', `${name}.crt`),
    crl: (name) => vectorBytes(folder, 'crls', `${name}.crl`),
  };
}

/** The names in a folder of vectors that end so. */
export function vectorNames(folder: string, ending: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(ending))
    .sort();
}

/** The inputs of RFC 5280 section 6.1.1 as a case of PKITS sets them. */
export function policiesOf(one: PkitsCase): PolicyInputs {
  const initial = one.SetInitialPolicySet?.flatMap((set) => set.split(','));
  return {
    ...(initial && {
      initial: initial.map((name) => name.replace(/^NIST-test-policy-/, '2.16.840.1.101.3.2.1.48.')),
    }),
    explicit: one.SetInitialExplicitPolicy ?? false,
    inhibitMapping: one.SetInitialPolicyMappingInhibit ?? false,
    inhibitAny: one.SetInitialInhibitAnyPolicy ?? false,
  };
}

/** What PKITS needs beyond the defaults: DSA of 1024 bits with SHA-1 (4.1.4). */
export const PKITS_ALLOWANCES: Allowances = { ...NO_ALLOWANCES, sha1: true, weakKeys: true };

/** A DSA key without its parameters, which are the issuer's: OpenSSL cannot use it, and nobody issues such keys any more. */
export const PKITS_UNSUPPORTED = '4.1.5';
