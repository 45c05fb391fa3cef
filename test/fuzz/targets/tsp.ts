import { CONTENT } from '../../../src/formats/cms/signed-data.ts';
import { formatTimestampRequest, parseTimestampRequest } from '../../../src/formats/tsp/request.ts';
import { expectToken, parseTimestampResponse } from '../../../src/formats/tsp/response.ts';
import { parseTimestampToken, type TimestampToken } from '../../../src/formats/tsp/token.ts';
import { encodeUtf8 } from '../../../src/kit/encoding.ts';
import { isBundleError } from '../../../src/kit/errors/errors.ts';
import { NO_ALLOWANCES } from '../../../src/trust/policy.ts';
import { judgeTimestamp } from '../../../src/trust/timestamp.ts';
import { mutateDer, mutateTree } from '../mutators/der-mutator.ts';
import { formatTree, parseTree } from '../mutators/der-tree.ts';
import type { Random } from '../random.ts';
import { cmsDer, infoDer, type MessageSigner, responseDer, tokenDer } from '../seeds/messages.ts';
import { AT, cast, castCertificates, fixedKey, sha256 } from '../seeds/pki.ts';
import { vectorFiles } from '../seeds/vectors.ts';
import { openSignedBytes, unlessRefused } from '../signed-bytes.ts';
import type { Target } from '../target.ts';

const OVER = encodeUtf8('what was there');
const QUERY = { digest: 'sha256', imprint: sha256(OVER), nonce: Uint8Array.of(0x12, 0x34, 0x56) };

/** Timestamp requests, responses and tokens: read or refused; no time is proven that no authority has signed. */
export const TSP: Target = {
  name: 'tsp',
  group: 'crypto',
  share: 1,
  codes: ['TIMESTAMP_MALFORMED', 'TIMESTAMP_REFUSED'],
  open: async () => {
    const people = cast();
    const tsa: MessageSigner = { certificate: people.tsa, issuer: 'Sub', serial: 4, key: fixedKey('TSA') };
    const token = tokenDer(OVER, tsa, [people.sub]);
    const seeds = [
      token,
      tokenDer(OVER, looseTsa(), [people.loose]),
      responseDer(token),
      responseDer(),
      formatTimestampRequest(QUERY),
      ...vectorFiles('crypto/cms/ts', /\.(tok|tsr|tsq)$/),
    ];
    const signed = openSignedBytes();
    for (const seed of seeds) {
      const known = unlessRefused(() => parseTimestampResponse(seed));
      if (known) signed.add(known.content);
    }
    const { root, looseTsa: loose } = castCertificates();
    const judge = (input: TimestampToken): string => {
      const options = { anchors: [root], intermediates: [], at: AT, allowances: NO_ALLOWANCES };
      const { proven, authority, errors } = judgeTimestamp(input, OVER, options);
      if (proven && authority?.spkiSha256 !== loose.spkiSha256) signed.expect(input.content, 'a timestamp');
      return proven ? 'proven' : (errors[0]?.code ?? 'no error');
    };
    return {
      seeds,
      mutate: (random, corpus) =>
        random.chance(1, 3) ? resignedToken(random, corpus) : mutateDer(random, random.pick(corpus), corpus),
      run: (input) => {
        const request = answer(() => {
          parseTimestampRequest(input);
          return 'request';
        });
        const response = answer(() => {
          const read = parseTimestampResponse(input);
          expectToken(read, QUERY);
          return 'response';
        });
        const alone = answer(() => judge(parseTimestampToken(input)));
        return [alone, request, response].find((word) => !TSP.codes.some((code) => code === word)) ?? alone;
      },
    };
  },
};

function answer(read: () => string): string {
  try {
    return read();
  } catch (error) {
    if (isBundleError(error) && TSP.codes.includes(error.code)) return error.code;
    throw error;
  }
}

function looseTsa(): MessageSigner {
  return { certificate: cast().looseTsa, issuer: 'Loose', serial: 4, key: fixedKey('LooseTSA') };
}

/** A token over changed statements, by an authority that signs anything. */
function resignedToken(random: Random, others: readonly Uint8Array[]): Uint8Array {
  const info = parseTree(infoDer(OVER));
  mutateTree(random, info, others);
  return cmsDer({
    content: formatTree(info),
    contentType: CONTENT.timestampInfo,
    attached: true,
    signers: [looseTsa()],
    certificates: [cast().loose],
  });
}
