import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { MarkedFolder } from '../../../src/storage/unfinished/marked-folder.ts';
import { sweepLeft, takeLeft } from '../../../src/storage/unfinished/sweep.ts';
import { makeSandbox, type Sandbox } from '../../factory/sandbox.ts';

/** What another run does right before this one calls the system with such a path. */
let meanwhile: { readonly path: RegExp; readonly done: () => void } | undefined;

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  const after = <A extends readonly unknown[], R>(call: (...args: A) => R): ((...args: A) => R) => {
    return (...args) => {
      const due = meanwhile?.path.test(String(args[0])) ? meanwhile : undefined;
      if (due) meanwhile = undefined;
      due?.done();
      return call(...args);
    };
  };
  return { ...fs, unlinkSync: after(fs.unlinkSync), readdirSync: after(fs.readdirSync as never) };
});

afterEach(() => {
  meanwhile = undefined;
});

const PURPOSE = { kind: 'import', base: 'web' } as const;

/** Unfinished work that was given up. */
function leave(sandbox: Sandbox): string {
  using folder = MarkedFolder.make(sandbox.folder, PURPOSE);
  mkdirSync(join(folder.path, 'content/disks'), { recursive: true });
  folder.leave();
  return folder.path;
}

test.each([
  ['while it is taken', /bulla\.partial\.old-[^/]*$/],
  ['while its age is looked at', /content\/disks$/],
])('[resume.1] work that another run removes %s is none, and no fault', (_, path) => {
  using sandbox = makeSandbox();
  const left = leave(sandbox);
  meanwhile = { path, done: () => rmSync(left, { recursive: true }) };
  expect(takeLeft(sandbox.folder, PURPOSE)).toBe(undefined);
  expect(meanwhile).toBe(undefined);
  expect(sweepLeft(sandbox.folder, PURPOSE)).toEqual([]);
  expect(sandbox.list()).toEqual([]);
});

test('[resume.1] work in which another run is at work is taken all the same', () => {
  using sandbox = makeSandbox();
  const left = leave(sandbox);
  meanwhile = {
    path: /content\/disks$/,
    done: () => rmSync(join(left, 'content/disks'), { recursive: true }),
  };
  using taken = takeLeft(sandbox.folder, PURPOSE);
  expect(taken?.path).toBe(left);
  expect(meanwhile).toBe(undefined);
});
