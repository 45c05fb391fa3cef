// How many certification paths are judged, and CMS signatures verified, in a second: here, by openssl's command line,
// and by pkijs. npm run bench:trust
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fromBER } from 'asn1js';
import * as pkijs from 'pkijs';
import { parseCertificate } from '../dist/crypto/certificate.js';
import { openCms } from '../dist/crypto/cms.js';
import { makeMlDsaKey } from '../dist/engine/node/key-pair.js';
import { isNative, verifyByPackage, verifyMlDsa } from '../dist/engine/node/ml-dsa.js';
import { parseSignedData } from '../dist/formats/cms/signed-data.js';
import { parseCrl } from '../dist/formats/crl/crl.js';
import { findEntry } from '../dist/formats/crl/crl-entries.js';
import {
  derElement,
  derNull,
  derOctets,
  derOid,
  derSequence,
  derUnsigned,
} from '../dist/formats/der/writer.js';
import { mlDsaOfKey } from '../dist/formats/x509/ml-dsa.js';
import { parsePublicKey } from '../dist/formats/x509/public-key.js';
import { findPath } from '../dist/trust/path/find-path.js';
import { NO_ALLOWANCES } from '../dist/trust/policy.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'bulla-bench-'));
const openssl = (...args) =>
  execFileSync('openssl', args, { cwd: FOLDER, stdio: ['ignore', 'pipe', 'pipe'] });
const bytesOf = (name) => Uint8Array.from(readFileSync(join(FOLDER, name)));
const derOf = (name) => Uint8Array.from(openssl('x509', '-in', name, '-outform', 'DER'));

/** Root, intermediate and signer, RSA-2048, and a signature of 1 KiB by openssl. */
function makeInputs() {
  const authority = 'basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign,cRLSign\n';
  const signer = 'keyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\n';
  const keys = 'subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n';
  const make = (name, extensions, issuer) => {
    writeFileSync(join(FOLDER, `${name}.ext`), extensions + (issuer ? keys : 'subjectKeyIdentifier=hash\n'));
    openssl(
      'req',
      '-new',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
      '-subj',
      `/CN=${name}`,
    );
    const by = issuer
      ? ['-CA', `${issuer}.pem`, '-CAkey', `${issuer}.key`, '-CAcreateserial']
      : ['-signkey', `${name}.key`];
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      ...by,
      '-days',
      '30',
      '-extfile',
      `${name}.ext`,
      '-out',
      `${name}.pem`,
    );
  };
  make('root', authority);
  make('inter', authority, 'root');
  make('signer', signer, 'inter');
  writeFileSync(join(FOLDER, 'data.bin'), randomBytes(1024));
  openssl(
    'cms',
    '-sign',
    '-binary',
    '-in',
    'data.bin',
    '-signer',
    'signer.pem',
    '-inkey',
    'signer.key',
    '-certfile',
    'inter.pem',
    '-outform',
    'DER',
    '-out',
    'data.p7s',
  );
}

/** Turns a second, or as often as is needed for `seconds`; the answer of every turn must be the right one. */
async function perSecond(seconds, turn) {
  await turn();
  let count = 0;
  const start = performance.now();
  while (performance.now() - start < seconds * 1000) {
    if (!(await turn())) throw new Error('a turn gave the wrong answer');
    count++;
  }
  return count / ((performance.now() - start) / 1000);
}

function commandLine(...args) {
  return () => spawnSync('openssl', args, { cwd: FOLDER }).status === 0;
}

const ders = () => ['signer', 'inter', 'root'].map((name) => derOf(`${name}.pem`));

/** Parses and judges, everything anew. */
function ourPath() {
  const [leafDer, interDer, rootDer] = ders();
  const at = new Date();
  return () => {
    const [leaf, inter, root] = [leafDer, interDer, rootDer].map(parseCertificate);
    const options = {
      anchors: [root],
      window: { from: at, to: at },
      allowances: NO_ALLOWANCES,
      purpose: 'code-signing',
    };
    return findPath({ leaf, intermediates: [inter] }, options).kind === 'good';
  };
}

function theirPath() {
  const [leafDer, interDer, rootDer] = ders();
  return async () => {
    const [leaf, inter, root] = [leafDer, interDer, rootDer].map((der) => pkijs.Certificate.fromBER(der));
    const engine = new pkijs.CertificateChainValidationEngine({
      trustedCerts: [root],
      certs: [leaf, inter, root],
    });
    return (await engine.verify()).result;
  };
}

function ourCms() {
  const [signature, content] = [bytesOf('data.p7s'), bytesOf('data.bin')];
  return () => {
    const data = parseSignedData(signature, 'the signature');
    const cms = openCms(data, data.certificates.map(parseCertificate));
    cms.update(content);
    return cms.finish().every(({ fault }) => fault === undefined);
  };
}

