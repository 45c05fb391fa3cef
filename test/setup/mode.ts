import { vi } from 'vitest';
import type { Limits } from '../../src/kit/limits.ts';

/**
 * The whole suite in another mode: `BULLA_MODE=lanes` hashes members of any size apart from the walk, by several threads;
 * `BULLA_MODE=single` never does. The defaults are frozen, so the module that has them is another.
 */
const MODES: Readonly<Record<string, Partial<Limits>>> = {
  lanes: { laneBytes: 1 },
  single: { laneBytes: Number.MAX_SAFE_INTEGER, threads: 1 },
};

const mode = MODES[process.env['BULLA_MODE'] ?? ''];
if (mode) {
  vi.doMock('../../src/kit/limits.ts', async (original) => {
    const limits = await original<typeof import('../../src/kit/limits.ts')>();
    return { ...limits, DEFAULT_LIMITS: Object.freeze({ ...limits.DEFAULT_LIMITS, ...mode }) };
  });
}
