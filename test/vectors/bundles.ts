import type { ErrorCode } from '../../src/kit/errors/errors.ts';
import type { Allowances } from '../../src/trust/policy.ts';
import {
  appliance,
  DISK,
  descriptorFor,
  makeBundle,
  makeCertificateFile,
  NOTES,
  textFile,
  withMember,
} from '../factory/bundles.ts';
import type { TestCertificate } from '../factory/certificates.ts';
import { CONTENT_VECTORS } from './bundle-contents.ts';
import { DESCRIPTOR_VECTORS } from './bundle-descriptors.ts';
import { SIGNATURE_VECTORS } from './bundle-signatures.ts';
import { TRUST_VECTORS } from './bundle-trust.ts';

/** One bundle that is good, or wrong for one reason, and what is to be said about it. */
export interface BundleVector {
  readonly name: string;
  /** the clauses it is about, as test titles cite them */
  readonly clause: string;
  readonly build: () => Promise<Uint8Array>;
  readonly options?: VectorOptions;
  readonly exitCode: number;
  /** codes of the errors, those first that decide */
  readonly codes: readonly ErrorCode[];
  /** words that one of the warnings has */
  readonly warning?: string;
  /** where the first error lies */
  readonly where?: { readonly member?: string; readonly line?: number };
}

/** How a vector is verified: trusting `testAuthority` alone, and allowing nothing, unless told otherwise. */
export interface VectorOptions {
  readonly allow?: Partial<Allowances>;
  readonly at?: Date;
  /** in place of `testAuthority`; an empty list trusts nobody */
  readonly anchors?: () => Promise<readonly TestCertificate[]>;
  /** `publisher.toml` and the CA of publishers, by name, in place of anchors */
  readonly publishers?: () => Promise<Readonly<Record<string, { toml: string; ca: TestCertificate }>>>;
}

const GOOD = { exitCode: 0, codes: [] } as const;

/** An ordinary file that looks like a manifest, and the bundle that lists it. */
const STRAY = textFile('other.mf', 'SHA1(disk.img)= 00\n');
const STRAY_CERTIFICATE = textFile('other.cert', 'nothing to do with certificates\n');

/** A second signed manifest, for a plain bundle of one file. */
async function secondPair(): Promise<
  readonly [manifest: ReturnType<typeof textFile>, certificate: ReturnType<typeof textFile>]
> {
  const manifest = textFile('b.mf', `SHA256(disk.img)= ${'0'.repeat(64)}\n`);
  return [manifest, { name: 'b.cert', bytes: await makeCertificateFile(manifest, {}) }];
}

