import { describe, expect, test } from 'vitest';
import { parseTimestampRequest } from '../../src/formats/tsp/request.ts';
import { expectToken, parseTimestampResponse } from '../../src/formats/tsp/response.ts';
import { parseTimestampToken } from '../../src/formats/tsp/token.ts';
import { equalBytes } from '../../src/kit/bytes.ts';
import { NO_ALLOWANCES } from '../../src/trust/policy.ts';
import { judgeTimestamp } from '../../src/trust/timestamp.ts';
import { flipped } from '../factory/damage.ts';
import { certificateIn, vectorBytes, vectorFolder, vectorNames } from './vectors.ts';

const cms = vectorFolder('crypto/cms') ?? '';
const folder = `${cms}/ts`;
const names = cms === '' ? [] : vectorNames(folder, '.tok');
const queries = cms === '' ? [] : vectorNames(folder, '.tsq').map((name) => name.replace(/\.tsq$/, ''));

describe.skipIf(names.length === 0)('timestamps made by OpenSSL', () => {
  const content = cms === '' ? new Uint8Array() : vectorBytes(cms, 'data.bin');
  const certificates =
    cms === '' ? [] : ['inter', 'tsa', 'tsaec'].map((name) => certificateIn(cms, `${name}.pem`));
  const judged = (name: string, over: Uint8Array, anchor: string): readonly string[] =>
    judgeTimestamp(parseTimestampToken(vectorBytes(folder, name)), over, {
      anchors: [certificateIn(cms, anchor)],
      intermediates: certificates,
      at: new Date('2026-11-23T00:00:00Z'),
      allowances: NO_ALLOWANCES,
    }).errors.map(({ code }) => code);

  test.each(names)('[tst.5] [tst.7] %s', (name) => {
    const expected = name.startsWith('forged') ? ['TIMESTAMP_INVALID'] : [];
    expect(judged(name, content, 'root.pem')).toEqual(expected);
    expect(judged(name, flipped(content, 0), 'root.pem')).toEqual(['TIMESTAMP_INVALID']);
    expect(judged(name, content, 'rsa.pem')).toEqual(['TIMESTAMP_INVALID']);
  });

  test.each(queries)('[tst.10] %s.tsr answers its request, and no other', (name) => {
    const { imprint, nonce } = parseTimestampRequest(vectorBytes(folder, `${name}.tsq`));
    const { info } = parseTimestampResponse(vectorBytes(folder, `${name}.tsr`));
    expect(equalBytes(info.imprint.value, imprint.value)).toBe(true);
    expect(info.nonce).toBe(nonce);
    const token = parseTimestampResponse(vectorBytes(folder, `${name}.tsr`));
    const query = { digest: imprint.digest ?? '', imprint: imprint.value, nonce: Uint8Array.of(1, 2, 3) };
    expect(() => expectToken(token, query)).toThrow(/another request/);
  });
});
