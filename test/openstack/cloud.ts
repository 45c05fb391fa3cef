import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CursiveVerdict } from '../../src/operations/glance/image-options.ts';
import { makeSandbox } from '../factory/sandbox.ts';

/**
 * The folder with `up.sh DIR`, which starts a real Barbican and Glance on the loopback address (with a Keystone that takes
 * every token `tok-USER`) and leaves their process numbers in `DIR/*.pid`.
 */
const { BULLA_OPENSTACK: scripts = '' } = process.env;

/** Whether the scripts are there; it is said loudly when they are not. */
export function hasOpenStack(): boolean {
  if (scripts !== '' && existsSync(join(scripts, 'up.sh'))) return true;
  console.warn(
    'SKIPPED: set BULLA_OPENSTACK to a folder with up.sh, which starts a real Barbican and Glance',
  );
  return false;
}

export const BARBICAN = 'http://127.0.0.1:19311';
export const KEYSTONE = 'http://127.0.0.1:15000/v3';
export const TOKEN = 'tok-alice';
const GLANCE = 'http://127.0.0.1:19292';

/** A cloud that runs as long as it is not disposed of. */
export async function startCloud(): Promise<Disposable> {
  const sandbox = makeSandbox();
  const { folder } = sandbox;
  const child = spawn('bash', [join(scripts, 'up.sh'), folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const stop = (): void => {
    for (const name of readdirSync(folder).filter((one) => one.endsWith('.pid'))) {
      try {
        process.kill(Number(readFileSync(join(folder, name), 'utf8')));
      } catch {
        // it has ended by itself
      }
    }
    sandbox[Symbol.dispose]();
  };
  // the servers keep the pipe open: the end of the script is what counts
  const code = await new Promise<number>((ended) => child.on('exit', (status) => ended(status ?? -1)));
  child.stdout.destroy();
  if (code === 0) return { [Symbol.dispose]: stop };
  stop();
  throw new Error(`up.sh ended with ${code}: ${said}`);
}

/** What Glance makes of an upload: the status of the answer, that of the image afterwards, and its words. */
export async function upload(
  properties: Readonly<Record<string, string>>,
  image: Uint8Array,
): Promise<{ readonly http: number; readonly status: string; readonly text: string; readonly id: string }> {
  const headers = { 'X-Auth-Token': TOKEN };
  const created = await fetch(`${GLANCE}/v2/images`, {
    method: 'POST',
    headers: { ...headers, 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: 'test', disk_format: 'raw', container_format: 'bare', ...properties }),
  });
  const { id } = (await created.json()) as { id: string };
  const put = await fetch(`${GLANCE}/v2/images/${id}/file`, {
    method: 'PUT',
    headers: { ...headers, 'Content-Type': 'application/octet-stream' },
    body: Buffer.from(image),
  });
  const text = await put.text();
  const { status } = (await (await fetch(`${GLANCE}/v2/images/${id}`, { headers })).json()) as {
    status: string;
  };
  return { http: put.status, status, text, id };
}

/** The image as Glance shows it, JSON. */
export async function show(id: string): Promise<string> {
  return (await fetch(`${GLANCE}/v2/images/${id}`, { headers: { 'X-Auth-Token': TOKEN } })).text();
}

/** Stores anything in Barbican and gives its UUID. */
export async function storeSecret(secret: Readonly<Record<string, string>>): Promise<string> {
  const stored = await fetch(`${BARBICAN}/v1/secrets`, {
    method: 'POST',
    headers: { 'X-Auth-Token': TOKEN, 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: 'test', ...secret }),
  });
  const { secret_ref: ref } = (await stored.json()) as { secret_ref: string };
  return ref.split('/').at(-1) ?? '';
}

/** A case for the real cursive. */
export interface CursiveCase {
  readonly image: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly trusted?: readonly string[];
}

/** What the real cursive says, with these certificates in place of a key manager. */
export function askCursive(
  certificates: Readonly<Record<string, string>>,
  cases: readonly CursiveCase[],
): readonly CursiveVerdict[] {
  return JSON.parse(
    python([join(import.meta.dirname, 'ask_cursive.py')], JSON.stringify({ certificates, cases })),
  );
}

/** Runs the Python that the packages of OpenStack are installed for. */
export function python(argv: readonly string[], input = ''): string {
  return execFileSync('/usr/bin/python3', argv, { input, maxBuffer: 1 << 28 }).toString();
}
