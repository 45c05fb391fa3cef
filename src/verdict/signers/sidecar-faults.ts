import type { BundleError } from '../../kit/errors/errors.ts';
import { toBundleError } from '../../kit/errors/errors.ts';
import type { SignedManifest } from '../bundle/signed-manifest.ts';
import { readSidecar } from './read-sidecar.ts';

/**
 * What an importer would say of the signatures beside a manifest, whoever it trusts: those that cannot be read, or do not fit. What comes
 * without a certificate fits nothing here. [pack.5]
 */
export function sidecarFaults({
  manifest,
  sidecars,
}: Pick<SignedManifest, 'manifest' | 'sidecars'>): readonly BundleError[] {
  return sidecars.flatMap((one) => {
    try {
      const { cms } = readSidecar(one, manifest.bytes, { beside: [], trusted: [] });
      return (cms?.found ?? []).flatMap(({ fault }) => fault ?? []);
    } catch (error) {
      return [toBundleError(error)];
    }
  });
}
