import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FORM_CHOICES, HASH_CHOICES, KEY_TYPE_CHOICES } from '../../src/cli/options/glance-choices.ts';
import { keyManagerOf } from '../../src/cli/options/openstack-options.ts';
import { createProgram } from '../../src/cli/program.ts';
import { PROPERTY_FORMS } from '../../src/formats/glance/format-properties.ts';
import { HASH_METHOD_NAMES, KEY_TYPE_NAMES } from '../../src/formats/glance/names.ts';
import { codeOf } from '../factory/errors.ts';
import { makeWorkbench, type Workbench } from '../factory/workbench.ts';
import { makeScreen } from './screen.ts';

let workbench: Workbench;
beforeAll(async () => {
  workbench = await makeWorkbench();
});
afterAll(() => workbench[Symbol.dispose]());

/** Who the environment says one is. */
function loginOf(env: Readonly<Record<string, string>>): unknown {
  return keyManagerOf({ barbican: 'catalog' }, makeScreen({ env }).context).login;
}

test('[glance.3] [glance.4] [glance.8] the choices of the command line are those of the program', () => {
  expect(HASH_CHOICES).toEqual(HASH_METHOD_NAMES);
  expect(KEY_TYPE_CHOICES).toEqual(KEY_TYPE_NAMES);
  expect(FORM_CHOICES).toEqual(PROPERTY_FORMS);
});

describe('[glance.36] who one is at Keystone and Barbican', () => {
  test('comes from the environment, as in an openrc file', () => {
    expect(loginOf({ OS_TOKEN: 'abc', OS_PASSWORD: 'x' })).toEqual({ kind: 'token', token: 'abc' });
    const openrc = { OS_USERNAME: 'alice', OS_PASSWORD: 'x', OS_PROJECT_NAME: 'demo' };
    expect(loginOf({ ...openrc, OS_USER_DOMAIN_NAME: 'Home', OS_PROJECT_DOMAIN_ID: 'd1' })).toEqual({
      kind: 'password',
      user: { name: 'alice', domainName: 'Home' },
      password: 'x',
      project: { name: 'demo', domainId: 'd1' },
    });
    const credential = { OS_APPLICATION_CREDENTIAL_ID: 'id', OS_APPLICATION_CREDENTIAL_SECRET: 's' };
    expect(loginOf(credential)).toEqual({ kind: 'application-credential', id: 'id', secret: 's' });
    expect(codeOf(() => loginOf({}))).toBe('USAGE');
    expect(codeOf(() => loginOf({ OS_USERNAME: 'alice' }))).toBe('USAGE');
  });

  test('no option takes a secret', () => {
    const program = createProgram(makeScreen().context, () => {});
    const glance = program.commands.find((one) => one.name() === 'glance');
    const options = glance?.commands.flatMap((one) => one.options.map(({ long }) => long ?? '')) ?? [];
    expect(options.length).toBeGreaterThan(20);
    expect(options.filter((name) => /token|password|secret|credential/.test(name))).toEqual([]);
  });

  test('and is never printed', async () => {
    using desk = workbench.desk('keys', 'disk');
    const verify = 'bulla glance verify notes.txt --properties p.json --trust ca.pem';
    const sign =
      'bulla glance sign notes.txt --key signer.key --cert-uuid 214b497e-d4a3-4540-a50b-c07289344e38';
    await desk.run(`${sign} -o p.json`);
    for (const line of [
      `OS_TOKEN=s3cr3t ${verify} --barbican $BARBICAN`,
      `OS_TOKEN=s3cr3t ${verify} --barbican http://127.0.0.1:1/`,
      `OS_TOKEN= OS_AUTH_URL=$BARBICAN OS_USERNAME=alice OS_PASSWORD=s3cr3t ${verify} --barbican catalog`,
      `OS_TOKEN=s3cr3t ${verify} --barbican $BARBICAN --json`,
    ]) {
      const { stdout, stderr, code } = await desk.run(line);
      expect([4, 5], `${line}\n${stderr}`).toContain(code);
      expect(stdout + stderr).not.toContain('s3cr3t');
    }
  });
});
