import { encodeUtf8 } from '../../kit/encoding.ts';
import { openStaging } from '../../storage/output/staging.ts';
import { makeReport, type Report } from '../../verdict/report/report.ts';
import { makeDevelopmentCertificates } from './dev-certs.ts';

/** The report of `dev-certs`: the folder as it was given, and the names of what is in it. */
export type DevCertsReport = Report<
  'dev-certs',
  { readonly folder: string; readonly files: readonly string[] }
>;

/**
 * Writes `ca.pem`, `signer.pem` and `signer.key` into a new folder: all three or nothing. The folder and its files
 * are the user's alone.
 *
 * @throws {BundleError} `DESTINATION_EXISTS`, `STORAGE_*`
 */
export async function writeDevelopmentCertificates(folder: string, now: Date): Promise<DevCertsReport> {
  await using staging = openStaging(folder);
  const { caPem, signerPem, signerKeyPem } = await makeDevelopmentCertificates({ now });
  const files = { 'ca.pem': caPem, 'signer.pem': signerPem, 'signer.key': signerKeyPem };
  for (const [name, text] of Object.entries(files)) {
    const file = await staging.create(name);
    await file.write(encodeUtf8(text));
    await file.finish();
  }
  await staging.publish();
  return makeReport({ operation: 'dev-certs', errors: [], result: { folder, files: Object.keys(files) } });
}