function theirCms() {
  const [signature, content] = [bytesOf('data.p7s'), bytesOf('data.bin')];
  return async () => {
    const info = new pkijs.ContentInfo({ schema: fromBER(signature).result });
    const signed = new pkijs.SignedData({ schema: info.content });
    return signed.verify({
      signer: 0,
      data: content.buffer.slice(content.byteOffset, content.byteOffset + content.byteLength),
    });
  };
}

/** A list of so many entries, each with a reason, signed by nobody: reading it does not ask who. */
function makeList(count) {
  const algorithm = derSequence(derOid('1.2.840.113549.1.1.11'), derNull());
  const time = derElement(0x17, Buffer.from('260101000000Z'));
  const name = derSequence(
    derElement(0x31, derSequence(derOid('2.5.4.3'), derElement(0x0c, Buffer.from('Root')))),
  );
  const reason = derSequence(derSequence(derOid('2.5.29.21'), derOctets(derElement(0x0a, Uint8Array.of(4)))));
  const serials = Array.from({ length: count }, (_, i) =>
    createHash('sha256').update(String(i)).digest().subarray(0, 15),
  );
  const entries = serials.map((serial) =>
    derSequence(derUnsigned(Uint8Array.of(1, ...serial)), time, reason),
  );
  const tbs = derSequence(
    derUnsigned(Uint8Array.of(1)),
    algorithm,
    name,
    time,
    time,
    derElement(0x30, Buffer.concat(entries)),
  );
  const last = Buffer.from([1, ...serials.at(-1)]).toString('hex');
  return { der: derSequence(tbs, algorithm, derElement(0x03, new Uint8Array(257))), last };
}

/** Seconds and MiB to read a long list and look up its last entry. */
function tellRevocation(count) {
  const { der, last } = makeList(count);
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  const start = performance.now();
  const crl = parseCrl(der, 'bench');
  if (!findEntry(crl.entries, last, () => true, false)) throw new Error('the last entry was not found');
  const seconds = (performance.now() - start) / 1000;
  const mib = (process.memoryUsage().rss - before) / 2 ** 20;
  console.log(
    `a revocation list of ${count} entries (${(der.length / 1e6).toFixed(1)} MB): ${seconds.toFixed(2)} s, ${mib.toFixed(0)} MiB more`,
  );
}

/** Milliseconds to sign and to verify a manifest: by what this Node has, and by the package. */
function tellMlDsa() {
  const data = randomBytes(200);
  const each = (work) => {
    const start = performance.now();
    for (let i = 0; i < 20; i++) work();
    return ((performance.now() - start) / 20).toFixed(1);
  };
  for (const type of ['ml-dsa-44', 'ml-dsa-65', 'ml-dsa-87']) {
    const set = mlDsaOfKey({ type });
    const pair = makeMlDsaKey(set);
    const key = parsePublicKey(pair.spki, 'bench');
    const signature = pair.sign(data);
    const sign = each(() => pair.sign(data));
    const verify = each(() => verifyByPackage(key, data, signature));
    const native = isNative(set) ? `${each(() => verifyMlDsa(key, data, signature))} ms` : 'not here';
    console.log(`${set.label}: ${sign} ms to sign, ${verify} ms to verify, by OpenSSL ${native}`);
  }
}

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '2' } } });
const seconds = Number(values.seconds);
try {
  makeInputs();
  console.log(
    `in a second, over ${seconds} s each; load ${loadavg()[0].toFixed(1)}, Node ${process.version}`,
  );
  console.log('                                     bulla    openssl (a process each)    pkijs');
  const row = async (name, ours, command, theirs) => {
    const numbers = [
      await perSecond(seconds, ours),
      await perSecond(seconds, command),
      await perSecond(seconds, theirs),
    ];
    const [a, b, c] = numbers.map((number) => number.toFixed(0));
    console.log(
      `${name.padEnd(32)}${a.padStart(10)}${b.padStart(28)}${c.padStart(9)}   ${(numbers[0] / numbers[1]).toFixed(0)}x, ${(numbers[0] / numbers[2]).toFixed(1)}x`,
    );
  };
  await row(
    'paths of three certificates',
    ourPath(),
    commandLine('verify', '-CAfile', 'root.pem', '-untrusted', 'inter.pem', 'signer.pem'),
    theirPath(),
  );
  const verify = [
    'cms',
    '-verify',
    '-binary',
    '-in',
    'data.p7s',
    '-inform',
    'DER',
    '-content',
    'data.bin',
    '-CAfile',
    'root.pem',
    '-purpose',
    'any',
    '-out',
    'out.bin',
  ];
  await row('CMS signatures, certificates read', ourCms(), commandLine(...verify), theirCms());
  tellRevocation(100_000);
  tellMlDsa();
} finally {
  rmSync(FOLDER, { recursive: true, force: true });
}
