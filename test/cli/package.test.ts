import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { dependencies: object };

test('what is built needs the packages in `dependencies`, each of them, and no other', () => {
  const files = readdirSync('dist', { recursive: true, encoding: 'utf8' }).filter((name) =>
    /(?<!\.d)\.(js|ts)$/.test(name),
  );
  const needed = new Set(files.flatMap((name) => packagesIn(readFileSync(join('dist', name), 'utf8'))));
  expect([...needed].sort()).toEqual(Object.keys(dependencies).sort());
});

/** Packages that are imported by their names, in any of the ways that the library and the command line have. */
function packagesIn(code: string): string[] {
  const statements = code.matchAll(/^(?:import|export|\}).*?\bfrom ["']([a-z@][\w@./-]*)["'];$/gm);
  const calls = code.matchAll(/\b(?:import|require|require\.import)\(["']([a-z@][\w@./-]*)["']\)/g);
  return [...statements, ...calls].flatMap(([, name = '']) =>
    isBuiltin(name) ? [] : [/^(?:@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? ''],
  );
}
