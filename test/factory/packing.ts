import type { SigningIdentity } from '../../src/operations/sign/signing.ts';
import { loadSigningIdentity } from '../../src/operations/sign/signing-identity.ts';
import { verify } from '../../src/operations/verify/verify.ts';
import { asArchive, read } from './archives.ts';
import { type BundleOptions, JUDGED_AT, makeBundle, testSigner } from './bundles.ts';
import type { TestCertificate } from './certificates.ts';
import { codesOf } from './reports.ts';
import { type Sandbox, trusting } from './sandbox.ts';
import { chunked } from './streams.ts';

/** Key and certificate of a signer as files in the sandbox. */
export function signingFiles(
  sandbox: Sandbox,
  { pem, privateKeyPem }: TestCertificate,
): { readonly key: string; readonly certificate: string } {
  return {
    key: sandbox.write('.keys/key.pem', privateKeyPem),
    certificate: sandbox.write('.keys/cert.pem', pem),
  };
}

/** `testSigner`, or another one, as the packer uses it. */
export async function identityOf(sandbox: Sandbox, signer?: TestCertificate): Promise<SigningIdentity> {
  return loadSigningIdentity(signingFiles(sandbox, signer ?? (await testSigner())), JUDGED_AT);
}

/** The names in an archive, in their order. */
export async function namesIn(bytes: Uint8Array): Promise<readonly string[]> {
  const { members, error } = await read(chunked(bytes), asArchive);
  if (error) throw new Error(`${error.code}: ${error.message}`);
  return members.map(({ name }) => name);
}

/** What an importer says: the codes of what is wrong, or that the bundle is trusted. */
export async function verdictOn(sandbox: Sandbox, bytes: Uint8Array): Promise<readonly string[]> {
  const { verdict, report } = await verify(chunked(bytes), await trusting(sandbox));
  return verdict === 'trusted' ? [verdict] : codesOf(report);
}

/** Writes a bundle into the sandbox as `in.ova`. */
export async function placeBundle(sandbox: Sandbox, options: BundleOptions = {}): Promise<string> {
  return sandbox.write('in.ova', await makeBundle(options));
}
