import { parseOcspResponse } from '../../../src/formats/ocsp/response.ts';
import { openBudget } from '../../../src/trust/path/budget.ts';
import { NO_ALLOWANCES } from '../../../src/trust/policy.ts';
import { judgeRevocation } from '../../../src/trust/revocation/judge-revocation.ts';
import { mutateDer, mutateTree } from '../mutators/der-mutator.ts';
import { type DerNode, formatTree, parseTree } from '../mutators/der-tree.ts';
import type { Random } from '../random.ts';
import { ocspDer } from '../seeds/evidence.ts';
import { AT, cast, castCertificates, fixedKey, signedStructure } from '../seeds/pki.ts';
import { vectorFiles } from '../seeds/vectors.ts';
import { openSignedBytes, unlessRefused } from '../signed-bytes.ts';
import { expectThat, type Target } from '../target.ts';
import { pickSeed } from './x509.ts';

/** Responses by an authority itself about serial number 3: good, revoked, among others. */
function ocspSeeds(issuer: string): readonly Uint8Array[] {
  const issuerKey = fixedKey(issuer);
  const about = { issuer, issuerKey, serial: 3 };
  return [
    ocspDer([about], issuerKey),
    ocspDer(
      [
        { ...about, serial: 8 },
        { ...about, revoked: true },
      ],
      issuerKey,
    ),
  ];
}

/** OCSP responses: read or refused; no answer counts that the issuer or its responder has not signed. */
export const OCSP: Target = {
  name: 'ocsp',
  group: 'crypto',
  share: 1,
  codes: ['REVOCATION_MALFORMED'],
  open: async () => {
    const delegated = ocspDer(
      [{ issuer: 'Sub', issuerKey: fixedKey('Sub'), serial: 3 }],
      fixedKey('Responder'),
      cast().responder,
    );
    const loose = ocspSeeds('Loose');
    const seeds = [...ocspSeeds('Sub'), delegated, ...loose, ...vectorFiles('crypto/cms', /\.ocsp$/)];
    const signed = openSignedBytes();
    for (const seed of seeds) {
      const response = unlessRefused(() => parseOcspResponse(seed, 'a seed'));
      if (response) signed.add(response.tbs);
    }
    const people = castCertificates();
    const judged = [
      { path: [people.signer, people.sub, people.root], strict: true },
      { path: [people.looseSigner, people.loose, people.root], strict: false },
    ];
    return {
      seeds,
      mutate: (random, corpus) =>
        random.chance(1, 2)
          ? resignedResponse(random, random.pick(loose), corpus)
          : mutateDer(random, pickSeed(random, corpus), corpus),
      run: (input) => {
        const response = parseOcspResponse(input, 'the fuzzer');
        const words = judged.map(({ path, strict }) => {
          const { statuses } = judgeRevocation(
            path,
            { crls: [], ocsps: [response] },
            {
              mode: 'require',
              at: AT,
              seen: new Map(),
              allowances: NO_ALLOWANCES,
              issuers: path.slice(1),
              anchors: path.slice(-1),
              budget: openBudget(),
            },
          );
          const status = statuses[0]?.status ?? 'none';
          if (strict && status !== 'unknown' && status !== 'not-checked')
            signed.expect(response.tbs, 'an OCSP response');
          return status;
        });
        expectThat(words.length === 2, 'a path is not judged');
        return words.join(', ');
      },
    };
  },
};

/** Changes what is signed, and signs it again. */
function resignedResponse(random: Random, seed: Uint8Array, others: readonly Uint8Array[]): Uint8Array {
  const root = parseTree(seed);
  const holder = root.children?.[1]?.children?.[0]?.children?.[1];
  const tbs: DerNode | undefined = holder?.children?.[0]?.children?.[0];
  if (!holder || !tbs) return seed;
  mutateTree(random, tbs, others);
  holder.children = [parseTree(signedStructure(formatTree(tbs), fixedKey('Loose')))];
  return formatTree(root);
}
