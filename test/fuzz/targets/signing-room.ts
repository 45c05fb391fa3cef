import {
  formatRequest,
  formatResponse,
  parseRequest,
  parseResponse,
} from '../../../src/formats/signing-room.ts';
import { decodeUtf8, encodeUtf8 } from '../../../src/kit/encoding.ts';
import { isBundleError } from '../../../src/kit/errors/errors.ts';
import { mutateText } from '../mutators/text-mutator.ts';
import { expectThat, type Target } from '../target.ts';

const ASKED = {
  bundle: 'web.ova',
  manifest: 'web.mf',
  digest: { algorithm: 'sha256', value: new Uint8Array(32).fill(7) },
} as const;
const SEEDS = [
  formatRequest({ ...ASKED, about: ['product: Web'], content: encodeUtf8('SHA256(a)= 00\n') }),
  formatRequest({ ...ASKED, cms: true, signer: 'ab'.repeat(32), about: [], content: new Uint8Array(0) }),
  formatResponse({ ...ASKED, certificateFile: encodeUtf8('SHA256(web.mf)= 00\n') }),
];

/** Requests to sign and the responses: refused, or read as what they are written from again, blanks apart. */
export const SIGNING_ROOM: Target = {
  name: 'signing-room',
  group: 'crypto',
  share: 1,
  codes: ['USAGE'],
  open: async () => ({
    seeds: SEEDS,
    mutate: (random, corpus) => mutateText(random, random.pick(corpus)),
    run: (input) => {
      const isRequest = reads(() => parseRequest(input));
      const written = isRequest ? formatRequest(parseRequest(input)) : formatResponse(parseResponse(input));
      const [before, after] = [input, written].map((bytes) =>
        JSON.stringify(JSON.parse(decodeUtf8(bytes) ?? '')),
      );
      expectThat(sorted(before) === sorted(after), 'what is written is read otherwise');
      return isRequest ? 'request' : 'response';
    },
  }),
};

function reads(parse: () => unknown): boolean {
  try {
    parse();
    return true;
  } catch (error) {
    if (isBundleError(error)) return false;
    throw error;
  }
}

/** Members may come in any order. */
function sorted(text = ''): string {
  return JSON.stringify(Object.entries(JSON.parse(text)).sort());
}
