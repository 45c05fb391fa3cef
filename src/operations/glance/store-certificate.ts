import type { Certificate } from '../../crypto/certificate.ts';
import { keyTypeFor } from '../../formats/glance/names.ts';
import { formatPem } from '../../formats/pem.ts';
import { equalBytes } from '../../kit/bytes.ts';
import { openDeadline, unlessAborted } from '../../kit/deadline.ts';
import { encodeUtf8, printable } from '../../kit/encoding.ts';
import type { Told } from '../../kit/errors/advice.ts';
import { asked } from '../../kit/errors/asked.ts';
import { BundleError, toBundleError } from '../../kit/errors/errors.ts';
import { abortSignal, callback, moment, needed, path, positive, shape, text } from '../../kit/shape.ts';
import { sourceOptions } from '../../kit/source.ts';
import type { BarbicanClient } from '../../storage/remote/barbican-client.ts';
import { readNamed } from '../../storage/trust/small-files.ts';
import { certificatesIn } from '../../trust/given-certificates.ts';
import { judgeValidity } from '../../trust/path/certificate-rules.ts';
import { type CertificateReport, makeReport, type Report } from '../../verdict/report/report.ts';
import { certificateReport } from '../../verdict/signers/signature-report.ts';
import { barbicanClient } from './certificate-sources.ts';

/** How a certificate is stored. */
export interface StoreCertificateOptions {
  /** the name of the secret, the subject when left out */
  readonly name?: string;
  /** when the key manager is to forget it; never when left out */
  readonly expiration?: Date;
  readonly at: Date;
  readonly signal?: AbortSignal;
  /** milliseconds that all of it may take; without it only the key manager's own limits end the waiting */
  readonly deadlineMs?: number;
}

/** What Barbican takes unless its operator has changed it, with the base64 and the rest of the request around it. */
const PEM_BYTES = 17_000;

/** Reads the certificate that is to be stored: the first of the file. @throws {BundleError} `CONFIG_INVALID`, `CERTIFICATE_EXPIRED`, `FILE_*`, `USAGE` */
async function readCertificateToStore(
  file: string,
  { at, signal }: Pick<StoreCertificateOptions, 'at' | 'signal'>,
): Promise<{
  readonly certificate: Certificate;
  readonly pem: string;
  readonly warnings: readonly Told[];
}> {
  const [certificate, ...others] = certificatesIn(
    await readNamed(file, sourceOptions(signal ? { signal } : {})),
  );
  if (!certificate)
    throw new BundleError('CONFIG_INVALID', 'the file holds no certificate', { where: { file } });
  const [untimely] = judgeValidity(certificate, { from: at, to: at });
  if (untimely) throw untimely.error.at({ file });
  const pem = formatPem('CERTIFICATE', certificate.raw);
  if (pem.length > PEM_BYTES) {
    throw new BundleError(
      'USAGE',
      `the certificate has ${pem.length} bytes in PEM, more than Barbican takes`,
      {
        where: { file },
        fix: 'have a smaller certificate issued',
      },
    );
  }
  const { type, curve, label } = certificate.key;
  const isAuthority = certificate.fields.extensions.basicConstraints?.ca === true;
  const named = keyTypeFor(type === 'rsa-pss' ? 'rsa' : type, curve) !== undefined;
  return {
    certificate,
    pem,
    warnings: [
      ...(others.length > 0
        ? [
            {
              text: `only the first of the ${others.length + 1} certificates in the file is stored: Glance reads one; store authorities each by itself`,
              advice: 'store-authorities',
              of: `only the first of the ${others.length + 1} certificates in the file is stored: Glance reads one`,
            } as const,
          ]
        : []),
      ...(named || isAuthority
        ? []
        : [`Glance has no key type for a ${label} key: no image can be signed with it`]),
    ],
  };
}

/**
 * Stores a certificate in Barbican so that Glance and Nova can use it, and reads it back.
 *
 * @throws {BundleError} `REMOTE_FAILED`, `REMOTE_UNAUTHORISED`, `CERTIFICATE_EXPIRED`, `CONFIG_INVALID`, `FILE_*`, `USAGE`
 * @see spec/glance.md, clause glance.33
 */
