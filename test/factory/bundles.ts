import { createHash, sign } from 'node:crypto';
import { gzip } from '../../src/archive/deflate/gzip.ts';
import { writeTar } from '../../src/archive/tar/tar-writer.ts';
import { type CertificateFile, formatCertificateFile } from '../../src/formats/ovf/certificate-file.ts';
import { formatManifest, type ManifestEntry } from '../../src/formats/ovf/manifest.ts';
import { type ByteStream, concat, once } from '../../src/kit/bytes.ts';
import type { DigestName } from '../../src/kit/digest-name.ts';
import { encodeUtf8 } from '../../src/kit/encoding.ts';
import { EKU, makeAuthority, makeCertificate, type TestCertificate } from './certificates.ts';
import { envelope, files } from './descriptors.ts';

/** A member of a bundle, or any other file in memory. */
export interface NamedBytes {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The moment that bundles are judged at in tests. */
export const JUDGED_AT = new Date('2026-11-21T12:00:00Z');

const LIFETIME = { notBefore: new Date('2020-01-01T00:00:00Z'), notAfter: new Date('2049-12-31T00:00:00Z') };

/** Makes a value once, when it is first asked for. */
function lazily<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** The CA that tests trust; RSA-2048, valid 2020 to 2049. */
export const testAuthority = lazily(() =>
  makeAuthority({ subject: 'CN=Acme CA,O=Acme', key: 'rsa2048', ...LIFETIME }),
);

/** The signer under `testAuthority`: RSA-2048, codeSigning, valid 2020 to 2049. */
export const testSigner = lazily(async () => signerUnder(await testAuthority()));

/** A signer under some CA, named and made like `testSigner` unless told otherwise. */
export function signerUnder(
  issuer: TestCertificate,
  options: Parameters<typeof makeCertificate>[0] = {},
): Promise<TestCertificate> {
  return makeCertificate({
    subject: 'CN=Acme Release,O=Acme',
    key: 'rsa2048',
    issuer,
    keyUsage: ['digitalSignature'],
    eku: [EKU.codeSigning],
    ...LIFETIME,
    ...options,
  });
}

/** A text file. */
export function textFile(name: string, text: string): NamedBytes {
  return { name, bytes: encodeUtf8(text) };
}

/** A file of bytes that look like nothing in particular, the same every time. */
export function noiseFile(name: string, size: number): NamedBytes {
  const block = createHash('sha256').update(name).digest();
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = (block[i % 32] ?? 0) ^ (i >> 5);
  return { name, bytes };
}

/** A descriptor that refers to these files as disks; `file` and `disk` are added to every `File` and `Disk`. */
export function descriptorFor(
  name: string,
  references: readonly (NamedBytes | string)[],
  { vendor = 'Acme', attributes = '' } = {},
): NamedBytes {
  const hrefs = references.map((file) => (typeof file === 'string' ? file : file.name));
  const sizes = references.map((file) =>
    typeof file === 'string' ? '' : `ovf:size="${file.bytes.byteLength}"`,
  );
  const list = files(
    ...hrefs.map((href, i) => `ovf:id="f${i}" ovf:href="${href}" ${sizes[i]} ${attributes}`),
  );
  const disk = hrefs.length > 0 ? '<Disk ovf:diskId="d" ovf:fileRef="f0" ovf:capacity="1"/>' : '';
  const product = `<ProductSection><Info/><Product>Web</Product><Vendor>${vendor}</Vendor></ProductSection>`;
  return textFile(
    name,
    envelope(
      `${list}<DiskSection><Info/>${disk}</DiskSection><VirtualSystem ovf:id="vm"><Info/>${product}</VirtualSystem>`,
    ),
  );
}

/** The payload of the usual test bundle: a disk image and another file. */
export const DISK = noiseFile('disk.img', 3000);
export const NOTES = textFile('notes.txt', 'release notes\n');

/** The payload with its descriptor. */
export function appliance(): readonly NamedBytes[] {
  return [descriptorFor('app.ovf', [DISK, NOTES]), DISK, NOTES];
}

/** How a bundle is made; whatever is left out is right. */
export interface BundleOptions {
  /** base name of manifest and certificate file */
  readonly base?: string;
  /** all files but manifest and certificate file, the descriptor first when there is one */
  readonly files?: readonly NamedBytes[];
  readonly algorithm?: DigestName;
  /** changes the lines before the manifest is written */
  readonly lines?: (entries: readonly ManifestEntry[]) => readonly ManifestEntry[];
  /** changes the manifest before it is signed */
  readonly manifest?: (bytes: Uint8Array) => Uint8Array;
  /** who signs, and what else is in the certificate file; false: nobody */
  readonly signed?: Partial<Signing> | false;
  /** changes the certificate file */
  readonly certificate?: (bytes: Uint8Array) => Uint8Array;
  /** leading: files last · trailing: files before both · split: certificate file alone at the end · first: manifest at the very front */
  readonly order?: 'leading' | 'trailing' | 'split' | 'first';
  /** changes the members in the end */
  readonly members?: (members: readonly NamedBytes[]) => readonly NamedBytes[];
  readonly gzip?: boolean;
}

/** A signer and what the certificate file says of its signature. */
export interface Signing {
  readonly signer: TestCertificate;
  /** certificates behind the signer's */
  readonly chain: readonly TestCertificate[];
  /** certificates before the signer's */
  readonly before: readonly TestCertificate[];
  readonly digest: DigestName;
  readonly manifestName: string;
}

/** The members of a bundle, signed by `testSigner` unless told otherwise. */
export async function makeMembers(options: BundleOptions = {}): Promise<readonly NamedBytes[]> {
  const { base = 'app', files: payload = appliance(), algorithm = 'sha256', order = 'leading' } = options;
  const entries = payload.map(({ name, bytes }, i) => ({
    name,
    algorithm,
    digest: createHash(algorithm).update(bytes).digest('hex'),
    line: i + 1,
  }));
  const raw = formatManifest(options.lines?.(entries) ?? entries);
  const manifest = { name: `${base}.mf`, bytes: options.manifest?.(raw) ?? raw };
  const parts = [manifest, ...(await certificateOf(manifest, options))];
  const members = arrange(order, payload, parts);
  return options.members?.(members) ?? members;
}

async function certificateOf(manifest: NamedBytes, options: BundleOptions): Promise<readonly NamedBytes[]> {
  if (options.signed === false) return [];
  const bytes = await makeCertificateFile(manifest, options.signed ?? {});
  return [{ name: manifest.name.replace(/mf$/, 'cert'), bytes: options.certificate?.(bytes) ?? bytes }];
}

/** The certificate file for a manifest. */
export async function makeCertificateFile(
  manifest: NamedBytes,
  signing: Partial<Signing>,
): Promise<Uint8Array> {
  const { signer = await testSigner(), chain = [], before = [], digest = 'sha256' } = signing;
  const file: Omit<CertificateFile, 'line' | 'loose' | 'notes'> = {
    algorithm: digest,
    manifestName: signing.manifestName ?? manifest.name,
    signature: sign(
      signer.certificate.key.type.startsWith('ed') ? null : digest,
      manifest.bytes,
      signer.privateKey,
    ),
    certificates: [...before, signer, ...chain].map(({ der }) => der),
  };
  return formatCertificateFile(file);
}

function arrange(
  order: NonNullable<BundleOptions['order']>,
  payload: readonly NamedBytes[],
  parts: readonly NamedBytes[],
): readonly NamedBytes[] {
  const front = payload.filter(({ name }) => /\.ovf$/i.test(name)).slice(0, 1);
  const rest = payload.filter((file) => !front.includes(file));
  switch (order) {
    case 'leading':
      return [...front, ...parts, ...rest];
    case 'trailing':
      return [...front, ...rest, ...parts];
    case 'split':
      return [...front, ...parts.slice(0, 1), ...rest, ...parts.slice(1)];
    case 'first':
      return [...parts, ...front, ...rest];
  }
}

/** A tar, or a gzip-compressed tar, of these members. */
export async function archiveOf(members: readonly NamedBytes[], compressed = false): Promise<Uint8Array> {
  const entries = members.map(({ name, bytes }) => ({ name, size: bytes.byteLength, body: once(bytes) }));
  const tar = writeTar(entries, { mtime: 0 });
  return bytesOf(compressed ? gzip(tar) : tar);
}

/** A whole bundle. */
export async function makeBundle(options: BundleOptions = {}): Promise<Uint8Array> {
  return archiveOf(await makeMembers(options), options.gzip ?? false);
}

/** All bytes of a stream. */
export async function bytesOf(stream: ByteStream): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of stream) parts.push(new Uint8Array(chunk));
  return concat([new Uint8Array(0), ...parts]);
}

/** The members, the one of this name replaced by what `change` makes of it. */
export function withMember(
  members: readonly NamedBytes[],
  name: string,
  change: (member: NamedBytes) => readonly NamedBytes[],
): readonly NamedBytes[] {
  return members.flatMap((member) => (member.name === name ? change(member) : [member]));
}
