import { expect, test } from 'vitest';
import { isHeldElsewhere, parseKeyName } from '../../../src/formats/keys/key-name.ts';
import { codeOf } from '../../factory/errors.ts';

test.each([
  'acme.key',
  './plugin:x/y',
  '/plugin:x/y',
  'plugin',
  'Plugin:x/y',
  'plugins:x/y',
  ' plugin:x/y',
  'C:\\keys\\a.key',
])('[key.1] is a file: %s', (name) => {
  expect(parseKeyName(name)).toEqual({ kind: 'file', path: name });
  expect(isHeldElsewhere(name)).toBe(false);
});

test.each([
  ['plugin:kms/arn:aws:kms:eu-west-1:1234:key/0-1', 'kms', 'arn:aws:kms:eu-west-1:1234:key/0-1'],
  ['plugin:a.b_c-9/https://vault.example/keys/x?v=1#2', 'a.b_c-9', 'https://vault.example/keys/x?v=1#2'],
  ['plugin:x//', 'x', '/'],
  ['plugin:x/ ; rm -rf "$HOME" `id` %00', 'x', ' ; rm -rf "$HOME" `id` %00'],
  ['plugin:x/Schl\u00fcssel \u2713', 'x', 'Schl\u00fcssel \u2713'],
  ['plugin:x/../../etc', 'x', '../../etc'],
])('[key.8] is a key of a plugin: %s', (name, plugin, keyId) => {
  expect(parseKeyName(name)).toEqual({ kind: 'plugin', plugin, keyId });
  expect(isHeldElsewhere(name)).toBe(true);
});

test.each([
  'plugin:',
  'plugin:/k',
  'plugin:x',
  'plugin:x/',
  'plugin:../x/k',
  'plugin:.x/k',
  'plugin:X/k',
  'plugin:x y/k',
  'plugin:x\u0000/k',
  'plugin:x/k\n',
  'plugin:x/k\u001b[31m',
  'plugin:x/k\u202e',
  `plugin:${'x'.repeat(65)}/k`,
  `plugin:x/${'k'.repeat(2049)}`,
])('[key.8] names no key of a plugin, and no file either: %j', (name) => {
  expect(codeOf(() => parseKeyName(name))).toBe('USAGE');
  expect(isHeldElsewhere(name)).toBe(true);
});
