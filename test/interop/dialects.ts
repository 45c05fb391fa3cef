import { createHash, verify, X509Certificate } from 'node:crypto';

/** A member of an archive as a reader of plain ustar alone sees it. */
interface UstarMember {
  readonly name: string;
  readonly bytes: Buffer;
}

/** What a product reads in an archive that it does not refuse. */
interface Reading {
  /** in their order */
  readonly names: readonly string[];
  readonly signer: X509Certificate;
  readonly manifest: Buffer;
  readonly certificateFile: string;
}

const BLOCK = 512;

/** The members of an archive in which everything is as POSIX.1-1988 has it: no extensions of GNU or pax, sizes in octal, two blocks of zeros at the end. */
function readUstar(archive: Buffer): readonly UstarMember[] {
  const members: UstarMember[] = [];
  let at = 0;
  for (;;) {
    const header = archive.subarray(at, at + BLOCK);
    if (header.every((byte) => byte === 0)) break;
    const field = (from: number, length: number): string =>
      header.subarray(from, from + length).toString('latin1');
    const text = (from: number, length: number): string => field(from, length).split('\0', 1)[0] ?? '';
    const name = text(0, 100);
    hold(field(257, 8) === 'ustar\x0000', `${name}: the magic is not that of ustar`);
    hold(text(156, 1) === '0', `${name}: it is no regular file`);
    hold(text(345, 155) === '', `${name}: the name is in two parts`);
    hold(/^[0-7]{11}\0$/.test(field(124, 12)), `${name}: the size is not octal`);
    const sum = header.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 32 : byte), 0);
    hold(Number.parseInt(field(148, 6), 8) === sum, `${name}: the checksum`);
    const size = Number.parseInt(field(124, 11), 8);
    const start = at + BLOCK;
    members.push({ name, bytes: archive.subarray(start, start + size) });
    at = start + Math.ceil(size / BLOCK) * BLOCK;
  }
  hold(archive.length - at >= 2 * BLOCK, 'it does not end in two blocks of zeros');
  hold(
    archive.subarray(at).every((byte) => byte === 0),
    'something follows the end',
  );
  return members;
}

/** One descriptor, manifest and certificate file, of the same base name. */
function readPackage(archive: Buffer): {
  readonly base: string;
  readonly names: readonly string[];
  readonly bytesOf: (name: string) => Buffer;
} {
  const members = readUstar(archive);
  const names = members.map(({ name }) => name);
  hold(new Set(names.map((name) => name.toLowerCase())).size === names.length, 'a name is there twice');
  const base = (names.find((name) => name.endsWith('.ovf')) ?? '').slice(0, -'.ovf'.length);
  for (const kind of ['.ovf', '.mf', '.cert'])
    hold(names.filter((name) => name.endsWith(kind)).join() === `${base}${kind}`, `not one ${kind}`);
  const bytesOf = (name: string): Buffer => {
    const member = members.find((candidate) => candidate.name === name);
    hold(member !== undefined, `${name} is not there`);
    return member?.bytes ?? Buffer.alloc(0);
  };
  return { base, names, bytesOf };
}

/** The files that the descriptor refers to, in its order. */
function referencesOf(descriptor: Buffer): readonly string[] {
  return [...descriptor.toString().matchAll(/<File\b[^>]*\bovf:href="([^"]+)"/g)].map(
    ([, href = '']) => href,
  );
}

function holdSignature(digest: string, hex: string, manifest: Buffer, signer: X509Certificate): void {
  hold(signer.publicKey.asymmetricKeyType === 'rsa', 'the key of the signer is not of RSA');
  const isGood = verify(digest, manifest, signer.publicKey, Buffer.from(hex, 'hex'));
  hold(isGood, 'the signature, RSA with PKCS #1 v1.5, does not match');
}