const PART_VECTORS: readonly BundleVector[] = [
  {
    name: 'signed, signature first',
    clause: '[bundle.1] [judge.3] [sig.1]',
    build: () => makeBundle(),
    ...GOOD,
  },
  {
    name: 'signed, files first',
    clause: '[bundle.4]',
    build: () => makeBundle({ order: 'trailing' }),
    ...GOOD,
  },
  {
    name: 'certificate file last, as VirtualBox writes it',
    clause: '[bundle.4]',
    build: () => makeBundle({ order: 'split' }),
    ...GOOD,
  },
  {
    name: 'manifest at the very front',
    clause: '[bundle.4]',
    build: () => makeBundle({ order: 'first' }),
    ...GOOD,
  },
  { name: 'compressed', clause: '[judge.3]', build: () => makeBundle({ gzip: true }), ...GOOD },
  {
    name: 'plain bundle',
    clause: '[bundle.1]',
    build: () => makeBundle({ files: [DISK, NOTES], base: 'images' }),
    ...GOOD,
  },
  {
    name: 'plain bundle, files first',
    clause: '[bundle.4]',
    build: () => makeBundle({ files: [DISK, NOTES], base: 'images', order: 'trailing' }),
    ...GOOD,
  },
  {
    name: 'extensions in capitals',
    clause: '[bundle.1]',
    build: () =>
      makeBundle({
        files: [descriptorFor('app.OVF', [DISK]), DISK],
        members: (members) =>
          members.map(({ name, bytes }) => ({
            name: name.replace('.mf', '.MF').replace('.cert', '.CERT'),
            bytes,
          })),
        signed: { manifestName: 'app.MF' },
      }),
    ...GOOD,
  },
  {
    name: 'base names that differ in case',
    clause: '[bundle.1]',
    build: () => makeBundle({ base: 'App' }),
    exitCode: 16,
    codes: ['MANIFEST_MISSING'],
  },
  {
    name: 'two descriptors',
    clause: '[bundle.3]',
    build: () => makeBundle({ files: [...appliance(), descriptorFor('b.ovf', [])] }),
    exitCode: 16,
    codes: ['PACKAGE_AMBIGUOUS'],
    where: { member: 'b.ovf' },
  },
  {
    name: 'two manifests of a plain bundle',
    clause: '[bundle.3]',
    build: () => makeBundle({ files: [DISK, textFile('b.mf', '')] }),
    exitCode: 16,
    codes: ['PACKAGE_AMBIGUOUS'],
  },
  {
    name: 'a second signed manifest behind the first',
    clause: '[bundle.3]',
    build: async () => {
      const pair = await secondPair();
      return makeBundle({ members: (members) => [...members, ...pair] });
    },
    exitCode: 16,
    codes: ['PACKAGE_AMBIGUOUS'],
    where: { member: 'b.cert' },
  },
  {
    name: 'a second signed manifest before the descriptor',
    clause: '[bundle.3]',
    build: async () => {
      const pair = await secondPair();
      return makeBundle({ members: (members) => [...pair, ...members] });
    },
    exitCode: 16,
    codes: ['PACKAGE_AMBIGUOUS'],
    where: { member: 'b.cert' },
  },
  {
    name: 'another manifest beside the descriptor is an ordinary file',
    clause: '[bundle.5]',
    build: () => makeBundle({ files: [descriptorFor('app.ovf', [DISK, STRAY]), STRAY, DISK] }),
    ...GOOD,
  },
  {
    name: 'another manifest before the descriptor is an ordinary file',
    clause: '[bundle.5]',
    build: () =>
      makeBundle({
        algorithm: 'sha512',
        files: [descriptorFor('app.ovf', [DISK, STRAY]), DISK, STRAY],
        members: (members) => {
          const early = [DISK, STRAY];
          return [...early, ...members.filter((member) => !early.includes(member as typeof DISK))];
        },
      }),
    ...GOOD,
  },
  {
    name: 'another certificate file is an ordinary file',
    clause: '[bundle.5]',
    build: () =>
      makeBundle({ files: [descriptorFor('app.ovf', [DISK, STRAY_CERTIFICATE]), DISK, STRAY_CERTIFICATE] }),
    ...GOOD,
  },
  {
    name: 'only the manifest of another name',
    clause: '[bundle.5] [judge.5]',
    build: () => makeBundle({ base: 'different' }),
    exitCode: 16,
    codes: ['MANIFEST_MISSING'],
  },
  {
    name: 'manifest and certificate file in a folder',
    clause: '[bundle.2]',
    build: () =>
      makeBundle({
        members: (members) =>
          members.map(({ name, bytes }) => ({ name: name.replace(/(app.(mf|cert))/, 'sub/$1'), bytes })),
      }),
    exitCode: 16,
    codes: ['MANIFEST_MISSING'],
  },
  {
    name: 'a descriptor in a folder is an ordinary file',
    clause: '[bundle.2]',
    build: () => makeBundle({ files: [textFile('sub/app.ovf', '<hostile'), DISK] }),
    ...GOOD,
  },
  {
    name: 'the certificate file without a manifest',
    clause: '[judge.5]',
    build: () => makeBundle({ members: (members) => withMember(members, 'app.mf', () => []) }),
    exitCode: 16,
    codes: ['MANIFEST_MISSING'],
  },
  {
    name: 'no manifest, whatever is allowed',
    clause: '[judge.5]',
    build: () => makeBundle({ signed: false, members: (members) => withMember(members, 'app.mf', () => []) }),
    options: { allow: { unsigned: true, unlistedDescriptor: true } },
    exitCode: 16,
    codes: ['MANIFEST_MISSING'],
  },
];

/** Every vector. */
export const BUNDLE_VECTORS: readonly BundleVector[] = [
  ...PART_VECTORS,
  ...CONTENT_VECTORS,
  ...DESCRIPTOR_VECTORS,
  ...SIGNATURE_VECTORS,
  ...TRUST_VECTORS,
];
