import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { noiseFile, textFile } from '../factory/bundles.ts';
import { type Desk, makeWorkbench, type Workbench } from '../factory/workbench.ts';
import { hasPeer } from './peer.ts';

const PYTHON = 'import gzip, sys; sys.stdout.buffer.write(gzip.open(sys.argv[1]).read())';

const READERS: readonly (readonly [name: string, present: boolean, command: string])[] = [
  ['GNU gzip', hasPeer('gzip --version', 'GNU gzip on our archives'), 'gzip -dc big.tgz'],
  ['pigz', hasPeer('pigz --version', 'pigz on our archives'), 'pigz -dc big.tgz'],
  ['igzip', hasPeer('igzip --version', 'igzip on our archives'), 'igzip -dc big.tgz'],
  [
    'python3 gzip',
    hasPeer('python3 -c pass', 'gzip of Python on our archives'),
    `python3 -c '${PYTHON}' big.tgz`,
  ],
];

describe('every gzip reader reads what was deflated in blocks side by side', () => {
  let workbench: Workbench;
  let desk: Desk;
  beforeAll(async () => {
    workbench = await makeWorkbench();
    desk = workbench.desk('keys');
    const text = Array.from({ length: 60_000 }, (_, i) => `line ${i * 7919} of the text\n`).join('');
    const parts = [textFile('a', text), noiseFile('b', 700_000), textFile('c', text)];
    writeFileSync(join(desk.folder, 'big.img'), Buffer.concat(parts.map(({ bytes }) => bytes)));
    for (const output of ['big.ova', 'big.tgz']) {
      const { code, stderr } = await desk.run(`bulla pack big.img -o ${output} --quiet`);
      expect([code, stderr]).toEqual([0, '']);
    }
  });
  afterAll(() => {
    desk[Symbol.dispose]();
    workbench[Symbol.dispose]();
  });

  test.each(READERS)('[gz.6] %s', async (_, present, command) => {
    if (!present) return;
    const sum = async (line: string): Promise<string> => {
      const { code, stdout, stderr } = await desk.run(`${line} | sha256sum`);
      expect([code, stderr]).toEqual([0, '']);
      return stdout;
    };
    expect(await sum(command)).toBe(await sum('cat big.ova'));
  });

  test('[gz.6] the same bytes come of any number of threads', async () => {
    const digests = new Set<string>();
    for (const threads of [1, 2, 3, 9]) {
      const { stdout } = await desk.run(
        `UV_THREADPOOL_SIZE=${threads} bulla pack big.img -o - --format tgz --name big | sha256sum`,
      );
      digests.add(stdout);
    }
    expect([...digests]).toEqual([(await desk.run('sha256sum < big.tgz')).stdout]);
  });
});
