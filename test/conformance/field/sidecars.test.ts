import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { once } from '../../../src/kit/bytes.ts';
import { verify } from '../../../src/operations/verify/verify.ts';
import { archiveOf } from '../../factory/bundles.ts';
import { codesOf } from '../../factory/reports.ts';
import { vectorFolder } from '../vectors.ts';

const folder = vectorFolder('pq');

describe.skipIf(folder === undefined)('a post-quantum signature beside a manifest', () => {
  const member = (name: string, file = name) => ({
    name,
    bytes: Uint8Array.from(readFileSync(join(folder ?? '', file))),
  });

  test('[side.4] is told, and stands in nobody’s way', async () => {
    const bundle = await archiveOf([member('web.mf'), member('web.cert'), member('web.p7s', 'web.mf.p7s')]);
    const { report } = await verify(once(bundle), {});
    const [, beside] = report.signatures;
    expect(beside?.file).toBe('web.p7s');
    expect(['unknown', 'untrusted']).toContain(beside?.status);
    for (const code of ['SIGNATURE_INVALID', 'CMS_SYNTAX', 'ALGORITHM_UNSUPPORTED', 'FILE_UNLISTED'])
      expect(codesOf(report)).not.toContain(code);
  });

  test('[side.1] of another name is no signature', async () => {
    const bundle = await archiveOf([member('web.mf'), member('web.cert'), member('web.mf.p7s')]);
    expect(codesOf((await verify(once(bundle), {})).report)).toContain('FILE_UNLISTED');
  });
});
