import { spawn } from 'node:child_process';
import { createCipheriv } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pack } from '../../src/operations/pack/pack.ts';
import type { TimestampSource } from '../../src/operations/sign/signing.ts';
import { loadSigningIdentity } from '../../src/operations/sign/signing-identity.ts';
import { timestamp } from '../../src/operations/sign/timestamp.ts';
import { startBarbican, TOKEN } from './barbican.ts';
import {
  EKU,
  makeAuthority,
  makeCertificate,
  type TestCertificate,
  type TestCertificateOptions,
} from './certificates.ts';
import { makeCrlDer } from './crls.ts';
import { qcow2, vmdk } from './disk-images.ts';
import { makeSandbox } from './sandbox.ts';
import { makeTimestampAuthority, makeTokenDer } from './timestamps.ts';

const ROOT = join(import.meta.dirname, '../..');

/** The built program. */
export const MAIN = join(ROOT, 'dist/cli/main.js');

/** What the certificates of the workbench last, whenever the tests are run. */
const LIFETIME = {
  notBefore: new Date('2020-01-01T00:00:00Z'),
  notAfter: new Date('2099-12-31T00:00:00Z'),
} as const;
/** What opens `locked.key`. */
export const PASSPHRASE = 'three blind mice';

/** What a command line did. */
export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

/** Sets of files as a user may have them at hand, made once; `desk` gives a folder with copies of some. */
export interface Workbench extends Disposable {
  desk(...sets: readonly string[]): Desk;
}

/** A user's folder with a home of its own, `bulla` on the path, and a double of Barbican at `$BARBICAN`, which takes `$OS_TOKEN`. */
export interface Desk extends Disposable {
  readonly folder: string;
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
  /** puts another set of files there */
  add(set: string): void;
  /** runs a line of shell */
  run(line: string): Promise<Outcome>;
}

/**
 * Makes the sets: `keys` (a CA, its signer, and certificates that will not do), `disk` (files to pack), `bundle` (a
 * signed `web.ova`), `unsigned`, `forged` (a signature that does not fit), `appliance` (an `.ovf` with its disk), `chain` (a
 * signer under an intermediate, and a list that revokes it), `stamped` (`old.ova`, whose signer has expired, and `stamped.ova`,
 * the same with a timestamp), `noise` (6 MB that do not compress).
 */
export async function makeWorkbench(): Promise<Workbench> {
  const sandbox = makeSandbox();
  const root = sandbox.folder;
  const set = (name: string): string => {
    mkdirSync(join(root, name), { recursive: true });
    return join(root, name);
  };
  const command = join(set('bin'), 'bulla');
  writeFileSync(command, `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`);
  chmodSync(command, 0o755);
  const authority = await writeKeys(set('keys'));
  writeFiles(set('disk'));
  writeFileSync(join(set('noise'), 'noise.img'), noise(6_000_000));
  await packBundles({ keys: set('keys'), disk: set('disk'), set });
  await writeChain(set('chain'), authority);
  await writeStamped(set('stamped'), { keys: set('keys'), disk: set('disk') });
  const barbican = await startBarbican();
  return {
    desk: (...sets) => makeDesk(root, sets, { BARBICAN: barbican.address, OS_TOKEN: TOKEN }),
    [Symbol.dispose]: () => {
      sandbox[Symbol.dispose]();
      void barbican[Symbol.asyncDispose]();
    },
  };
}

async function writeKeys(folder: string): Promise<TestCertificate> {
  const issuer = await makeAuthority({ subject: 'CN=Acme Root,O=Acme', ...LIFETIME });
  const other = await makeAuthority({ subject: 'CN=Another Root,O=Another', ...LIFETIME });
  const write = async (name: string, options: TestCertificateOptions): Promise<void> => {
    const made = await makeCertificate({ issuer, ...LIFETIME, ...options });
    writeFileSync(join(folder, `${name}.pem`), made.pem);
    writeFileSync(join(folder, `${name}.key`), made.privateKeyPem, { mode: 0o600 });
    if (name !== 'signer') return;
    const secret = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: PASSPHRASE } as const;
    writeFileSync(join(folder, 'locked.key'), made.privateKey.export(secret), { mode: 0o600 });
  };
  writeFileSync(join(folder, 'ca.pem'), issuer.pem);
  writeFileSync(join(folder, 'other-ca.pem'), other.pem);
  writeFileSync(join(folder, 'passphrase.txt'), `${PASSPHRASE}\nand a second line\n`);
  writeFileSync(join(folder, 'wrong.txt'), 'four blind mice\n');
  const subject = 'CN=Acme Release,O=Acme';
  await write('signer', { subject, key: 'rsa2048', eku: [EKU.codeSigning] });
  await write('expired', { subject, notAfter: new Date('2021-01-01T00:00:00Z') });
  await write('webserver', { subject: 'CN=www.acme.example,O=Acme', eku: [EKU.serverAuth] });
  await write('weak', { subject, key: 'rsa1024' });
  return issuer;
}

