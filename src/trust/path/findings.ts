import type { Certificate } from '../../crypto/certificate.ts';
import { printable } from '../../kit/encoding.ts';
import { BundleError, type ErrorCode } from '../../kit/errors/errors.ts';
import type { Finding } from '../policy.ts';

const SHOWN = 200;

/** How messages name a certificate: `certificate "CN=…"`, on one line, cut at 200 characters. */
export function nameOf(certificate: Certificate): string {
  const { subject, serial } = certificate.fields;
  return subject.text === '' ? `certificate ${serial}` : `certificate "${shown(subject.text)}"`;
}

/** A foreign name for a message. */
export function shown(text: string): string {
  const safe = printable(text);
  return safe.length > SHOWN ? `${safe.slice(0, SHOWN)}…` : safe;
}

/** A certificate that may not be used so. */
export function constraint(certificate: Certificate, problem: string): Finding {
  return refused('PATH_CONSTRAINT', `${nameOf(certificate)} ${problem}`);
}

/** What issuers get wrong without harm: a warning, and an error when everything must be right. */
export function lenient(certificate: Certificate, problem: string, strict: boolean): Finding {
  const finding = constraint(certificate, problem);
  return strict ? finding : { ...finding, allowed: 'lenient' };
}

/** Something that is refused. */
export function refused(code: ErrorCode, message: string): Finding {
  return { error: new BundleError(code, message) };
}

/** The findings that refuse, and those that something lets pass. */
export function divide(findings: readonly Finding[]): { errors: BundleError[]; warnings: Finding[] } {
  return {
    errors: findings.filter(({ allowed }) => allowed === undefined).map(({ error }) => error),
    warnings: findings.filter(({ allowed }) => allowed !== undefined),
  };
}
