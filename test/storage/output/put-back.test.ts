import { readFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { apartFrom } from '../../../src/storage/apart.ts';
import { openOutput } from '../../../src/storage/output/open-output.ts';
import { makeSandbox } from '../../factory/sandbox.ts';

vi.mock('../../../src/storage/open-folder.ts', async (original) => ({
  ...(await original<object>()),
  syncFolder: () => Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' })),
}));

test.each([true, false])(
  '[pack.12] an output that cannot be made certain puts the older file back: %s',
  async (older) => {
    using sandbox = makeSandbox();
    if (older) sandbox.write('out.ova', 'old');
    const before = sandbox.list();
    {
      await using output = await openOutput(apartFrom(sandbox.path('out.ova'), []), { overwrite: true });
      await output.write(Buffer.from('new'));
      await expect(output.finish()).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    }
    expect(sandbox.list()).toEqual(before);
    if (older) expect(readFileSync(sandbox.path('out.ova'), 'utf8')).toBe('old');
  },
);
