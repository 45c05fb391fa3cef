import { encodeUtf8 } from '../../kit/encoding.ts';
import { openStaging } from '../../storage/output/staging.ts';
import { makeReport, type Report } from '../../verdict/report/report.ts';
import { type DevelopmentCertificates, makeDevelopmentCertificates } from './dev-certs.ts';

/** The report of `dev-certs`: the folder as it was given, and the names of what is in it. */
export type DevCertsReport = Report<
  'dev-certs',
  { readonly folder: string; readonly files: readonly string[] }
>;

/**
 * Writes `ca.pem`, `signer.pem` and `signer.key` into a new folder, and with `postQuantum` the same of ML-DSA-87 as `pq-ca.pem` and so on:
 * all of them or nothing. The folder and its files are the user's alone.
 *
 * @throws {BundleError} `DESTINATION_EXISTS`, `STORAGE_*`
 */
export async function writeDevelopmentCertificates(
  folder: string,
  now: Date,
  { postQuantum = false }: { readonly postQuantum?: boolean } = {},
): Promise<DevCertsReport> {
  await using staging = openStaging(folder);
  const files = [
    ...filesOf(await makeDevelopmentCertificates({ now }), ''),
    ...(postQuantum ? filesOf(await makeDevelopmentCertificates({ now, postQuantum }), 'pq-') : []),
  ];
  for (const [name, text] of files) {
    const file = await staging.create(name);
    await file.write(encodeUtf8(text));
    await file.finish();
  }
  await staging.publish();
  return makeReport({
    operation: 'dev-certs',
    errors: [],
    result: { folder, files: files.map(([name]) => name) },
  });
}

function filesOf(
  { caPem, signerPem, signerKeyPem }: DevelopmentCertificates,
  before: string,
): readonly (readonly [name: string, text: string])[] {
  return [
    [`${before}ca.pem`, caPem],
    [`${before}signer.pem`, signerPem],
    [`${before}signer.key`, signerKeyPem],
  ];
}
