import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Source, SourceOptions } from '../../../src/kit/source.ts';
import { openFileSource } from '../../../src/storage/sources/file-source.ts';
import { bytesOf, noiseFile } from '../../factory/bundles.ts';
import { makeSandbox, type Sandbox } from '../../factory/sandbox.ts';
import { irregular } from '../../factory/streams.ts';

const MIB = 1024 * 1024;

/** A pipe in the sandbox that a shell script writes to, which finds it as `$PIPE`. */
function pipeFrom(sandbox: Sandbox, script: string, options: Partial<SourceOptions> = {}): Source {
  const pipe = sandbox.path('pipe');
  execFileSync('mkfifo', [pipe]);
  const source = openFileSource(pipe, { idleMs: 10_000, ...options });
  spawn('sh', ['-c', `{ ${script}; } > "$PIPE"`], {
    cwd: sandbox.folder,
    env: { ...process.env, PIPE: pipe },
    stdio: 'ignore',
  });
  return source;
}

/** SHA-256 of a stream by a reader that takes its time, and uses each chunk as late as `ByteStream` allows. */
async function slowDigest(source: Source, pause: () => number): Promise<string> {
  const hash = createHash('sha256');
  let before: Uint8Array = new Uint8Array(0);
  for await (const chunk of source.stream()) {
    const wait = pause();
    if (wait > 0) await setTimeout(wait);
    hash.update(before);
    before = chunk;
  }
  return hash.update(before).digest('hex');
}

describe('a pipe', () => {
  test('brings 64 MiB in order, whoever is faster', async () => {
    using sandbox = makeSandbox();
    const block = noiseFile('block', MIB).bytes;
    const hash = createHash('sha256');
    const file = openSync(sandbox.path('file'), 'w');
    for (let i = 0; i < 64; i++) {
      block[i] = i;
      writeSync(file, block);
      hash.update(block);
    }
    closeSync(file);
    const digest = hash.digest('hex');
    const sizes = irregular(3, 30);
    for (const pause of [() => 0, () => (sizes() === 7 ? 10 : 0)]) {
      execFileSync('rm', ['-f', sandbox.path('pipe')]);
      await using source = pipeFrom(sandbox, 'cat file');
      expect(await slowDigest(source, pause)).toBe(digest);
    }
  });

  test('brings the same from a writer that stops and starts', async () => {
    using sandbox = makeSandbox();
    const bytes = noiseFile('file', 3 * MIB).bytes;
    sandbox.write('file', bytes);
    const script =
      'i=0; while [ $i -lt 30 ]; do dd if=file bs=104858 skip=$i count=1 2>/dev/null; sleep 0.01; i=$((i+1)); done; dd if=file bs=104858 skip=30 2>/dev/null';
    await using source = pipeFrom(sandbox, script);
    const expected = createHash('sha256').update(bytes).digest('hex');
    expect(await slowDigest(source, () => 0)).toBe(expected);
  });

  test('may be empty', async () => {
    using sandbox = makeSandbox();
    await using source = pipeFrom(sandbox, 'true');
    expect((await bytesOf(source.stream())).byteLength).toBe(0);
  });

  test('[cli.12] is given up when no byte comes any more', async () => {
    using sandbox = makeSandbox();
    await using source = pipeFrom(
      sandbox,
      'for i in 1 2 3 4 5; do printf x; sleep 0.1; done; exec sleep 30',
      {
        idleMs: 3000,
      },
    );
    const seen: number[] = [];
    const reading = (async () => {
      for await (const chunk of source.stream()) seen.push(chunk.byteLength);
    })();
    await expect(reading).rejects.toMatchObject({
      code: 'INPUT_STALLED',
      where: { file: sandbox.path('pipe') },
    });
    expect(seen.reduce((sum, count) => sum + count, 0)).toBe(5);
  });

  test('stops at the word, while it waits and while bytes come without end', async () => {
    for (const script of ['printf x; sleep 5', 'cat /dev/zero']) {
      using sandbox = makeSandbox();
      const stop = new AbortController();
      const source = pipeFrom(sandbox, script, { signal: stop.signal });
      const timer = setTimeout(200).then(() => stop.abort());
      const reading = (async () => {
        for await (const _ of source.stream());
      })();
      await expect(reading, script).rejects.toMatchObject({ code: 'INTERRUPTED' });
      await timer;
      await source[Symbol.asyncDispose]();
    }
  });

  test('is closed with the source, and the writer told', async () => {
    using sandbox = makeSandbox();
    const source = pipeFrom(sandbox, 'cat /dev/zero; echo $? > done');
    for await (const _ of source.stream()) break;
    await source[Symbol.asyncDispose]();
    await source[Symbol.asyncDispose]();
    await expect.poll(() => sandbox.list(), { timeout: 60_000 }).toContain('done');
  });
});
