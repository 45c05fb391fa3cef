import type { NamedMember } from '../../verdict/walk/member.ts';
import { makeSignature } from '../sign/make-signature.ts';
import type { PackOptions } from './options.ts';

/**
 * The members that speak for the others: the manifest, and the certificate file and timestamp of who signs it, if anybody does.
 *
 * @param manifest its bytes
 * @param base the name of all of them, without what tells them apart
 * @throws what signing and timestamping throw
 */
export async function manifestParts(
  manifest: Uint8Array,
  base: string,
  {
    identity,
    digest = 'sha256',
    cms,
    timestamp,
    signal,
  }: Pick<PackOptions, 'identity' | 'digest' | 'cms' | 'timestamp' | 'signal'>,
): Promise<readonly NamedMember[]> {
  const member = { name: `${base}.mf`, bytes: manifest };
  if (!identity) return [member];
  const made = await makeSignature(member, identity, {
    digest,
    ...(cms !== undefined && { cms }),
    ...(timestamp !== undefined && { timestamp }),
    signal,
  });
  return [
    member,
    { name: `${base}.cert`, bytes: made.certificate },
    ...(made.timestamp ? [{ name: `${base}.tst`, bytes: made.timestamp }] : []),
  ];
}
