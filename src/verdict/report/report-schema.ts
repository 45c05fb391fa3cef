import { z } from 'zod';
import { ADVICE } from '../../kit/errors/advice.ts';
import { CHECK_IDS } from './report.ts';

/** Named, so that its many words stand once in the JSON Schema. */
const advisedSchema = z
  .strictObject({
    text: z.string(),
    advice: z.enum(ADVICE).describe('what can be done, by name; there may be more of them'),
    of: z.string().exactOptional().describe('what it is about'),
  })
  .meta({ id: 'advised' });

const whereSchema = z.strictObject({
  file: z.string().exactOptional(),
  member: z.string().exactOptional(),
  offset: z.int().nonnegative().exactOptional().describe('bytes of the unpacked archive'),
  line: z.int().positive().exactOptional(),
});

const checkSchema = z.strictObject({
  id: z.enum(CHECK_IDS),
  status: z.enum(['pass', 'fail', 'warn', 'skip']),
  detail: z.string(),
  advice: advisedSchema
    .exactOptional()
    .describe('from the library only: detail, with what it advises by name'),
});

const hexSchema = z.string().regex(/^([0-9a-f]{2})+$/);

const certificateSchema = z.strictObject({
  subject: z.string(),
  issuer: z.string(),
  notBefore: z.iso.datetime(),
  notAfter: z.iso.datetime(),
  key: z.string().describe('kind and size, such as RSA-3072'),
  fingerprint: hexSchema.describe('SHA-256 of the certificate'),
  spkiSha256: hexSchema.describe('SHA-256 of its public key, as a pin has it'),
});

const pathCertificateSchema = certificateSchema.extend({
  revocation: z
    .strictObject({
      status: z.enum(['good', 'revoked', 'unknown', 'stale', 'not-checked']),
      detail: z.string(),
    })
    .exactOptional(),
});

const timestampSchema = z.strictObject({
  status: z.enum(['proven', 'invalid']),
  time: z.string().describe('what the token says'),
  from: z.iso.datetime().exactOptional().describe('the signature was there between from and to'),
  to: z.iso.datetime().exactOptional(),
  authority: certificateSchema.exactOptional(),
  detail: z.string(),
});

const signatureSchema = z.strictObject({
  format: z.enum(['ovf-cert', 'cms', 'glance', 'glance-md5']),
  file: z.string(),
  algorithm: z.string(),
  status: z.enum(['trusted', 'untrusted', 'invalid']),
  signer: certificateSchema.exactOptional(),
  path: z.array(pathCertificateSchema).describe('signer first, as far as it was found'),
  timestamps: z.array(timestampSchema),
  trustedBy: z.string().exactOptional().describe('a file, a pin, or the publishers that accept it'),
  knownBy: z
    .string()
    .exactOptional()
    .describe('publishers that know it, where it is not settled that one of them may sign this'),
  unproven: z
    .literal(true)
    .exactOptional()
    .describe(
      'only the key is known, by a pin: nobody who is trusted has signed the certificate of the signer',
    ),
});

const fileSchema = z.strictObject({
  name: z.string(),
  role: z.enum(['descriptor', 'manifest', 'certificate', 'timestamp', 'revocation', 'file']),
  size: z.int().nonnegative().exactOptional(),
  offset: z.int().nonnegative().exactOptional().describe('where the member begins in the unpacked archive'),
  algorithm: z.string().exactOptional(),
  expected: hexSchema.exactOptional(),
  actual: hexSchema.exactOptional().describe('digest of the whole, when it was computed'),
  blocks: z
    .strictObject({
      file: z.string().describe('the member with the digests'),
      count: z.int().nonnegative(),
      blockSize: z.int().positive(),
      damaged: z.int().nonnegative().describe('blocks that do not match'),
      ranges: z
        .array(z.strictObject({ offset: z.int().nonnegative(), length: z.int().positive() }))
        .describe('where they are in the file, the first 16'),
    })
    .exactOptional()
    .describe('what the digests of its blocks have shown; without actual, they stood for it'),
  status: z.enum(['ok', 'mismatch', 'missing', 'unlisted', 'unchecked']),
  vouchedBy: z
    .enum(['signer', 'issuer', 'authority', 'nobody'])
    .exactOptional()
    .describe('who answers for a file that the manifest does not list; left out where it does'),
});

const errorSchema = z.strictObject({
  code: z.string().describe('stable, see errors.md'),
  message: z.string(),
  where: whereSchema,
  why: z.string(),
  fix: z.string(),
  advice: z
    .array(z.union([z.string(), advisedSchema]))
    .exactOptional()
    .describe('from the library only: the parts of fix, with what they advise by name'),
});

/**
 * The schema of `Report`, which its JSON Schema is made from; a test holds the two together.
 *
 * It loads the schema library, so nothing that only makes reports may import it.
 */
export const REPORT_SCHEMA = z.strictObject({
  schema: z.literal('bulla.report/1'),
  operation: z.string(),
  exitCode: z.int().min(0).max(255),
  verdict: z.enum(['trusted', 'untrusted', 'unsigned', 'invalid', 'malformed', 'error', 'none']),
  trusted: z.boolean(),
  input: z
    .strictObject({
      name: z.string(),
      size: z.int().nonnegative().exactOptional(),
      format: z.string().exactOptional(),
    })
    .exactOptional(),
  at: z.iso.datetime().exactOptional().describe('the moment that certificates were judged at'),
  checks: z.array(checkSchema),
  signatures: z.array(signatureSchema),
  files: z.array(fileSchema),
  errors: z.array(errorSchema).describe('first what decided exitCode'),
  warnings: z.array(z.string()),
  advice: z
    .array(advisedSchema)
    .exactOptional()
    .describe('from the library only: the warnings that advise something, with its name'),
  allowances: z.array(z.string()).describe('options that weakened a check'),
  remembered: z
    .strictObject({ folder: z.string(), count: z.int().positive() })
    .exactOptional()
    .describe('revocation lists and OCSP responses newer than any seen, written down in that folder'),
  result: z.record(z.string(), z.unknown()).exactOptional().describe('what the command made or found'),
});

/** The JSON Schema of the report (draft 2020-12) as the text of `spec/report.schema.json`. */
export function formatReportSchema(): string {
  const schema = { title: 'bulla report', ...z.toJSONSchema(REPORT_SCHEMA) };
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}
