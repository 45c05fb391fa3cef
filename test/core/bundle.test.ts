import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { describe, expect, test } from 'vitest';

/** What no page has, by the ways in which it would come in. */
const FOREIGN: Readonly<Record<string, RegExp>> = {
  'modules of Node': /\bnode:[a-z]/,
  Buffer: /\bBuffer\b/,
  process: /\bprocess\b/,
  zod: /\bZod\w+|\bzod\b/,
  TOML: /smol-toml|\bTomlDate\b/,
};

interface Bundle {
  /** code without its comments, as it is run */
  readonly code: string;
  readonly unresolved: readonly string[];
}

/** One file of everything that `entry` reaches, for a page, with an engine that computes nothing. */
async function bundleOf(entry: string): Promise<Bundle> {
  const unresolved: string[] = [];
  const built = await rolldown({
    input: entry,
    platform: 'browser',
    resolve: { alias: { '#engine': join(import.meta.dirname, 'engine.ts') } },
    onLog: (_, { code, message }) => {
      if (code === 'UNRESOLVED_IMPORT' || /externalized|Could not resolve/.test(message))
        unresolved.push(message);
    },
    logLevel: 'info',
  });
  const { output } = await built.generate({ format: 'esm', minify: true });
  await built.close();
  return { code: output.map((part) => (part.type === 'chunk' ? part.code : '')).join('\n'), unresolved };
}

function foreignIn({ code }: Bundle): readonly string[] {
  return Object.entries(FOREIGN).flatMap(([name, sign]) => (sign.test(code) ? [name] : []));
}

describe('the core', () => {
  test('[core.1] is bundled for a page whole, and holds nothing of Node, no schemas and no TOML', async () => {
    const bundle = await bundleOf('src/core.ts');
    expect(bundle.code).toContain('bulla.report/1');
    expect(bundle.unresolved).toEqual([]);
    expect(foreignIn(bundle)).toEqual([]);
  });

  test('and the same look finds all of that in the library for Node', async () => {
    const bundle = await bundleOf('src/index.ts').catch((error: unknown) => ({
      code: '',
      unresolved: [`${error}`],
    }));
    const found = bundle.code === '' ? [] : foreignIn(bundle);
    expect({ found, unresolved: bundle.unresolved.length > 0 }).toEqual({
      found: Object.keys(FOREIGN),
      unresolved: true,
    });
  });

  test('[core.1] compiles without the types of Node', () => {
    const compiler = 'node_modules/typescript/bin/tsc';
    expect(execFileSync(process.execPath, [compiler, '-p', 'tsconfig.core.json'], { encoding: 'utf8' })).toBe(
      '',
    );
  }, 300_000);
});