/** Reads an archive as vCenter and ovftool do, refusing whatever is not as they write it. */
export function readAsVsphere(archive: Buffer): Reading {
  const { base, names, bytesOf } = readPackage(archive);
  const descriptor = bytesOf(`${base}.ovf`);
  const files = referencesOf(descriptor);
  const order = [`${base}.ovf`, `${base}.mf`, `${base}.cert`, ...files];
  hold(names.join('\n') === order.join('\n'), `the order is ${names.join()}`);
  hold(
    descriptor.toString().includes('xmlns="http://schemas.dmtf.org/ovf/envelope/1"'),
    'the descriptor is not OVF 1',
  );
  const manifest = bytesOf(`${base}.mf`);
  const listed = new Set<string>();
  hold(manifest.at(-1) === 0x0a, 'the last line of the manifest has no end');
  for (const line of manifest.toString().split('\n').slice(0, -1)) {
    const [, digest = '', name = '', hex = ''] =
      /^(SHA256|SHA512)\((.+)\)= ((?:[0-9a-f]{64}){1,2})$/.exec(line) ?? [];
    hold(name !== '' && !listed.has(name), `the manifest has a line ${line}`);
    listed.add(name);
    hold(hashOf(digest, bytesOf(name)) === hex, `the digest of ${name}`);
  }
  hold(
    listed.size === files.length + 1 && [`${base}.ovf`, ...files].every((name) => listed.has(name)),
    'the manifest lists other files than the descriptor',
  );
  const certificateFile = bytesOf(`${base}.cert`).toString();
  const signer = new X509Certificate(certificateFile);
  const [, digest = '', of, hex = ''] =
    /^(SHA256|SHA512)\(([^\n]+)\)= ([0-9a-f]+)\n-----BEGIN CERTIFICATE-----\n/.exec(certificateFile) ?? [];
  hold(of === `${base}.mf`, 'the signature is not of the manifest');
  holdSignature(digest, hex, manifest, signer);
  hold(certificateFile.match(/BEGIN CERTIFICATE/g)?.length === 1, 'there is not one certificate');
  return { names, signer, manifest, certificateFile };
}

/** Reads an archive as VirtualBox does: blanks in lines of manifests, any order, and what it does not know of a manifest passed over. */
export function readAsVirtualbox(archive: Buffer): Reading {
  const { base, names, bytesOf } = readPackage(archive);
  const manifest = bytesOf(`${base}.mf`);
  hold(manifest.at(-1) === 0x0a, 'the last line of the manifest has no end, and would be dropped');
  const listed = linesOf(manifest.toString());
  for (const [name, { digest, hex }] of listed)
    hold(hashOf(digest, bytesOf(name)) === hex, `the digest of ${name}`);
  for (const name of [`${base}.ovf`, ...referencesOf(bytesOf(`${base}.ovf`))])
    hold(listed.has(name), `${name} is not in the manifest`);
  const certificateFile = bytesOf(`${base}.cert`).toString();
  const at = certificateFile.indexOf('-----BEGIN CERTIFICATE-----');
  const signer = new X509Certificate(certificateFile.slice(at));
  const line = linesOf(certificateFile.slice(0, at)).get(`${base}.mf`);
  hold(line !== undefined, 'the signature is not of the manifest');
  if (line) holdSignature(line.digest, line.hex, manifest, signer);
  return { names, signer, manifest, certificateFile };
}

/** `ATTR (name) = value`, blanks at will but for the line ends, as VirtualBox reads manifests and what stands before a certificate. */
function linesOf(text: string): ReadonlyMap<string, { readonly digest: string; readonly hex: string }> {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  return new Map(
    lines.map((line) => {
      const [, digest = '', name = '', hex = ''] =
        /^\s*(MD5|SHA1|SHA256|SHA512)\s*\((.+?)\)\s*=\s*([0-9a-fA-F]+)\s*$/.exec(line) ?? [];
      hold(name !== '', `the line "${line}" is not one of a manifest`);
      return [name.trim(), { digest, hex: hex.toLowerCase() }];
    }),
  );
}

function hashOf(digest: string, bytes: Buffer): string {
  return createHash(digest.toLowerCase()).update(bytes).digest('hex');
}

function hold(isSo: boolean, refusal: string): void {
  if (!isSo) throw new Error(refusal);
}
