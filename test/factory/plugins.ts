import { sign } from 'node:crypto';
import { chmodSync } from 'node:fs';
import type { PluginFolder } from '../../src/storage/signers/find-plugin.ts';
import { QUESTION } from '../../src/storage/signers/plugin-signer.ts';
import type { TestCertificate } from './certificates.ts';
import type { Sandbox } from './sandbox.ts';

/** What a plugin can do, and with which key. */
export interface PluginOptions {
  readonly capabilities: readonly string[];
  readonly keySpec: string;
  /** the signer's first */
  readonly chain: readonly TestCertificate[];
}

/** Where the plugins of a sandbox are. */
export function foldersOf(sandbox: Sandbox): readonly PluginFolder[] {
  return [
    { folder: sandbox.path('plugins'), prefix: 'bulla-' },
    { folder: sandbox.path('notation/plugins'), prefix: 'notation-' },
  ];
}

/** Writes the program of a plugin, that nobody else may write. */
export function writePlugin(sandbox: Sandbox, name: string, program: string): string {
  const file = sandbox.write(`plugins/${name}/bulla-${name}`, program);
  chmodSync(file, 0o755);
  return file;
}

/** What a plugin says of itself, of its key `k`, and to the text that it is asked to sign first. */
export function answersOf(
  name: string,
  { capabilities, keySpec, chain }: PluginOptions,
): Readonly<Record<'get-plugin-metadata' | 'describe-key' | 'generate-signature', object>> {
  const [leaf] = chain;
  if (!leaf) throw new Error('a chain has a leaf');
  const signature = sign('sha256', QUESTION, { key: leaf.privateKey, dsaEncoding: 'ieee-p1363' });
  return {
    'get-plugin-metadata': {
      name,
      description: 'for tests',
      version: '1.0.0',
      url: 'https://plugin.example',
      supportedContractVersions: ['1.0'],
      capabilities,
    },
    'describe-key': { keyId: 'k', keySpec },
    'generate-signature': {
      keyId: 'k',
      signature: signature.toString('base64'),
      signingAlgorithm: keySpec.startsWith('EC') ? 'ECDSA-SHA-256' : 'RSASSA-PKCS1-v1_5-SHA-256',
      certificateChain: chain.map(({ certificate }) => Buffer.from(certificate.raw).toString('base64')),
    },
  };
}

/** A plugin that has one answer to each command, whatever it is to sign. */
export function parrot(answers: Readonly<Record<string, object | string>>): string {
  const branches = Object.entries(answers).map(([command, answer]) => {
    const does = typeof answer === 'string' ? answer : `printf '%s' '${JSON.stringify(answer)}'`;
    return `${command}) ${does} ;;`;
  });
  return `#!/bin/sh\ncase $1 in\n${branches.join('\n')}\nesac\n`;
}

/** A plugin that signs what it is handed; it keeps what it is asked in a file `asked` beside it. */
export function signingPlugin(name: string, options: PluginOptions): string {
  const { 'generate-signature': made, ...said } = answersOf(name, options);
  const key = JSON.stringify(options.chain[0]?.privateKeyPem);
  return `#!${process.execPath}
const { sign, constants } = require('node:crypto');
const { appendFileSync, readFileSync } = require('node:fs');
const command = process.argv[2];
const asked = JSON.parse(readFileSync(0, 'utf8'));
appendFileSync(__dirname + '/asked', JSON.stringify({ command, ...asked }) + '\\n');
const said = ${JSON.stringify(said)};
const answer = () => {
  if (command !== 'generate-signature') return said[command];
  const hash = asked.hashAlgorithm.replace('-', '').toLowerCase();
  const isRsa = asked.keySpec.startsWith('RSA');
  const signingAlgorithm = asked.signingAlgorithm ?? (isRsa ? 'RSASSA-PSS-' : 'ECDSA-') + asked.hashAlgorithm;
  const padding = isRsa && !asked.signingAlgorithm
    ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : {};
  const key = { key: ${key}, dsaEncoding: 'ieee-p1363', ...padding };
  const signature = sign(hash, Buffer.from(asked.payload, 'base64'), key).toString('base64');
  return { ...${JSON.stringify(made)}, signature, signingAlgorithm };
};
process.stdout.write(JSON.stringify(answer()));
`;
}
