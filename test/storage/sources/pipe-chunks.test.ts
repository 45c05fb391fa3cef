import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { copyBytes } from '../../../src/kit/bytes.ts';
import { openFileSource } from '../../../src/storage/sources/file-source.ts';
import { makeSandbox } from '../../factory/sandbox.ts';

const sandbox = makeSandbox();
const { folder } = sandbox;
afterAll(() => sandbox[Symbol.dispose]());

test('a chunk of a slow pipe stays as it is until the second pull after it', async () => {
  const pipe = join(folder, 'pipe');
  execFileSync('sh', ['-c', `mkfifo '${pipe}'`]);
  const writer = spawn('sh', ['-c', `exec cat > '${pipe}'`]);
  await using source = openFileSource(pipe, { idleMs: 20_000 });
  const written = (async () => {
    for (let round = 0; round < 6; round++) {
      writer.stdin.write(Buffer.alloc(1000, round + 1));
      await sleep(50); // the reader finds nothing, and has to wait
    }
    writer.stdin.end();
  })();
  let before: { readonly chunk: Uint8Array; readonly copy: Uint8Array } | undefined;
  let length = 0;
  for await (const chunk of source.stream()) {
    if (before) expect(copyBytes(before.chunk)).toEqual(before.copy); // it may still be on its way to the disk
    before = { chunk, copy: copyBytes(chunk) };
    length += chunk.byteLength;
  }
  await written;
  expect(length).toBe(6000);
});