async function writeChain(folder: string, issuer: TestCertificate): Promise<void> {
  const sub = await makeAuthority({ subject: 'CN=Acme Releases,O=Acme', issuer, ...LIFETIME });
  const eku = [EKU.codeSigning];
  const release = await makeCertificate({ subject: 'CN=Release 7,O=Acme', issuer: sub, eku, ...LIFETIME });
  const revoked = [{ certificate: release, at: new Date('2020-06-01T00:00:00Z'), reason: 1 }];
  const list = {
    issuer: sub,
    thisUpdate: new Date('2020-06-02T00:00:00Z'),
    nextUpdate: new Date('2049-12-31T00:00:00Z'),
  };
  writeFileSync(join(folder, 'sub.pem'), sub.pem);
  writeFileSync(join(folder, 'release.pem'), release.pem);
  writeFileSync(join(folder, 'release.key'), release.privateKeyPem, { mode: 0o600 });
  writeFileSync(join(folder, 'revoked.crl'), makeCrlDer({ ...list, revoked }));
  writeFileSync(join(folder, 'clean.crl'), makeCrlDer(list));
}

/** Signed and timestamped when the certificate was good; its last day is in 2021. */
async function writeStamped(folder: string, at: { keys: string; disk: string }): Promise<void> {
  const then = new Date('2020-07-01T12:00:00Z');
  const ca = await makeAuthority({ subject: 'CN=Time Root,O=Time', ...LIFETIME });
  const authority = await makeTimestampAuthority(ca, { subject: 'CN=Time,O=Time', ...LIFETIME });
  const files = { key: join(at.keys, 'expired.key'), certificate: join(at.keys, 'expired.pem') };
  const identity = await loadSigningIdentity(files, then);
  const old = join(folder, 'old.ova');
  const appliance = { vendor: 'Acme', product: 'Web' };
  await pack([join(at.disk, 'disk.qcow2')], { format: 'tar', name: 'web', appliance, output: old, identity });
  const source: TimestampSource = async (over) => makeTokenDer({ over, authority, time: then });
  await timestamp(old, { output: join(folder, 'stamped.ova'), format: 'tar', source });
  writeFileSync(join(folder, 'tsa-ca.pem'), ca.pem);
}

/** Bytes that are the same each time, and have no order in them. */
function noise(size: number): Uint8Array {
  return createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)).update(Buffer.alloc(size));
}

function writeFiles(folder: string): void {
  writeFileSync(join(folder, 'disk.qcow2'), qcow2({ size: 1n << 30n }));
  writeFileSync(join(folder, 'data.vmdk'), vmdk());
  writeFileSync(join(folder, 'notes.txt'), 'Read me first.\n');
}

async function packBundles(at: { keys: string; disk: string; set: (name: string) => string }): Promise<void> {
  const files = { key: join(at.keys, 'signer.key'), certificate: join(at.keys, 'signer.pem') };
  const identity = await loadSigningIdentity(files, new Date());
  const options = { format: 'tar', name: 'web', appliance: { vendor: 'Acme', product: 'Web' } } as const;
  const disk = [join(at.disk, 'disk.qcow2')];
  const bundle = join(at.set('bundle'), 'web.ova');
  await pack(disk, { ...options, output: bundle, identity });
  await pack(disk, { ...options, output: join(at.set('unsigned'), 'web.ova') });
  const forged = Buffer.from(await readFile(bundle));
  const digit = forged.indexOf('(web.mf)= ') + '(web.mf)= '.length;
  forged[digit] = forged[digit] === 0x30 ? 0x31 : 0x30; // another first digit of the signature
  writeFileSync(join(at.set('forged'), 'web.ova'), forged);
  cpSync(disk[0] ?? '', join(at.set('appliance'), 'web-disk1.qcow2'));
  const start = forged.indexOf('<?xml');
  const descriptor = forged.subarray(start, forged.indexOf('</Envelope>', start) + 12).toString();
  writeFileSync(join(at.set('appliance'), 'web.ovf'), descriptor.replaceAll('disk.qcow2', 'web-disk1.qcow2'));
}

function makeDesk(root: string, sets: readonly string[], cloud: NodeJS.ProcessEnv): Desk {
  const sandbox = makeSandbox(root);
  const { folder } = sandbox;
  const home = `${folder}-home`;
  mkdirSync(home);
  const add = (set: string): void => cpSync(join(root, set), folder, { recursive: true });
  for (const set of sets) add(set);
  const env = {
    PATH: `${join(root, 'bin')}:${process.env['PATH']}`,
    HOME: home,
    BULLA_HOME: join(home, 'bulla'),
    TZ: 'UTC',
    LC_ALL: 'C.UTF-8',
    NO_COLOR: '1',
    ...cloud,
  };
  return {
    folder,
    home,
    env,
    add,
    run: (line) => run(line, folder, env),
    [Symbol.dispose]: () => {
      sandbox[Symbol.dispose]();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function run(line: string, cwd: string, env: NodeJS.ProcessEnv): Promise<Outcome> {
  const child = spawn('bash', ['-o', 'pipefail', '-c', line], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === null) stderr += `killed by ${signal}\n`;
      resolve({ stdout, stderr, code: code ?? -1 });
    });
  });
}
