/**
 * What can be done, by name. The sentences of the core are true in every face; one that has commands, buttons or links for
 * what a sentence advises finds by the name which of them to show (`cli/advice.ts`). [show.6]
 */
export const ADVICE = [
  'add-publisher',
  'allow-members',
  'allowed:anySalt',
  'allowed:followLinks',
  'allowed:ignoreManifest',
  'allowed:legacyMd5',
  'allowed:sha1',
  'allowed:unlistedDescriptor',
  'allowed:unsigned',
  'allowed:weakKeys',
  'answer-request',
  'any-key-type',
  'ask-elsewhere',
  'at-another-moment',
  'chunks-or-blocks',
  'correct-options',
  'correct-settings',
  'cut-by-descriptor',
  'file-alone',
  'folder-for-each',
  'for-another-purpose',
  'give-barbican',
  'give-certificate',
  'give-chain',
  'give-crl',
  'give-issuer',
  'give-keystone',
  'give-passphrase',
  'give-pin',
  'give-volumes',
  'image-alone',
  'import-all',
  'import-compressed',
  'import-stored',
  'is-authority',
  'is-publisher',
  'join',
  'join-or-keep',
  'keep-as-stored',
  'keep-timestamp',
  'kept-beside',
  'larger-chunks',
  'larger-volumes',
  'list-trusted',
  'longer-deadline',
  'longer-path',
  'look-at-volumes',
  'name-certificates',
  'name-copy',
  'name-output',
  'name-output-or-room',
  'name-publisher',
  'name-server-ca',
  'new-folder',
  'no-disk-to-sign',
  'nothing-is-kept',
  'other-hash',
  'own-trust-folder',
  'pack',
  'pack-again',
  'pack-described',
  'pack-descriptor',
  'pack-disks',
  'pack-edited',
  'pack-files',
  'pack-folder',
  'pack-image',
  'pack-more',
  'pack-named',
  'pack-plain',
  'pack-signed',
  'pack-unpacked',
  'pack-with-blocks',
  'pack-with-own-blocks',
  'pack-without-blocks',
  'pack-zip',
  'pin-and-certificate',
  'pipe-fetched',
  'pipe-input',
  'pipe-output',
  'pipe-unpacked',
  'relaxed',
  'remove-authority',
  'remove-publisher',
  'repair',
  'replace-output',
  'replace-signature',
  'report-fault',
  'request-timestamp',
  'see-help',
  'see-settings',
  'show-publisher',
  'show-scopes',
  'sign',
  'sign-alone',
  'sign-afterwards',
  'sign-and-timestamp',
  'sign-detached',
  'sign-export',
  'sign-image',
  'sign-image-again',
  'sign-or-plain',
  'sign-own',
  'sign-package-stamped',
  'sign-pss',
  'sign-unsigned-image',
  'sign-with-bulla',
  'sign-with-digest',
  'sign-without-cms',
  'signed-beside',
  'split-instead',
  'store-again',
  'store-authorities',
  'store-certificate',
  'store-with-bulla',
  'timestamp',
  'trust-authority',
  'trust-certificate',
  'trust-issuer',
  'trust-its-authority',
  'trust-itself',
  'trust-or-complete',
  'trust-publisher',
  'trust-somebody',
  'trust-until-later',
  'try-things-out',
  'verify-both',
  'verify-file',
  'verify-folder',
  'verify-inner',
  'verify-strictly',
  'wait-for-clean',
  'what-is-kept',
  'write-again',
  'write-ustar',
  'write-blocks',
  'write-sha1',
  'write-signature-again',
] as const;

/** One of them. */
export type Advice = (typeof ADVICE)[number];

/** A sentence that advises something. */
export interface Advised {
  /** the whole of it, for whoever has no words of its own */
  readonly text: string;
  readonly advice: Advice;
  /** what it is about, where the sentence alone does not tell: a name, a digest, the rest of it */
  readonly of?: string;
}

/** A sentence for people: what to do, or a warning. */
export type Told = string | Advised;

/** What whoever makes bundles does about a form that can be repaired, where there is no signature that a repair would keep. [show.7] */
export const PACKED_FROM_FILES: Advised = {
  text: 'if it is your own and nobody has signed it yet, unpack it, and pack what comes out',
  advice: 'pack-unpacked',
};

/** Whether a sentence advises something by name. */
export function isAdvised(told: Told): told is Advised {
  return typeof told !== 'string';
}

/** The sentence itself. */
export function plain(told: Told): string {
  return isAdvised(told) ? told.text : told;
}

/** What a caller may have allowed, by its name in the API. */
type Allowance = Extract<Advice, `allowed:${string}`> extends `allowed:${infer Name}` ? Name : never;

/** A warning of what was let pass because the caller had allowed it. */
export function allowed(warning: string, allowance: Allowance): Advised {
  return { text: `${warning} (allowed: ${allowance})`, advice: `allowed:${allowance}`, of: warning };
}

/** The sentence that a value of somebody else's is, each part of it read once; undefined when it is none. [api.2] */
export function toldBy(value: unknown): Told | undefined {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return undefined;
  const { text, advice: name, of } = value as Partial<Record<keyof Advised, unknown>>;
  const advice = ADVICE.find((known) => known === name);
  if (typeof text !== 'string' || advice === undefined) return undefined;
  if (of === undefined) return { text, advice };
  return typeof of === 'string' ? { text, advice, of } : undefined;
}
