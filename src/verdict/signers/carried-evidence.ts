import type { Certificate } from '../../crypto/certificate.ts';
import { digestHex } from '../../crypto/digest.ts';
import { withResponders } from '../../formats/ocsp/format-response.ts';
import { formatPem, splitPem } from '../../formats/pem.ts';
import { concat } from '../../kit/bytes.ts';
import { decodeLatin1, encodeUtf8 } from '../../kit/encoding.ts';
import type { RevocationEvidence } from '../../trust/revocation/evidence.ts';
import type { Vouched } from '../../trust/vouched.ts';

/** What is handed on of a member with evidence. */
interface Canonical {
  /** nothing where all of it came before */
  readonly bytes: Uint8Array;
  /** bytes in the member that its issuer has not signed, or that stand in it twice */
  readonly beside: number;
  /** bytes of blanks and the like between the blocks of PEM */
  readonly loose: number;
}

/** Brings evidence that somebody answers for into canonical form, each list and response once. [bundle.8] [bundle.11] */
export class CarriedEvidence {
  readonly #vouched: Vouched;
  readonly #seen = new Set<string>();

  constructor(vouched: Vouched) {
    this.#vouched = vouched;
  }

  take(bytes: Uint8Array, { ocsps: [response] }: RevocationEvidence): Canonical {
    if (response) {
      const carried = carriedResponse(bytes, this.#vouched.evidence.get(response) ?? []);
      const beside = bytes.byteLength - carried.byteLength;
      return { bytes: this.#isNew(carried) ? carried : NOTHING, beside, loose: 0 };
    }
    if (bytes[0] === 0x30) return { bytes: this.#isNew(bytes) ? bytes : NOTHING, beside: 0, loose: 0 };
    const { blocks, loose } = splitPem(decodeLatin1(bytes));
    const inside = new Set<string>();
    let beside = 0;
    const texts = blocks.map(({ label, bytes: der }) => {
      const text = encodeUtf8(formatPem(label, der));
      const digest = digestHex('sha256', der);
      if (inside.has(digest)) beside += text.byteLength;
      inside.add(digest);
      return this.#isNew(der) ? text : NOTHING;
    });
    return { bytes: concat(texts), beside, loose };
  }

  #isNew(der: Uint8Array): boolean {
    const before = this.#seen.size;
    return this.#seen.add(digestHex('sha256', der)).size > before;
  }
}

const NOTHING = new Uint8Array(0);

/** [bundle.8] A response with the certificates of those of its signers who are known. */
export function carriedResponse(der: Uint8Array, signers: readonly Certificate[]): Uint8Array {
  const kept = new Set(signers.map(({ fingerprint }) => fingerprint));
  return withResponders(der, (certificate) => kept.has(digestHex('sha256', certificate)));
}
