import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { importBundle } from '../../../src/operations/import/import.ts';
import { inspect } from '../../../src/operations/verify/inspect.ts';
import { verify } from '../../../src/operations/verify/verify.ts';
import { makeSandbox, type Sandbox } from '../../factory/sandbox.ts';
import { vectorFolder } from '../vectors.ts';

const FOLDER = vectorFolder('field/02-loose-package');

describe.skipIf(FOLDER === undefined)('[pkg.1] a package of loose files, as vSphere exports it', () => {
  const folder = FOLDER ?? '';
  const options = { trust: { anchors: [join(folder, 'ca.pem')] }, at: new Date('2026-11-27') };
  let sandbox: Sandbox;
  beforeAll(() => {
    sandbox = makeSandbox();
  });
  afterAll(() => sandbox[Symbol.dispose]());

  test.each(['web.ovf', 'web.mf', ''])('is verified by "%s"', async (name) => {
    const { report } = await verify(join(folder, name), options);
    expect(report.errors).toEqual([]);
    expect(report.trusted).toBe(true);
    expect(report.files.map((file) => file.name)).toEqual(['web.ovf', 'web.mf', 'web.cert', 'web-disk1.img']);
  });

  test('is looked into, imported, and verified where it lies then', async () => {
    expect((await inspect(join(folder, 'web.ovf'))).report.errors).toEqual([]);
    const destination = sandbox.path('web');
    expect((await importBundle(join(folder, 'web.ovf'), { ...options, destination })).kind).toBe('imported');
    expect((await verify(destination, options)).report.trusted).toBe(true);
  });
});
