import { printable } from '../../kit/encoding.ts';
import { BundleError } from '../../kit/errors/errors.ts';

/** Where a private key is, by the form of its name. [key.1] */
export type KeyName = { readonly kind: 'file'; readonly path: string } | PluginKey;

/** A key that a plugin holds; `keyId` is the plugin's own word for it. */
export interface PluginKey {
  readonly kind: 'plugin';
  readonly plugin: string;
  readonly keyId: string;
}

/** Key identifiers are names, ARNs or addresses. */
const LONGEST_ID = 2048;

/** Whether a name is of a key that is in no file; whatever else it is, it is the name of a file then. [key.1] */
export function isHeldElsewhere(name: string): boolean {
  return name.startsWith('plugin:');
}

/**
 * What the name of a key says: `plugin:NAME/KEYID`, and everything else is a file, which `./plugin:x` is too.
 *
 * @throws {BundleError} `USAGE` for a name that begins so and is none [key.1] [key.8]
 */
export function parseKeyName(name: string): KeyName {
  return name.startsWith('plugin:') ? parsePluginKey(name) : { kind: 'file', path: name };
}

function parsePluginKey(name: string): PluginKey {
  const [, plugin = '', keyId = ''] = /^plugin:([^/]*)\/?([\s\S]*)$/.exec(name) ?? [];
  // the name is part of a path
  if (!/^[a-z0-9_-][a-z0-9._-]{0,63}$/.test(plugin)) {
    throw refused(
      name,
      'the name of the plugin has a to z, 0 to 9, ".", "_" and "-" alone, and begins with no "."',
    );
  }
  if (keyId === '') throw refused(name, 'it names no key of the plugin');
  if (keyId.length > LONGEST_ID || printable(keyId) !== keyId) {
    throw refused(name, `the name of the key has characters that do not print, or more than ${LONGEST_ID}`);
  }
  return { kind: 'plugin', plugin, keyId };
}

function refused(file: string, why: string): BundleError {
  return new BundleError('USAGE', 'this is no key of a plugin', {
    where: { file },
    why,
    fix: 'write plugin:NAME/KEYID, with the name of the key as the plugin has it; a file of this name is ./plugin:…',
  });
}
