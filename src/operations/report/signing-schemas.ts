import { z } from 'zod';
import { CERTIFICATE } from '../../verdict/report/report-schema.ts';
import { BYTES, CONTAINER, OUTPUT, TIMESTAMPED } from './result-schemas.ts';

const IN_PLACE = {
  written: z.array(z.string()).describe('the files that were written, where the package of files lies'),
  format: z.literal('files'),
};

const SIGNED_FORMAT = z.enum(['tar', 'tgz', 'zip', 'cms']).describe('cms: a signature beside any file');
const SIGNED = {
  replacedSigners: z.array(CERTIFICATE).describe('whose signature of a bundle it replaces, trusted or not'),
  signer: CERTIFICATE,
  timestamped: TIMESTAMPED,
};

/** Of `sign`: what was written, or which files of a package that was signed where it lies; or a request to sign, or the response to one. */
export const SIGN_RESULT = z.union([
  z.strictObject({ output: OUTPUT, format: SIGNED_FORMAT, ...SIGNED }),
  z.strictObject({ ...IN_PLACE, ...SIGNED }),
  z.strictObject({
    request: z
      .string()
      .exactOptional()
      .describe('the file that is to be answered where the key is; left out when it went into a sink'),
    digest: z
      .string()
      .describe('what is to be signed: the digest of the manifest, behind its name and a colon'),
    bytes: BYTES.describe('of the request'),
  }),
  z.strictObject({
    response: z
      .string()
      .exactOptional()
      .describe('the file that is to be attached where the bundle is; left out when it went into a sink'),
    bytes: BYTES.describe('of the response'),
    signer: CERTIFICATE,
  }),
]);

/** Of `timestamp`: the bundle with its timestamp, what was written of a package where it lies, or a request alone. */
export const TIMESTAMP_RESULT = z.union([
  z.strictObject({ output: OUTPUT, format: CONTAINER, timestamped: TIMESTAMPED }),
  z.strictObject({ ...IN_PLACE, timestamped: TIMESTAMPED }),
  z.strictObject({
    request: z.string().describe('the file that an authority is to answer'),
    digest: z.enum(['sha256', 'sha384', 'sha512']),
  }),
]);
