import type { ErrorRow } from './error-kinds.ts';

const WRITABLE = 'check the path, its permissions and the device it lies on';

/** Faults of what was asked, and of the machine and the network it was asked of. */
export const USE_ERRORS = {
  INTERNAL: {
    kind: 'internal',
    why: 'this is a fault of bulla, so nothing it was asked to judge has been judged',
    fix: {
      text: 'report it with what was asked, the input if you can share it, and the cause of this error',
      advice: 'report-fault',
    },
  },

  // What was asked
  USAGE: {
    kind: 'usage',
    why: 'bulla does not guess what was meant: a wrong guess could sign, trust or replace the wrong thing',
    fix: { text: 'see the documentation of what was asked for', advice: 'see-help' },
  },
  CONFIG_INVALID: {
    kind: 'usage',
    why: 'a configuration that is only partly understood could trust the wrong signer',
    fix: { text: 'correct the file', advice: 'correct-settings' },
  },
  KEY_UNREADABLE: {
    kind: 'usage',
    why: 'without the private key nothing can be signed',
    fix: 'give a private key in PEM or DER: PKCS#8 (plain or encrypted), PKCS#1 or SEC1',
  },
  KEY_MISMATCH: {
    kind: 'usage',
    why: 'every importer would find the signature invalid',
    fix: 'give the certificate that was issued for this key; compare: openssl pkey -in KEY -pubout and openssl x509 -in CERT -pubkey -noout',
  },
  SIGNER_FAILED: {
    kind: 'io',
    why: 'whoever holds the private key gave no signature that can be used, so nothing was written',
    fix: 'see the reason; check with the tools of its maker that it signs, and run again',
  },
  PASSPHRASE_NEEDED: {
    kind: 'usage',
    why: 'the key can be used only with its passphrase, and there is nobody to ask for it',
    fix: { text: 'give the passphrase of the key', advice: 'give-passphrase' },
  },
  DESTINATION_EXISTS: {
    kind: 'usage',
    why: 'bulla never mixes its output with files that are already there, and never overwrites them unasked',
    fix: 'choose another destination, or move away what is there',
  },

  BUNDLES_DIFFER: {
    kind: 'different',
    why: 'you asked whether they are the same',
    fix: {
      text: 'see the differences; which of the two is right is told by verifying both',
      advice: 'verify-both',
    },
  },

  // The machine
  FILE_NOT_FOUND: { kind: 'io', why: 'there is nothing to read', fix: 'check the path and the spelling' },
  FILE_UNREADABLE: { kind: 'io', why: 'the input cannot be read', fix: WRITABLE },
  FILE_CHANGED: {
    kind: 'io',
    why: 'what was hashed and what would be used may differ',
    fix: 'make sure nothing writes to the file, then run again',
  },
  INPUT_STALLED: {
    kind: 'io',
    why: 'an input that never ends must not hold the importer for ever',
    fix: 'check the program or network that feeds this input, then run again',
  },
  STORAGE_FULL: {
    kind: 'io',
    why: 'the files cannot be stored whole, so none of them is kept',
    fix: 'free space on the file system of the destination, or choose another destination',
  },
  STORAGE_FAILED: { kind: 'io', why: 'the output cannot be written, so none of it is kept', fix: WRITABLE },
  REMOTE_FAILED: {
    kind: 'network',
    why: 'the bundle could not be fetched whole',
    fix: 'check the address and the network; or fetch it with another tool and give the file',
  },
  REMOTE_UNAUTHORISED: {
    kind: 'unauthorised',
    why: 'the server did not let bulla read the bundle',
    fix: { text: 'fetch it with a tool that can sign in, and pipe it', advice: 'pipe-fetched' },
  },
  TIMESTAMP_REFUSED: {
    kind: 'network',
    why: 'the timestamp authority gave no token that proves when the signature was made, so nothing was written',
    fix: 'see the reason it gave; try again later, or another authority',
  },
  PASSPHRASE_WRONG: {
    kind: 'unauthorised',
    why: 'the private key cannot be opened with this passphrase',
    fix: 'check the passphrase: capitals and the layout of the keyboard, where it is typed; of a file, the whole first line without its end',
  },
  INTERRUPTED: {
    kind: 'interrupted',
    why: 'the work was stopped before its end',
    fix: 'run the command again; nothing was left behind',
  },
  TERMINATED: {
    kind: 'terminated',
    why: 'the work was stopped before its end',
    fix: 'run the command again; nothing was left behind',
  },
} as const satisfies Record<string, ErrorRow>;
