import { expect } from 'vitest';

/** What is about what a disk does: it is synced, it is full, it has holes, runs are killed on it. */
const ON_DISK = /\/test\/(faults\/|storage\/output\/|operations\/sizes\.test\.ts$)/;

/**
 * Tests write to memory, where making and removing thousands of files takes no time, but for those about the disk; so a
 * process that has run some of both knows for each file which it is.
 */
const { BULLA_TEST_DISK: disk, BULLA_TEST_MEMORY: memory } = process.env;
const folder = ON_DISK.test(expect.getState().testPath ?? '') ? disk : memory;
if (folder !== undefined) process.env['TMPDIR'] = folder;
