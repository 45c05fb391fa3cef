import { z } from 'zod';
import { CERTIFICATE, HEX, TIME } from '../../verdict/report/report-schema.ts';

/** Bytes of a file or a bundle. */
export const BYTES = z.int().nonnegative();
/** The containers that are read and written. */
export const CONTAINER = z.enum(['tar', 'tgz', 'zip']);
const PROPERTIES = z.record(z.string(), z.string()).describe('by the names that Glance knows them by');
/** Where what was made is. */
export const OUTPUT = z
  .string()
  .exactOptional()
  .describe('the name of what was written, or -; left out when it went into a sink of the library');
/** Of a signature. */
export const TIMESTAMPED = z.boolean().describe('whether an authority says when it was signed');

const MODE = z.string().regex(/^[0-7]{4}$/);
const OWNER = z.int().nonnegative().exactOptional();

/** Of `import`. */
export const IMPORT_RESULT = z.strictObject({
  destination: z.string().exactOptional().describe('the folder; left out where a sink took the members'),
  published: z.boolean().describe('false where it was only tried'),
  files: z.array(z.string()).describe('the names of what was published, or would be'),
  access: z
    .strictObject({
      mode: MODE.describe('of the files'),
      folderMode: MODE.describe('of the folders'),
      uid: OWNER.describe('the user who owns them; left out where only publishing tells'),
      gid: OWNER.describe('their group; left out where only publishing tells'),
    })
    .exactOptional()
    .describe('who may do what with them; left out where a sink took the members'),
  images: z
    .array(
      z.strictObject({
        name: z.string(),
        propertiesFile: z.string().describe('the file with the properties, in the destination'),
        properties: PROPERTIES,
      }),
    )
    .exactOptional()
    .describe('the disk images that were signed for Glance; left out when none were'),
});

const PACKED = {
  output: OUTPUT,
  format: CONTAINER,
  bytes: BYTES.describe('of the bundle'),
};

/** Of `pack`. */
export const PACK_RESULT = z.union([
  z.strictObject({ ...PACKED, signed: z.literal(false), timestamped: z.literal(false) }),
  z.strictObject({ ...PACKED, signed: z.literal(true), timestamped: TIMESTAMPED, signer: CERTIFICATE }),
]);

/** Of `normalize`. */
export const NORMALIZE_RESULT = z.strictObject({
  output: OUTPUT,
  format: z.enum(['tar', 'tgz']),
  bytes: BYTES.describe('of the bundle'),
  reordered: z.boolean().describe('whether members stand in another order now'),
  files: z.array(z.string()).describe('the members, in their order'),
  repairs: z
    .array(
      z.strictObject({
        member: z.string().exactOptional(),
        what: z.string().describe('what the archive as it came has there'),
        offset: BYTES.exactOptional().describe('where it was met in the unpacked archive'),
      }),
    )
    .exactOptional()
    .describe('what was odd about the archive; left out where no repair was asked for'),
});

/** Of `repack`. */
export const REPACK_RESULT = z.strictObject({
  output: OUTPUT,
  format: CONTAINER,
  descriptor: z.enum(['kept', 'edited', 'replaced']),
  changes: z
    .array(
      z.strictObject({
        key: z.string(),
        old: z.string().exactOptional().describe('left out where there was no value'),
        new: z.string(),
      }),
    )
    .describe('what was set in the descriptor'),
  digests: z.array(z.enum(['sha1', 'sha256', 'sha384', 'sha512'])).describe('those of the new manifest'),
  replacedSigners: z.array(CERTIFICATE).describe('who had signed before'),
  signer: CERTIFICATE,
  timestamped: TIMESTAMPED,
});

/** Of `diff`. */
export const DIFF_RESULT = z.strictObject({
  a: z.string().describe('the first bundle, by name'),
  b: z.string().describe('the second'),
  same: z.boolean(),
  differences: z.array(
    z.strictObject({
      kind: z.enum(['member', 'descriptor', 'signer']),
      what: z.string().describe('the member, or the field'),
      a: z.string().exactOptional().describe('left out where the first does not have it'),
      b: z.string().exactOptional(),
    }),
  ),
  packing: z.array(z.string()).describe('in what the archives differ although the bundles need not'),
});

/** Of `split`. */
export const SPLIT_RESULT = z.strictObject({
  sha256: HEX.describe('of the bundle'),
  volumes: z.array(
    z.strictObject({
      file: z.string(),
      bytes: BYTES.describe('of the volume, with its header'),
      sha256: HEX.describe('of what follows the header'),
    }),
  ),
});

const JOINED = {
  name: z.string().describe('the bundle, as it was called when it was split'),
  volumes: z.array(
    z.strictObject({
      file: z.string(),
      volume: z.int().positive().describe('its number, from 1'),
      sha256: HEX.describe('of what follows its header'),
    }),
  ),
};

/** Of `join`: the bundle that was written, or which volumes were only checked. */
export const JOIN_RESULT = z.union([
  z.strictObject({
    output: OUTPUT,
    bytes: BYTES.describe('of the bundle'),
    sha256: HEX.describe('of the bundle'),
    ...JOINED,
  }),
  z.strictObject({
    checked: z.literal(true),
    missing: z.array(z.int().positive()).describe('the numbers of volumes that were not given'),
    ...JOINED,
  }),
]);

/** Of `clean`. */
export const CLEAN_RESULT = z.strictObject({
  folder: z.string(),
  leftovers: z.array(
    z.strictObject({
      name: z.string(),
      result: z.string().describe('the name that its result was to have'),
      state: z
        .enum(['running', 'unknown', 'kept', 'left'])
        .describe('a run is at work on it, or may be; it is kept to be taken up again; its run is gone'),
      bytes: BYTES,
      written: TIME.describe('when something in it was written last'),
      putBack: z.array(z.string()).describe('older files that get their names back, or got them'),
      takenAway: z.array(z.string()).describe('new files that are taken away, or were'),
      foreign: z.array(z.string()).describe('names of older files under which something else is by now'),
      missing: z.array(z.string()).describe('new files that are not where they were written'),
      removed: z.boolean(),
    }),
  ),
});

/** Of `dev-certs`. */
export const DEV_CERTS_RESULT = z.strictObject({
  folder: z.string(),
  files: z.array(z.string()).describe('the names of what is in it'),
});

/** Of `glance verify`. */
export const IMAGE_RESULT = z.strictObject({
  signature: z.enum(['valid', 'invalid', 'not-judged']),
  certificate: z.enum(['trusted', 'untrusted', 'not-judged']),
  certificateUuid: z.string().exactOptional(),
  certificateSource: z.string().exactOptional().describe('where the certificate was taken from'),
  cursive: z
    .union([
      z.strictObject({ verdict: z.literal('accept') }),
      z.strictObject({
        verdict: z.literal('reject'),
        error: z.string().describe('the class of its exception'),
        message: z.string(),
      }),
    ])
    .exactOptional()
    .describe('in compatible mode only'),
});

/** Of `glance sign`. */
export const SIGN_IMAGE_RESULT = z.strictObject({
  output: z
    .string()
    .exactOptional()
    .describe('the file with the properties, or -; left out when they are only here'),
  properties: PROPERTIES,
});

/** Of `glance store-certificate`. */
export const STORE_RESULT = z.strictObject({
  certificateUuid: z.string(),
  secretRef: z.string().describe('the address by which Barbican knows it'),
  certificate: CERTIFICATE,
});
