import { expect, test } from 'vitest';
import * as library from '../src/index.ts';

test('the library gives these, and nothing else', () => {
  const kinds = Object.entries(library).map(([name, value]) => `${name}: ${typeof value}`);
  expect(kinds.sort()).toMatchInlineSnapshot(`
    [
      "BundleError: function",
      "DEFAULT_LIMITS: object",
      "authorityAt: function",
      "checkPath: function",
      "importBundle: function",
      "inspect: function",
      "isBundleError: function",
      "loadSigningIdentity: function",
      "pack: function",
      "replyIn: function",
      "sign: function",
      "signFile: function",
      "timestamp: function",
      "verify: function",
      "verifyFile: function",
    ]
  `);
});
