import { z } from 'zod';
import { CERTIFICATE, PATH_CERTIFICATE, TIME } from '../../verdict/report/report-schema.ts';

/** Of `trust check`. */
export const CHECK_RESULT = z.strictObject({
  path: z.array(PATH_CERTIFICATE).describe('the leaf first, as far as it was found'),
  attempts: z
    .array(
      z.strictObject({
        path: z.array(CERTIFICATE),
        errors: z.array(z.strictObject({ code: z.string(), message: z.string() })),
      }),
    )
    .describe('the ways that were tried, and why each did not do; no errors for the one that did'),
});

const TRUSTED_CERTIFICATE = CERTIFICATE.extend({
  matched: z
    .enum(['certificate', 'key'])
    .exactOptional()
    .describe('what of it the fingerprint is of that was given when it was added'),
}).meta({ id: 'trustedCertificate' });

const PUBLISHER = z
  .strictObject({
    name: z.string(),
    folder: z.string(),
    scopes: z.array(z.string()).describe('what it may sign, vendor/name'),
    subjects: z.array(z.string()).describe('who may sign; any when there is none'),
    threshold: z.int().positive().describe('how many signers it takes'),
    from: TIME.exactOptional(),
    until: TIME.exactOptional(),
    revocation: z.enum(['require', 'if-present', 'off']).exactOptional(),
    timestamp: z.enum(['require', 'prefer', 'ignore']).exactOptional(),
    require: z
      .array(z.enum(['post-quantum']))
      .exactOptional()
      .describe('kinds of signatures of which there must be one each'),
    anchors: z.array(TRUSTED_CERTIFICATE),
  })
  .meta({ id: 'publisher' });

const AUTHORITIES = z
  .array(z.strictObject({ file: z.string(), certificate: TRUSTED_CERTIFICATE }))
  .describe('timestamp authorities, each certificate with its file');

/** Of `trust add`. */
export const TRUST_ADD_RESULT = z.union([
  z.strictObject({ publisher: PUBLISHER }),
  z.strictObject({ authorities: AUTHORITIES }),
]);

/** Of `trust list`. */
export const TRUST_LIST_RESULT = z.strictObject({
  publishers: z.array(PUBLISHER),
  authorities: AUTHORITIES,
});

/** Of `trust show`. */
export const TRUST_SHOW_RESULT = z.union([
  z.strictObject({ publisher: PUBLISHER }),
  z.strictObject({ publisher: PUBLISHER.exactOptional(), authorities: AUTHORITIES }),
]);

/** Of `trust remove`. */
export const TRUST_REMOVE_RESULT = z.strictObject({
  removed: z.string().describe('the folder that is gone'),
});
