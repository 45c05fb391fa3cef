import { parseCertificate } from '../../crypto/certificate.ts';
import { findCertificates } from '../../formats/credentials/find-certificates.ts';
import { asked } from '../../kit/errors/asked.ts';
import { BundleError, ownError, toBundleError } from '../../kit/errors/errors.ts';
import type { NamedBytes } from '../../kit/given-bytes.ts';
import { callback, face, list, needed, oneOf, path, type Rule, refuse, text } from '../../kit/shape.ts';
import { sourceOptions } from '../../kit/source.ts';
import type { BarbicanClient } from '../../storage/remote/barbican-client.ts';
import { readCertificateByUuid } from '../../storage/trust/certificate-folder.ts';
import { type CursiveFault, refusal } from '../../trust/glance/cursive.ts';
import type { CertificateAnswer, CertificateSource } from '../../verdict/image/certificate-source.ts';
import { certificate, something, told } from '../option-rules.ts';

const ANSWER = 'an answer: a certificate that was found, or why there is none';

/** The files `UUID.pem` in a folder. [glance.27] */
export function certificateFolder(folder: string): CertificateSource {
  path(folder, 'folder');
  return {
    find: async (uuid) => {
      const found = await readCertificateByUuid(folder, uuid, sourceOptions({})); // who asks waits no longer than is meant [stream.6]
      if (!found) return absent(uuid, `the folder ${folder} has no ${uuid}.pem`);
      const { file, bytes } = found;
      try {
        return { kind: 'found', source: file, ...certificateIn({ name: file, bytes }) };
      } catch (error) {
        return { kind: 'absent', error: toBundleError(error).at({ file }), cursive: NO_PEM };
      }
    },
  };
}

/** The secrets of a Barbican. [glance.28] [glance.32] */
export function barbicanCertificates(client: BarbicanClient): CertificateSource {
  return secretsOf(barbicanClient(client, 'client'));
}

/** A key manager that has been opened. */
export const barbicanClient = face<BarbicanClient>(
  {
    name: needed(text),
    fetchSecret: needed(callback<BarbicanClient['fetchSecret']>()),
    storeCertificate: needed(callback<BarbicanClient['storeCertificate']>()),
  },
  'a key manager, as openKeyManager gives it',
);

function secretsOf(client: BarbicanClient): CertificateSource {
  return {
    find: async (uuid) => {
      const secret = await client.fetchSecret(uuid);
      if (!secret) return absent(uuid, `${client.name} has no secret ${uuid}, or an expired one`);
      const source = `${client.name}secrets/${uuid}`;
      if (secret.type !== 'certificate') {
        const said = `the secret ${uuid} is of the type "${secret.type.slice(0, 40)}", not certificate`;
        return { kind: 'absent', error: noCertificate(said, source), cursive: invalidFormat() };
      }
      try {
        const found = certificateIn({ name: source, bytes: secret.payload });
        if (!/^text\/plain/i.test(secret.contentType)) return { kind: 'found', source, ...found };
        const text = `the secret ${uuid} was stored as text/plain, at which Glance stops with an internal error (500): store it again`;
        const warnings = [{ text, advice: 'store-with-bulla' }] as const;
        return { kind: 'found', source, ...found, warnings, cursive: TEXT };
      } catch (error) {
        const problem = `the secret ${uuid} holds no certificate: ${toBundleError(error).message}`;
        return { kind: 'absent', error: noCertificate(problem, source), cursive: NO_PEM };
      }
    },
  };
}

const NO_PEM: CursiveFault = {
  error: 'builtins.ValueError',
  message:
    'Unable to load PEM file. See https://cryptography.io/en/latest/faq/#why-can-t-i-import-my-pem-file for more details. MalformedFraming',
  code: 'SIGNER_UNKNOWN',
};
const TEXT: CursiveFault = {
  error: 'builtins.TypeError',
  message: "argument 'data': 'str' object cannot be converted to 'PyBytes'",
  code: 'SIGNER_UNKNOWN',
};

function invalidFormat(): CursiveFault {
  return refusal('SIGNER_UNKNOWN', 'Invalid certificate format: Opaque');
}

/** The first certificate counts; Glance reads it in PEM, and in no other form that is read here. @throws {BundleError} `CERTIFICATE_MALFORMED` */
function certificateIn(
  given: NamedBytes,
): Omit<Extract<CertificateAnswer, { kind: 'found' }>, 'kind' | 'source'> {
  const found = findCertificates(given);
  if (found.kind === 'none') throw new BundleError('CERTIFICATE_MALFORMED', found.message);
  const [certificate, ...others] = found.blocks.map(({ bytes }) => parseCertificate(bytes));
  if (!certificate) throw new BundleError('CERTIFICATE_MALFORMED', 'there is none in it');
  if (found.form === 'PEM') return { certificate, others, warnings: [] };
  return {
    certificate,
    others,
    warnings: [`the certificate is stored in ${found.form}, which Glance does not read: store it in PEM`],
    cursive: NO_PEM,
  };
}

function absent(uuid: string, problem: string): CertificateAnswer {
  return {
    kind: 'absent',
    error: new BundleError('SIGNER_UNKNOWN', `no certificate is kept under ${uuid}: ${problem}`, {
      why: 'the signature is said to be by the key of that certificate, so without it nothing can be verified',
      fix: 'compare img_signature_certificate_uuid with: openstack secret list --secret-type certificate; or ask the signer for the certificate',
    }),
    cursive: refusal('SIGNER_UNKNOWN', `Certificate not found with ID: ${uuid}`),
  };
}

function noCertificate(message: string, source: string): BundleError {
  return new BundleError('SIGNER_UNKNOWN', message, {
    where: { file: source },
    why: 'Glance takes PEM certificates that are stored as secrets of the type certificate, and nothing else',
    fix: { text: 'store it again', advice: 'store-again' },
  });
}

const absentAnswer = face<Extract<CertificateAnswer, { readonly kind: 'absent' }>>(
  {
    kind: needed(oneOf<'absent'>({ absent: true })),
    error: needed((value, name) => ownError(value) ?? refuse(name, value, 'a BundleError')),
    cursive: needed(something<CursiveFault>()),
  },
  ANSWER,
);
const foundAnswer = face<Extract<CertificateAnswer, { readonly kind: 'found' }>>(
  {
    kind: needed(oneOf<'found'>({ found: true })),
    certificate: needed(certificate),
    others: needed(list(certificate)),
    source: needed(text),
    warnings: needed(list(told)),
    cursive: something<CursiveFault>(),
  },
  ANSWER,
);
const answerKind = face<Pick<CertificateAnswer, 'kind'>>(
  { kind: needed(oneOf<CertificateAnswer['kind']>({ found: true, absent: true })) },
  ANSWER,
);

/** [api.1] A source of the caller's, whose answers are looked at as they come. */
export const certificateSource: Rule<CertificateSource> = (value, name) => {
  const { find } = face<CertificateSource>(
    { find: needed(callback<CertificateSource['find']>()) },
    'a source of certificates: an object with find()',
  )(value, name);
  const answer = `the answer of ${name}.find()`;
  return {
    find: async (uuid) => {
      const given: unknown = await asked(`${name}.find()`, () => find(uuid));
      return answerKind(given, answer).kind === 'found'
        ? foundAnswer(given, answer)
        : absentAnswer(given, answer);
    },
  };
};
