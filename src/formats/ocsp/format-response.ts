import { childrenOf, openDer, readOnly, TAG } from '../der/cursor.ts';
import { derElement, derOctets, derSequence } from '../der/writer.ts';

/**
 * An OCSP response with those of its certificates that `keep` names; nobody has signed which ones it brings.
 *
 * @param der a response that `parseOcspResponse` reads
 * @see spec/bundle.md, clause bundle.8
 */
export function withResponders(der: Uint8Array, keep: (certificate: Uint8Array) => boolean): Uint8Array {
  const what = 'the OCSP response';
  const outer = openDer(readOnly(der, TAG.sequence, what).value, what);
  const status = outer.next();
  const bytes = openDer(readOnly(outer.next(0xa0).value, TAG.sequence, what).value, what);
  const type = bytes.next();
  const basic = openDer(readOnly(bytes.next(TAG.octetString).value, TAG.sequence, what).value, what);
  const signed = [basic.next().raw, basic.next().raw, basic.next().raw];
  const list = basic.optional(0xa0);
  const all = list ? childrenOf(readOnly(list.value, TAG.sequence, what), what) : [];
  const kept = all.map(({ raw }) => raw).filter(keep);
  const certificates = kept.length > 0 ? [derElement(0xa0, derSequence(...kept))] : [];
  const response = derOctets(derSequence(...signed, ...certificates));
  return derSequence(status.raw, derElement(0xa0, derSequence(type.raw, response)));
}
