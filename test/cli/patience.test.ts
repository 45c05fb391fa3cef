import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeBundle, testSigner } from '../factory/bundles.ts';
import { UUID } from '../factory/images.ts';
import { signingFiles } from '../factory/packing.ts';
import { makeSandbox, type Sandbox } from '../factory/sandbox.ts';

let sandbox: Sandbox;
let commands: Readonly<Record<string, readonly string[]>>;
let head: Uint8Array;

beforeAll(async () => {
  sandbox = makeSandbox();
  const { key, certificate } = signingFiles(sandbox, await testSigner());
  const reply = sandbox.write('reply.tsr', Buffer.from('x'));
  const output = ['-o', sandbox.path('out.ova')];
  head = (await makeBundle()).subarray(0, 100);
  commands = {
    sign: ['sign', '-', '--key', key, '--cert', certificate, ...output],
    'sign --detached': ['sign', '-', '--detached', '--key', key, '--cert', certificate, ...output],
    timestamp: ['timestamp', '-', '--tsr-in', reply, ...output],
    'timestamp --tsq-out': ['timestamp', '-', '--tsq-out', sandbox.path('out.tsq')],
    'glance sign': ['glance', 'sign', '-', '--key', key, '--cert-uuid', UUID, ...output],
  };
}, 120_000);
afterAll(() => sandbox[Symbol.dispose]());

/** Runs a command whose standard input stays open, with these bytes at first and, where it drips, more of them for ever. */
async function outcomeOf(
  words: readonly string[],
  drips: boolean,
): Promise<readonly [number | null, string]> {
  const child = spawn(process.execPath, ['dist/cli/main.js', ...words, '--json']);
  let printed = '';
  child.stdout.on('data', (part) => (printed += part));
  child.stdin.on('error', () => {}); // it goes while we write
  child.stdin.write(head);
  const dripping = drips ? setInterval(() => child.stdin.write('x'), 20) : undefined;
  const [status] = (await once(child, 'close')) as [number | null];
  clearInterval(dripping);
  child.stdin.destroy();
  const [error] = (JSON.parse(printed) as { errors: { code: string; message: string }[] }).errors;
  return [status, `${error?.code}: ${error?.message}`];
}

describe.each(['sign', 'sign --detached', 'timestamp', 'timestamp --tsq-out', 'glance sign'])(
  '%s',
  (name) => {
    test.each([
      [
        '[cli.12] gives up an input that sends nothing',
        ['--idle-timeout', '0.2'],
        false,
        'no byte has arrived for 0.2',
      ],
      [
        '[net.5] gives up an input that drips',
        ['--idle-timeout', '2', '--minimum-rate', '1GB'],
        true,
        'less than',
      ],
      ['[cli.15] gives up at the deadline', ['--deadline', '0.2'], true, 'not done within 0.2'],
    ] as const)('%s', { timeout: 120_000 }, async (_, flags, drips, words) => {
      const before = sandbox.list();
      const [status, error] = await outcomeOf([...(commands[name] ?? []), ...flags], drips);
      expect(error).toMatch(/^INPUT_STALLED: /);
      expect(error).toContain(words);
      expect(status).toBe(3);
      expect(sandbox.list()).toEqual(before);
    });
  },
);
