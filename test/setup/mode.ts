import { DEFAULT_LIMITS } from '../../src/kit/limits.ts';

/**
 * The whole suite in another mode: `BULLA_MODE=lanes` hashes members of any size apart from the walk, by several threads;
 * `BULLA_MODE=single` never does.
 */
const MODES: Readonly<Record<string, Partial<typeof DEFAULT_LIMITS>>> = {
  lanes: { laneBytes: 1 },
  single: { laneBytes: Number.MAX_SAFE_INTEGER, threads: 1 },
};

Object.assign(DEFAULT_LIMITS, MODES[process.env['BULLA_MODE'] ?? '']);
