import { z } from 'zod';
import { CERTIFICATE } from '../../verdict/report/report-schema.ts';
import { TARGETS } from '../../verdict/targets/target.ts';
import { BYTES, CONTAINER } from './result-schemas.ts';

const DESCRIPTOR = z.strictObject({
  version: z.union([z.literal(1), z.literal(2)]).describe('major version of OVF'),
  name: z.string().exactOptional(),
  references: z.array(
    z.strictObject({
      id: z.string(),
      href: z.string(),
      size: BYTES.exactOptional().describe('bytes as stored, over all chunks'),
      compression: z.enum(['identity', 'gzip', 'bzip2']),
      chunkSize: z.int().positive().exactOptional().describe('bytes of each chunk but the last'),
    }),
  ),
  disks: z.array(
    z.strictObject({
      id: z.string(),
      fileId: z.string().exactOptional(),
      capacity: z.number().nonnegative().exactOptional().describe('bytes'),
      format: z.string().exactOptional(),
      populatedSize: z.number().nonnegative().exactOptional().describe('bytes'),
    }),
  ),
  products: z.array(
    z.strictObject({
      name: z.string().exactOptional(),
      vendor: z.string().exactOptional(),
      version: z.string().exactOptional(),
      fullVersion: z.string().exactOptional(),
    }),
  ),
  systems: z.array(
    z.strictObject({
      id: z.string(),
      name: z.string().exactOptional(),
      operatingSystem: z.string().exactOptional(),
      cpus: z.number().nonnegative().exactOptional(),
      memoryMiB: z.number().nonnegative().exactOptional().describe('MiB, may have a fraction'),
    }),
  ),
});

const DISK = z.strictObject({
  format: z.enum(['raw', 'qcow2', 'vmdk', 'vhd', 'vhdx', 'iso']),
  variant: z.string().exactOptional().describe('the kind within the format, such as streamOptimized'),
  virtualSize: z.number().nonnegative().describe('bytes that a guest sees'),
  backingFile: z.string().exactOptional().describe('the image that this one only adds to'),
  dataFile: z.string().exactOptional().describe('the files that hold the content, joined by ", "'),
  note: z.string().exactOptional(),
});

const TARGET = z.strictObject({
  target: z.enum(TARGETS),
  accepts: z.array(z.string()).describe('in words'),
  findings: z.array(
    z.strictObject({
      id: z.string().describe('the rule, such as disk.subformat'),
      severity: z
        .enum(['refused', 'trouble', 'note'])
        .describe(
          'its importer refuses it; something is lost or wrong afterwards; it depends on the version',
        ),
      where: z.string().describe('the member or the machine; empty for the whole'),
      what: z.string(),
      do: z.string(),
    }),
  ),
});

const ARCHIVE = {
  format: z
    .enum([...CONTAINER.options, 'files'])
    .exactOptional()
    .describe('files: each member is a file of its own'),
  disks: z.record(z.string(), DISK).describe('what the header of each disk image says, by member'),
  targets: z.array(TARGET).exactOptional().describe('of the platforms that were asked about'),
};

const CLAIMS = {
  manifestLines: z.int().nonnegative().exactOptional(),
  claimedSigner: CERTIFICATE.exactOptional().describe('not verified'),
};

/** Of `inspect`: what makes it a bundle is a descriptor, a manifest alone, or nothing. */
export const INSPECT_RESULT = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('ovf'), ...ARCHIVE, ...CLAIMS, descriptor: DESCRIPTOR.exactOptional() }),
  z.strictObject({ kind: z.literal('plain'), ...ARCHIVE, ...CLAIMS }),
  z.strictObject({ kind: z.literal('none'), ...ARCHIVE }),
]);
