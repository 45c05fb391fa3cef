import { derOid, derSequence } from '../../src/formats/der/writer.ts';
import type { NamedBytes } from './bundles.ts';
import { testSigner } from './bundles.ts';
import type { TestCertificate } from './certificates.ts';
import { makeCms, type TestCmsOptions } from './cms.ts';

/** An algorithm that nobody knows. */
export const NO_ALGORITHM = derSequence(derOid('1.3.6.1.4.1.99999.1'));

/** A signature beside the manifest among these members. */
export async function sidecarFor(
  members: readonly NamedBytes[],
  name: string,
  options: Partial<TestCmsOptions> & { readonly by?: TestCertificate } = {},
): Promise<NamedBytes> {
  const { by = await testSigner(), ...given } = options;
  const content = members.find((one) => one.name.endsWith('.mf'))?.bytes ?? new Uint8Array();
  return { name, bytes: makeCms({ content, signers: [{ by }], ...given }) };
}

/** The members with more of them right behind the parts at the front. */
export function withBeside(
  members: readonly NamedBytes[],
  ...more: readonly NamedBytes[]
): readonly NamedBytes[] {
  const at = members.findLastIndex(({ name }) => /\.(?:mf|cert|tst|p7s)$/.test(name)) + 1;
  return [...members.slice(0, at), ...more, ...members.slice(at)];
}
