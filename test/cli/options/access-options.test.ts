import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import {
  type AccessFlags,
  accessLine,
  accessOf,
  withAccessOptions,
} from '../../../src/cli/options/access-options.ts';
import type { AskedAccess } from '../../../src/formats/file-access.ts';
import { groups, users } from '../../../src/storage/access/accounts.ts';
import { codeOfAsync } from '../../factory/errors.ts';

async function asked(...words: readonly string[]): Promise<AskedAccess> {
  const command = withAccessOptions(new Command())
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  return accessOf(command.parse(words, { from: 'user' }).opts<AccessFlags>());
}

const isListed = (fields: readonly string[]): boolean =>
  /^[a-z]/.test(fields[0] ?? '') && /^\d+$/.test(fields[2] ?? '');
const [user = '', , uid = ''] = users().find(isListed) ?? [];
const [group = '', , gid = ''] = groups().find(isListed) ?? [];

describe('[import.13] --owner', () => {
  test.each([
    [user, { uid: Number(uid) }],
    [`:${group}`, { gid: Number(gid) }],
    [`${user}:${group}`, { uid: Number(uid), gid: Number(gid) }],
    ['107:107', { uid: 107, gid: 107 }],
    ['107', { uid: 107 }],
    [':0', { gid: 0 }],
    [`4242:${group}`, { uid: 4242, gid: Number(gid) }],
  ])('takes names of this machine, and numbers: %s', async (text, owner) => {
    expect(await asked('--owner', text)).toEqual({ owner });
  });

  test.each([
    'no-such-user',
    ':no-such-group',
    `${user}:no-such-group`,
    '',
    ':',
    `${user}:`,
    'a:b:c',
    '-1',
    '1.5',
    '0x10',
  ])('takes nothing else: "%s"', async (text) => {
    expect(await codeOfAsync(asked(`--owner=${text}`))).toBe('USAGE');
  });
});

test('[import.13] --mode is read in octal, and as that alone', async () => {
  expect([await asked('--mode', '640'), await asked('--mode', '0640'), await asked()]).toEqual([
    { mode: 0o640 },
    { mode: 0o640 },
    {},
  ]);
  for (const text of ['0o640', '64', '06400', 'u=rw', '0680', '-640', '6.0'])
    await expect(asked(`--mode=${text}`), text).rejects.toThrow('in octal');
});

test('[import.14] what was chosen is told in one line, as far as it is known', async () => {
  const modes = { mode: '0640', folderMode: '0750' };
  expect(await accessLine(modes)).toBe('  access       files 0640, folders 0750');
  expect(await accessLine({ ...modes, uid: Number(uid), gid: 4_000_000_000 })).toBe(
    `  access       files 0640, folders 0750  owner ${user}:4000000000`,
  );
});
