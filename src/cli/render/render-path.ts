import { counted } from '../../kit/encoding.ts';
import type {
  CertificateReport,
  PathCertificateReport,
  Report,
  TimestampReport,
} from '../../verdict/report/report.ts';
import { field } from './field.ts';

/** A certificate for a line: its subject; key, from when to when. */
export function certificateText({
  subject,
  key,
  notBefore,
  notAfter,
  fingerprint,
}: CertificateReport): readonly [string, string] {
  const name = subject || `without a name, sha256:${fingerprint.slice(0, 16)}…`;
  return [name, `${key}, valid ${notBefore.slice(0, 10)} to ${notAfter.slice(0, 10)}`];
}

/** Those above the signer, one a line, the anchor last when it was reached. */
export function issuerLines([, ...issuers]: readonly PathCertificateReport[]): string[] {
  return issuers.map((certificate) => field('issued by', ...certificateText(certificate)));
}

/** What evidence says of the certificates of a path, but for what the errors say already; nothing when it says nothing. */
export function revocationLines(
  path: readonly PathCertificateReport[],
  errors: readonly { readonly message: string }[],
): string[] {
  const known = path
    .flatMap(({ revocation }) =>
      revocation && revocation.status !== 'not-checked' ? [revocation.detail] : [],
    )
    .filter((detail) => !errors.some(({ message }) => message.includes(detail)));
  return known.map((detail, i) => field(i === 0 ? 'revocation' : '', detail));
}

/** Each timestamp that no error tells of in a line: the time it proves, and by whom, or why it is no proof. */
export function timestampLines(
  timestamps: readonly TimestampReport[],
  errors: readonly { readonly message: string }[],
): string[] {
  const untold = timestamps.filter(({ detail }) => !errors.some(({ message }) => message === detail));
  return untold.map(({ status, time, authority, detail }) => {
    const by = authority ? ` by ${authority.subject}` : '';
    const moment = time.replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC');
    return field('timestamp', status === 'proven' ? `${moment}${by}` : detail);
  });
}

/** What the run has written down, and where. [rev.9] */
export function rememberedLines({ remembered }: Pick<Report, 'remembered'>): string[] {
  if (!remembered) return [];
  const { count, folder } = remembered;
  return [field('remembered', `${counted(count, 'fact')} about revocation, in ${folder}`)];
}
