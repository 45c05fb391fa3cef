import type { PropertyForm } from '../../formats/glance/format-properties.ts';
import type { HashMethod, KeyTypeName } from '../../formats/glance/names.ts';

// Spelled out here: the command line is parsed before any of the program is loaded. A test holds them to the originals.

/** What `--hash` may be. */
export const HASH_CHOICES: readonly HashMethod[] = ['SHA-224', 'SHA-256', 'SHA-384', 'SHA-512'];

/** What `--key-type` may be. */
export const KEY_TYPE_CHOICES: readonly KeyTypeName[] = [
  'RSA-PSS',
  'DSA',
  'ECC_SECT571K1',
  'ECC_SECT409K1',
  'ECC_SECT571R1',
  'ECC_SECT409R1',
  'ECC_SECP521R1',
  'ECC_SECP384R1',
];

/** What `--as` may be. */
export const FORM_CHOICES: readonly PropertyForm[] = ['json', 'args', 'patch'];