export async function storeCertificate(
  file: string,
  open: () => Promise<BarbicanClient>,
  options: StoreCertificateOptions,
): Promise<StoreReport> {
  path(file, 'file');
  const connect = callback<typeof open>()(open, 'open');
  const given = storeCertificateOptions(options, '');
  using deadline = openDeadline(given);
  return await storeGiven(file, connect, { ...given, ...deadline });
}

const storeCertificateOptions = shape<StoreCertificateOptions>({
  name: text,
  expiration: moment,
  at: needed(moment),
  signal: abortSignal,
  deadlineMs: positive,
});

const UNKNOWN = 'see what it says, and whether the key manager has a secret of this name';

/** [glance.33] Whatever ends it once the certificate is stored: where that is must not be lost. */
function isStored(error: unknown, ref: string): BundleError {
  const { code, message, where, cause } = toBundleError(error);
  return new BundleError(code, message, {
    where: { file: ref, ...where },
    why: `the certificate is stored as ${printable(ref)}, and nobody has seen yet that it is given back as it was`,
    fix: 'read it from there and compare it; or remove it, and store the certificate again',
    cause,
  });
}

const STOPPED: ReadonlySet<string> = new Set(['INTERRUPTED', 'TERMINATED', 'INPUT_STALLED']);

/** [glance.33] What was stopped while it was being stored may be stored: nobody can say that nothing was left behind. */
function mayBeStored(
  error: unknown,
  { client, name }: { readonly client: string; readonly name: string },
): BundleError {
  const fault = toBundleError(error);
  if (!STOPPED.has(fault.code)) return fault;
  const { code, message, where, cause } = fault;
  return new BundleError(code, message, {
    where: { file: client, ...where },
    why: 'the key manager had been asked to store the certificate, and has not said whether it did',
    fix: `see whether it has a secret named "${printable(name)}"; remove that, and run the command again`,
    cause,
  });
}

async function storeGiven(
  file: string,
  open: () => Promise<BarbicanClient>,
  options: StoreCertificateOptions,
): Promise<StoreReport> {
  const { certificate, pem, warnings } = await readCertificateToStore(file, options);
  const { expiration, name = certificate.fields.subject.text } = options;
  if (expiration && !(expiration > options.at)) {
    throw new BundleError('USAGE', 'the expiration lies in the past', {
      why: 'Barbican refuses it, and Glance finds no certificate once it has expired',
      fix: 'give a later date, or none',
    });
  }
  // [stream.6] nobody waits for a key manager that says nothing
  const ask = <T>(call: string, work: () => Promise<T>, fix?: string): Promise<T> =>
    unlessAborted(asked(call, work, fix), options.signal);
  const client = barbicanClient(await ask('open()', open), 'open()');
  const secret = { name: name.slice(0, 255), pem, ...(expiration !== undefined && { expiration }) };
  const store = (): Promise<string> => client.storeCertificate(secret);
  const storing = ask('storeCertificate()', store, UNKNOWN).catch((error: unknown) => {
    throw mayBeStored(error, { client: client.name, name: secret.name });
  });
  const uuid = text(await storing, 'the UUID');
  const ref = `${client.name}secrets/${uuid}`;
  const back = await ask('fetchSecret()', () => client.fetchSecret(uuid)).catch((error: unknown) => {
    throw isStored(error, ref);
  });
  if (back?.type !== 'certificate' || !equalBytes(back.payload, encodeUtf8(pem))) {
    throw new BundleError('REMOTE_FAILED', 'Barbican gives back something else than what was stored', {
      where: { file: ref },
      why: 'Glance would verify with what Barbican gives out',
      fix: 'see the log of Barbican; remove the secret, and store the certificate again',
    });
  }
  return makeReport({
    operation: 'glance store-certificate',
    input: { name: file },
    errors: [],
    warnings,
    result: {
      certificateUuid: uuid,
      secretRef: ref,
      certificate: certificateReport(certificate),
    },
  });
}

/** A certificate that Barbican keeps now. */
export interface StoreResult {
  readonly certificateUuid: string;
  /** the address by which Barbican knows it */
  readonly secretRef: string;
  readonly certificate: CertificateReport;
}

/** The report of `glance store-certificate`. */
export type StoreReport = Report<'glance store-certificate', StoreResult>;
