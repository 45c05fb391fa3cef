import { expect, test } from 'vitest';
import * as library from '../src/index.ts';

test('the library gives these, and nothing else', () => {
  const kinds = Object.entries(library).map(([name, value]) => `${name}: ${typeof value}`);
  expect(kinds.sort()).toMatchInlineSnapshot(`
    [
      "BundleError: function",
      "DEFAULT_LIMITS: object",
      "RELAXATIONS: object",
      "authorityAt: function",
      "checkPath: function",
      "diff: function",
      "importBundle: function",
      "inspect: function",
      "isBundleError: function",
      "join: function",
      "loadSigningIdentity: function",
      "normalize: function",
      "pack: function",
      "replyIn: function",
      "sign: function",
      "signFile: function",
      "split: function",
      "timestamp: function",
      "verify: function",
      "verifyFile: function",
    ]
  `);
});
