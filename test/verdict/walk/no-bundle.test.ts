import { expect, test } from 'vitest';
import { inPlaceOfBundle } from '../../../src/verdict/walk/no-bundle.ts';

test('where the folder of a package was packed, the advice keeps its signature', () => {
  const { what, fix } = inPlaceOfBundle([
    'web/',
    'web/web.ovf',
    'web/WEB.MF',
    'web/web.cert',
    'web/disk.img',
  ]);
  expect(what).toContain('in the folder "web"');
  expect(fix).toMatchObject({ advice: 'verify-folder', of: 'web', text: expect.stringContaining('"web"') });
  expect(inPlaceOfBundle(['disk.img', 'web.cert'])).toEqual({});
  const deep = inPlaceOfBundle(['a/b/web.ovf', 'a/b/web.mf']);
  expect(deep.fix).toMatchObject({ of: 'a/b', text: expect.not.stringContaining('signature') });
  expect(inPlaceOfBundle(['META-INF/MANIFEST.MF', 'META-INF/APP.RSA'])).toEqual({}); // a jar
});
