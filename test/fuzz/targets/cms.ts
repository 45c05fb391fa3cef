import { sign } from 'node:crypto';
import { openCms } from '../../../src/crypto/cms.ts';
import { parseSignedData } from '../../../src/formats/cms/signed-data.ts';
import { derElement, derOctets } from '../../../src/formats/der/writer.ts';
import { encodeUtf8 } from '../../../src/kit/encoding.ts';
import { evidenceIn } from '../../../src/verdict/signers/evidence.ts';
import { readCms } from '../../../src/verdict/signers/read-signatures.ts';
import { judgedCodes } from '../judging.ts';
import { mutateBytes } from '../mutators/byte-mutator.ts';
import { mutateDer, mutateTree } from '../mutators/der-mutator.ts';
import { formatTree, parseTree } from '../mutators/der-tree.ts';
import { formatParcel, parseParcel } from '../parcel.ts';
import type { Random } from '../random.ts';
import { cmsDer, type MessageSigner, tokenDer } from '../seeds/messages.ts';
import { cast, castCertificates, fixedKey } from '../seeds/pki.ts';
import { unarmoured, vectorFiles } from '../seeds/vectors.ts';
import { openSignedBytes, unlessRefused } from '../signed-bytes.ts';
import { expectThat, type Target } from '../target.ts';
import { crlSeeds } from './crl.ts';

const CONTENT = encodeUtf8('SHA256(disk.img)= 00\n'.repeat(9));

/** CMS signatures with their contents: all forms that are made, and some that should not be. */
function cmsParcels(): readonly Uint8Array[] {
  const people = cast();
  const signer: MessageSigner = {
    certificate: people.signer,
    issuer: 'Sub',
    serial: 3,
    key: fixedKey('Signer'),
  };
  const tsa: MessageSigner = { certificate: people.tsa, issuer: 'Sub', serial: 4, key: fixedKey('TSA') };
  const chain = { certificates: [people.sub], content: CONTENT, signers: [signer] };
  const stamped = cmsDer({ ...chain, stamp: (signature) => tokenDer(signature, tsa, [people.sub]) });
  const ours = [
    cmsDer(chain),
    stamped,
    cmsDer({ ...chain, attributes: false }),
    cmsDer({ ...chain, attached: true }),
    cmsDer({ ...chain, crls: crlSeeds('Sub') }),
    cmsDer({ ...chain, signers: [signer, looseSigner()] }),
    cmsDer({ ...chain, signers: [looseSigner()], certificates: [people.loose] }),
  ];
  // [cms.7] the attributes passed off as content
  const [data] = [parseSignedData(ours[0] ?? CONTENT, 'a seed')];
  const attributes = data.signers[0]?.signedAttributes?.der ?? CONTENT;
  const tree = parseTree(ours[0] ?? CONTENT);
  const info = tree.children?.[1]?.children?.[0]?.children?.at(-1)?.children?.[0];
  if (info) info.children = info.children?.filter(({ tag }) => tag !== 0xa0);
  return [...ours.map((cms) => formatParcel([cms, CONTENT])), formatParcel([formatTree(tree), attributes])];
}

function looseSigner(): MessageSigner {
  return { certificate: cast().looseSigner, issuer: 'Loose', serial: 3, key: fixedKey('LooseSigner') };
}

/** CMS signatures: read or refused; judged alike however the content comes; nothing verifies that was not signed. */
export const CMS: Target = {
  name: 'cms',
  group: 'crypto',
  share: 1,
  codes: ['CMS_SYNTAX', 'CERTIFICATE_MALFORMED', 'ALGORITHM_UNSUPPORTED', 'REVOCATION_MALFORMED'],
  open: async () => {
    const [content = CONTENT] = vectorFiles('crypto/cms', /^data\.bin$/);
    const foreign = vectorFiles('crypto/cms', /\.p7s$/).flatMap(unarmoured);
    const seeds = [...cmsParcels(), ...foreign.map((cms) => formatParcel([cms, content]))];
    const attributes = openSignedBytes();
    const contents = openSignedBytes();
    for (const seed of seeds) {
      const [cms = seed, signed = seed] = parseParcel(seed);
      const data = unlessRefused(() => parseSignedData(cms, 'a seed'));
      for (const { signedAttributes } of data?.signers ?? []) {
        if (signedAttributes) attributes.add(signedAttributes.der);
        else if (signed[0] !== 0x31) contents.add(signed);
      }
    }
    const candidates = Object.values(castCertificates());
    const loose = castCertificates().looseSigner.spkiSha256;
    return {
      seeds,
      mutate: (random, corpus) => {
        const parts = parseParcel(random.pick(corpus));
        const [cms = CONTENT, signed = CONTENT] = parts;
        const others = [parseParcel(random.pick(corpus))[0] ?? cms];
        if (random.chance(1, 3)) return formatParcel([resignedCms(random, others), CONTENT]);
        if (random.chance(1, 10)) return formatParcel([cms, mutateBytes(random, signed)]);
        return formatParcel([mutateDer(random, cms, others), signed]);
      },
      run: (input) => {
        const [cms = input, signed = new Uint8Array()] = parseParcel(input);
        const whole = verdict(cms, [signed]);
        const pieces = verdict(cms, inPieces(signed));
        expectThat(whole === pieces, `in pieces the verdict is ${pieces}, whole it is ${whole}`);
        const reading = openCms(parseSignedData(cms, 'the input'), candidates);
        reading.update(signed);
        for (const { certificate, fault, info } of reading.finish()) {
          if (fault || certificate?.spkiSha256 === loose) continue;
          if (info.signedAttributes) attributes.expect(info.signedAttributes.der, 'a CMS signature');
          else contents.expect(signed, 'a CMS signature');
        }
        return whole;
      },
    };

    function verdict(cms: Uint8Array, chunks: readonly Uint8Array[]): string {
      const reading = readCms(cms, candidates, []);
      for (const chunk of chunks) reading.update(chunk);
      const found = reading.finish();
      const codes = judgedCodes(found, evidenceIn(reading.data));
      return codes.length === 0 ? 'trusted' : [...new Set(codes)].sort().join(' ');
    }
  },
};

/** The words of one verdict must not depend on chunks; neither may an empty chunk count for anything. */
function inPieces(bytes: Uint8Array): readonly Uint8Array[] {
  const size = bytes.byteLength < 100 ? 1 : 37;
  return Array.from({ length: Math.ceil(bytes.byteLength / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  );
}

/** A signature whose signed attributes are changed before they are signed. */
function resignedCms(random: Random, others: readonly Uint8Array[]): Uint8Array {
  const people = cast();
  const signer = looseSigner();
  const root = parseTree(cmsDer({ content: CONTENT, signers: [signer], certificates: [people.loose] }));
  const info = root.children?.[1]?.children?.[0]?.children?.at(-1)?.children?.[0];
  const attributes = info?.children?.find(({ tag }) => tag === 0xa0);
  const signature = info?.children?.at(-1);
  if (!attributes || !signature) return formatTree(root);
  mutateTree(random, attributes, others);
  const contents = attributes.children ? attributes.children.map(formatTree) : [attributes.value];
  const signed = sign(null, derElement(0x31, ...contents), signer.key.privateKey);
  Object.assign(signature, parseTree(derOctets(Uint8Array.from(signed))));
  return formatTree(root);
}
