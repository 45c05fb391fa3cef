import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isSignedWith } from '../../src/crypto/signature.ts';
import { openDer } from '../../src/formats/der/cursor.ts';
import { derElement, derNull, derOid, derSequence, derUnsigned } from '../../src/formats/der/writer.ts';
import { digestOid, parseSignatureAlgorithm } from '../../src/formats/x509/signature-algorithm.ts';
import { ownKey } from '../factory/keys.ts';
import { vectorFolder, vectorNames } from './vectors.ts';

interface Group {
  readonly publicKeyDer?: string;
  readonly keyDer?: string;
  readonly sha?: string;
  readonly mgfSha?: string;
  readonly sLen?: number;
  readonly tests: readonly {
    tcId: number;
    msg: string;
    sig: string;
    result: string;
    flags: readonly string[];
  }[];
}

const folder = vectorFolder('crypto/wycheproof') ?? '';
/** Those of `p1363` are of another encoding (r and s one behind the other), which neither X.509 nor CMS has. */
const files = folder ? vectorNames(folder, '.json').filter((name) => !name.includes('p1363')) : [];
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));
const EMPTY = new Uint8Array();

/** The name that node:crypto has for a digest. */
const digestOf = (sha: string): string =>
  sha.toLowerCase().replace(/^sha-/, 'sha').replace('sha512/', 'sha512-');

/** The AlgorithmIdentifier of the signatures in a group. */
function algorithmOf(schema: string, algorithm: string, group: Group): Uint8Array {
  const digest = digestOf(group.sha ?? '');
  if (/EdDSA|eddsa/i.test(algorithm + schema)) {
    const key = createPublicKey({
      key: Buffer.from(hex(group.publicKeyDer ?? '')),
      format: 'der',
      type: 'spki',
    });
    return derSequence(derOid(key.asymmetricKeyType === 'ed448' ? '1.3.101.113' : '1.3.101.112'));
  }
  if (/PSS/.test(algorithm)) {
    const hash = derSequence(derOid(digestOid(digest) ?? '0.0'), derNull());
    const mask = derSequence(derOid(digestOid(digestOf(group.mgfSha ?? '')) ?? '0.0'), derNull());
    return derSequence(
      derOid('1.2.840.113549.1.1.10'),
      derSequence(
        derElement(0xa0, hash),
        derElement(0xa1, derSequence(derOid('1.2.840.113549.1.1.8'), mask)),
        derElement(0xa2, derUnsigned(Uint8Array.of((group.sLen ?? 0) >> 8, (group.sLen ?? 0) & 0xff))),
      ),
    );
  }
  const open = /DSA/.test(algorithm)
    ? /ECDSA/.test(algorithm)
      ? '1.2.840.10045.2.1'
      : '1.2.840.10040.4.1'
    : '1.2.840.113549.1.1.1';
  return derSequence(derOid(open));
}

describe.skipIf(files.length === 0)('Wycheproof', () => {
  test.each(files)('[sigalg.3] %s', (name) => {
    const { algorithm, schema, testGroups } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as {
      algorithm: string;
      schema: string;
      testGroups: readonly Group[];
    };
    const wrong: string[] = [];
    let tried = 0;
    for (const group of testGroups) {
      const spki = Buffer.from(hex(group.publicKeyDer ?? group.keyDer ?? ''));
      let key: ReturnType<typeof ownKey> | undefined;
      try {
        key = ownKey(createPublicKey({ key: spki, format: 'der', type: 'spki' }));
      } catch {
        // then nothing it verifies may be valid
      }
      const parsed = parseSignatureAlgorithm(
        openDer(algorithmOf(schema, algorithm, group), 'test').next(),
        'test',
      );
      for (const { tcId, msg, sig, result, flags } of group.tests) {
        if (result === 'acceptable') continue; // either answer is right
        tried++;
        const carried = { algorithm: parsed, signature: hex(sig), digest: digestOf(group.sha ?? '') };
        const good = key !== undefined && isSignedWith(carried, hex(msg) ?? EMPTY, key);
        if (good !== (result === 'valid')) wrong.push(`${tcId} is ${result} (${flags.join()})`);
      }
    }
    expect(wrong).toEqual([]);
    expect(tried).toBeGreaterThan(10);
  });
});
