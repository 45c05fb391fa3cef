import type { Certificate } from '../../../src/crypto/certificate.ts';
import { isSignedWith } from '../../../src/crypto/signature.ts';
import { type Crl, parseCrl } from '../../../src/formats/crl/crl.ts';
import { findEntry } from '../../../src/formats/crl/crl-entries.ts';
import { childrenOf, openDer, TAG } from '../../../src/formats/der/cursor.ts';
import { nameKey } from '../../../src/formats/x509/name.ts';
import { formatHex } from '../../../src/kit/encoding.ts';
import { isBundleError } from '../../../src/kit/errors/errors.ts';
import { openBudget } from '../../../src/trust/path/budget.ts';
import { NO_ALLOWANCES } from '../../../src/trust/policy.ts';
import { judgeRevocation } from '../../../src/trust/revocation/judge-revocation.ts';
import { mutateDer, resigned } from '../mutators/der-mutator.ts';
import { crlDer } from '../seeds/evidence.ts';
import { AT, castCertificates, fixedKey } from '../seeds/pki.ts';
import { vectorFiles } from '../seeds/vectors.ts';
import { openSignedBytes, tbsOf } from '../signed-bytes.ts';
import { expectThat, type Target } from '../target.ts';
import { pickSeed } from './x509.ts';

/** Lists of every kind by an authority: empty, complete, indirect, a delta. */
export function crlSeeds(issuer: string): readonly Uint8Array[] {
  const by = { issuer, key: fixedKey(issuer) };
  const many = Array.from({ length: 40 }, (_, i) => ({
    serial: 100 + i,
    ...(i % 3 > 0 && { reason: i % 7 }),
  }));
  const indirect = [
    { serial: 8 },
    { serial: 9, issuer: 'Root' },
    { serial: 3 },
    { serial: 3, issuer, reason: 6 },
  ];
  return [
    crlDer({ ...by, entries: [] }),
    crlDer({ ...by, entries: [{ serial: 3, reason: 1, invalidSince: '20260501000000Z' }, { serial: 9 }] }),
    crlDer({ ...by, entries: many }),
    crlDer({ ...by, indirect: true, entries: indirect }),
    crlDer({ ...by, base: 6, number: 8, entries: [{ serial: 3, reason: 8 }] }),
  ];
}

/** Revocation lists: read or refused; a search in them finds what is there; nothing unsigned decides anything. */
export const CRL: Target = {
  name: 'crl',
  group: 'crypto',
  share: 1,
  codes: ['REVOCATION_MALFORMED'],
  open: async () => {
    const loose = crlSeeds('Loose');
    const seeds = [...crlSeeds('Sub'), ...loose, ...vectorFiles('crypto/pkits/crls', /\.crl$/)];
    const signed = openSignedBytes();
    for (const seed of seeds) signed.add(tbsOf(seed) ?? seed);
    const people = castCertificates();
    const paths = [
      [people.signer, people.sub, people.root],
      [people.looseSigner, people.loose, people.root],
    ];
    return {
      seeds,
      mutate: (random, corpus) =>
        random.chance(1, 2)
          ? resigned(random, random.pick(loose), corpus, fixedKey('Loose'))
          : mutateDer(random, pickSeed(random, corpus), corpus),
      run: (input) => {
        const crl = parseCrl(input, 'the fuzzer');
        searchAll(crl);
        const verifies = [people.root, people.sub].some(({ publicKey }) =>
          isSignedWith(crl, crl.tbs, publicKey),
        );
        if (verifies) signed.expect(crl.tbs, 'a revocation list');
        const [status = '', looseStatus = ''] = paths.map((path) => statusOf(path, crl));
        if (status === 'revoked' || status === 'good')
          expectThat(verifies, 'a list decides that nobody has signed');
        return `${status}, ${looseStatus}`;
      },
    };
  },
};

function statusOf(path: readonly Certificate[], crl: Crl): string {
  const { statuses } = judgeRevocation(
    path,
    { crls: [crl], ocsps: [] },
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
  return statuses[0]?.status ?? 'none';
}

const MOST_SEARCHES = 40;
const ABSENT = '00c0ffee';

/** Each serial number is found by `findEntry` exactly where a plain loop finds it first. */
function searchAll(crl: Crl): void {
  const indirect = crl.extensions.distributionPoint?.indirect ?? false;
  const entries = childrenOf({ tag: TAG.sequence, value: crl.entries, raw: crl.entries }, 'the list');
  expectThat(entries.length === crl.entryCount, 'the count of the entries is wrong');
  const serials = entries.map((entry) => formatHex(openDer(entry.value, 'an entry').next(TAG.integer).value));
  for (const serial of new Set(serials.slice(0, MOST_SEARCHES))) {
    const found = answer(() => findEntry(crl.entries, serial, () => true, indirect));
    expectThat(found !== undefined, `the serial number ${serial} is there and not found`);
    answer(() => findEntry(crl.entries, serial, (names) => names === undefined, true));
    answer(() =>
      findEntry(
        crl.entries,
        serial,
        (names) => names?.some((name) => name.kind === 'directory' && nameKey(name.value) !== '') ?? false,
        true,
      ),
    );
  }
  const absent = answer(() => findEntry(crl.entries, ABSENT, () => true, indirect));
  expectThat(
    typeof absent !== 'object' || serials.includes(ABSENT),
    'a serial number is found that is not there',
  );
}

/** What a search gives; the code of its refusal counts as an answer. */
function answer<T>(search: () => T): T | string {
  try {
    return search();
  } catch (error) {
    if (isBundleError(error) && error.code === 'CERTIFICATE_MALFORMED') return error.code;
    throw error;
  }
}
