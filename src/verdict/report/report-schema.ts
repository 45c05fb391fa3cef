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

const whereSchema = z
  .strictObject({
    file: z.string().exactOptional(),
    member: z.string().exactOptional(),
    offset: z.int().nonnegative().exactOptional().describe('in the archive, unpacked where it is compressed'),
    memberOffset: z.int().nonnegative().exactOptional().describe('in the content of the member'),
    compressedOffset: z
      .int()
      .nonnegative()
      .exactOptional()
      .describe('in what gzip has compressed: the archive as it came, or a member that is decompressed'),
    line: z.int().positive().exactOptional(),
  })
  .meta({ id: 'where' });

const checkSchema = z
  .strictObject({
    id: z.enum(CHECK_IDS),
    status: z.enum(['pass', 'fail', 'warn', 'skip']),
    detail: z.string(),
    advice: advisedSchema
      .exactOptional()
      .describe('from the library only: detail, with what it advises by name'),
  })
  .meta({ id: 'check' });

/** A moment, ISO 8601 in UTC. */
export const TIME = z.iso.datetime().meta({ id: 'time' });

/** Bytes in hex, lower case. */
export const HEX = z.string().regex(/^([0-9a-f]{2})+$/);

/** A certificate, as `CertificateReport`. */
export const CERTIFICATE = z
  .strictObject({
    subject: z.string(),
    issuer: z.string(),
    notBefore: TIME,
    notAfter: TIME,
    key: z.string().describe('kind and size, such as RSA-3072'),
    fingerprint: HEX.describe('SHA-256 of the certificate'),
    spkiSha256: HEX.describe('SHA-256 of its public key, as a pin has it'),
  })
  .meta({ id: 'certificate' });

/** A certificate of a path, as `PathCertificateReport`. */
export const PATH_CERTIFICATE = CERTIFICATE.extend({
  revocation: z
    .strictObject({
      status: z.enum(['good', 'revoked', 'unknown', 'stale', 'not-checked']),
      detail: z.string(),
    })
    .exactOptional(),
}).meta({ id: 'pathCertificate' });

const timestampSchema = z
  .strictObject({
    status: z.enum(['proven', 'invalid']),
    time: z.string().describe('what the token says'),
    from: TIME.exactOptional().describe('the signature was there between from and to'),
    to: TIME.exactOptional(),
    authority: CERTIFICATE.exactOptional(),
    detail: z.string(),
  })
  .meta({ id: 'timestamp' });

const signatureSchema = z
  .strictObject({
    format: z.enum(['ovf-cert', 'cms', 'glance', 'glance-md5']),
    file: z.string(),
    role: z.string().exactOptional().describe('the part that its signer plays, by the name of the file'),
    algorithm: z.string(),
    status: z
      .enum(['trusted', 'untrusted', 'invalid', 'unknown'])
      .describe('unknown: of a type or an algorithm that is not known, and counted for nothing'),
    kind: z
      .enum(['classical', 'post-quantum'])
      .exactOptional()
      .describe('of a trusted one; post-quantum where the whole path is ML-DSA-65 or -87'),
    signer: CERTIFICATE.exactOptional(),
    path: z.array(PATH_CERTIFICATE).describe('signer first, as far as it was found'),
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
  })
  .meta({ id: 'signature' });

const fileSchema = z
  .strictObject({
    name: z.string(),
    role: z.enum(['descriptor', 'manifest', 'certificate', 'timestamp', 'signature', 'revocation', 'file']),
    size: z.int().nonnegative().exactOptional(),
    offset: z
      .int()
      .nonnegative()
      .exactOptional()
      .describe('where the member begins in the unpacked archive; left out where each is a file of its own'),
    algorithm: z.string().exactOptional(),
    expected: HEX.exactOptional(),
    actual: HEX.exactOptional().describe('digest of the whole, when it was computed'),
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
  })
  .meta({ id: 'file' });

const errorSchema = z
  .strictObject({
    code: z.string().describe('stable, see errors.md'),
    message: z.string(),
    where: whereSchema,
    why: z.string(),
    fix: z.string(),
    advice: z
      .array(z.union([z.string(), advisedSchema]))
      .exactOptional()
      .describe('from the library only: the parts of fix, with what they advise by name'),
  })
  .meta({ id: 'error' });

const place = {
  name: z.string(),
  size: z.int().nonnegative().exactOptional().describe('bytes'),
  format: z.string().exactOptional(),
};

const inputSchema = z
  .strictObject({
    ...place,
    inner: z
      .strictObject(place)
      .exactOptional()
      .describe('the bundle, where it is a member of the archive that was named'),
  })
  .meta({ id: 'input' });

const rememberedSchema = z
  .strictObject({ folder: z.string(), count: z.int().positive() })
  .meta({ id: 'remembered' });

const verdictSchema = z
  .enum(['trusted', 'untrusted', 'unsigned', 'invalid', 'malformed', 'error', 'none'])
  .meta({ id: 'verdict' });

/**
 * What every `Report` has besides its operation and its result.
 *
 * It loads the schema library, so nothing that only makes reports may import it.
 */
export const REPORT_FIELDS = {
  exitCode: z.int().min(0).max(255),
  verdict: verdictSchema,
  trusted: z.boolean(),
  input: inputSchema.exactOptional(),
  at: TIME.exactOptional().describe('the moment that certificates were judged at'),
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
  defaults: z
    .array(
      z.strictObject({ option: z.string(), from: z.string().describe('the name of a variable, or a file') }),
    )
    .exactOptional()
    .describe('from the command line only: options that were left out and have a default here'),
  remembered: rememberedSchema
    .exactOptional()
    .describe('revocation lists and OCSP responses newer than any seen, written down in that folder'),
};
