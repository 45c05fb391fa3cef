import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

/** The rooms in their order: each may import itself and those of the lines before it. */
const ROOMS: readonly (readonly string[])[] = [
  ['kit'],
  ['formats'],
  ['engine'],
  ['crypto', 'archive'],
  ['trust'],
  ['verdict', 'storage'],
  ['operations'],
  ['cli'],
];

/** What of node a room may touch; rooms that are not here may touch anything. */
const NODE_MODULES: Readonly<Record<string, RegExp>> = {
  kit: /^$/,
  formats: /^$/,
  engine: /^$/,
  'engine/node': /^node:(crypto|zlib|util|module|timers\/promises)$/,
  crypto: /^$/,
  archive: /^$/,
  trust: /^$/,
  verdict: /^$/,
  storage: /^node:(?!crypto|zlib)/,
  operations: /^node:(path|util)$/,
  cli: /^node:(os|path|fs)$/,
};

const FILES = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .map((file) => file.split('\\').join('/'))
  .filter((file) => file.endsWith('.ts'));

/** Everything a file imports, at its top or when it runs. */
function importsOf(file: string): string[] {
  const text = readFileSync(join('src', file), 'utf8');
  const fixed = [...text.matchAll(/^(?:import|export)\b[^;]*?\bfrom '([^']+)'/gm)];
  const lazy = [...text.matchAll(/\bimport\('([^']+)'\)/g)];
  return [...fixed, ...lazy].map((match) => match[1] ?? '');
}

/** The files of ours that a file imports. */
function targetsOf(file: string): string[] {
  const own = importsOf(file).filter((name) => name.startsWith('.'));
  return own.map((target) => posix.join(posix.dirname(file), target));
}

/** What of an object is put in by spreading an expression, without its parentheses. */
function spreadsIn(file: string): readonly ts.Expression[] {
  const source = ts.createSourceFile(
    file,
    readFileSync(join('src', file), 'utf8'),
    ts.ScriptTarget.Latest,
    true,
  );
  const spreads: ts.Expression[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isSpreadAssignment(node)) spreads.push(bare(node.expression));
    ts.forEachChild(node, visit);
  };
  visit(source);
  return spreads;
}

function bare(expression: ts.Expression): ts.Expression {
  return ts.isParenthesizedExpression(expression) ? bare(expression.expression) : expression;
}

/** Whether fields are left out in another way than `condition && { field }`, or a value is its own condition: 0, '' and false would be lost. */
function isOddSpread(spread: ts.Expression): boolean {
  const isNothing = (one: ts.Expression): boolean =>
    ts.isObjectLiteralExpression(one) && one.properties.length === 0;
  if (ts.isConditionalExpression(spread))
    return [spread.whenTrue, spread.whenFalse].map(bare).some(isNothing);
  if (!ts.isBinaryExpression(spread) || spread.operatorToken.kind !== ts.SyntaxKind.AmpersandAmpersandToken)
    return false;
  const values = valuesIn(spread.right);
  return conditionsOf(spread.left).some((one) => values.has(one.getText()));
}

/** What has to hold, one by one. */
function conditionsOf(condition: ts.Expression): readonly ts.Expression[] {
  const one = bare(condition);
  return ts.isBinaryExpression(one) && one.operatorToken.kind === ts.SyntaxKind.AmpersandAmpersandToken
    ? [...conditionsOf(one.left), ...conditionsOf(one.right)]
    : [one];
}

/** The names and the ways to properties that an expression takes values from. */
function valuesIn(expression: ts.Expression): ReadonlySet<string> {
  const values = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isShorthandPropertyAssignment(node)) values.add(node.name.text);
    if (ts.isIdentifier(node) || ts.isPropertyAccessExpression(node)) values.add(node.getText());
    if (ts.isPropertyAssignment(node)) visit(node.initializer);
    else ts.forEachChild(node, visit);
  };
  visit(expression);
  return values;
}

function roomOf(file: string): string {
  return file.includes('/') ? (file.split('/')[0] ?? '') : '';
}

function rankOf(room: string): number {
  return ROOMS.findIndex((rooms) => rooms.includes(room));
}

describe('architecture', () => {
  it('finds the source', () => expect(FILES.length).toBeGreaterThan(50));

  it.each(FILES)('%s imports only its own room and rooms before it', (file) => {
    const room = roomOf(file);
    if (room === '') return;
    expect(rankOf(room)).toBeGreaterThanOrEqual(0);
    for (const target of targetsOf(file)) {
      const other = roomOf(target);
      if (other !== room) expect(rankOf(other), `${file} imports ${target}`).toBeLessThan(rankOf(room));
      expect(other, `${file} imports a public face`).not.toBe('');
    }
  });

  it('chooses the engine in package.json alone: no room that judges imports one side of it', () => {
    const pure = ['kit', 'formats', 'crypto', 'archive', 'trust', 'verdict'];
    const choosing = FILES.filter((file) => pure.includes(roomOf(file)));
    expect(choosing.filter((file) => importsOf(file).some((name) => name.includes('engine/node')))).toEqual(
      [],
    );
    expect(choosing.filter((file) => importsOf(file).includes('#engine')).length).toBeGreaterThan(5);
  });

  it('has no two files that import each other in a circle, types included', () => {
    const done = new Set<string>();
    const circles: string[] = [];
    const follow = (file: string, way: readonly string[]): void => {
      if (way.includes(file)) circles.push([...way.slice(way.indexOf(file)), file].join(' → '));
      if (done.has(file) || way.includes(file)) return;
      for (const target of targetsOf(file)) follow(target, [...way, file]);
      done.add(file);
    };
    for (const file of FILES) follow(file, []);
    expect(circles).toEqual([]);
  });

  it('has folders that are rooms: at most 15 files of code in one', () => {
    const folders = FILES.map((file) => posix.dirname(file));
    const full = new Set(folders.filter((folder) => folders.filter((one) => one === folder).length > 15));
    expect([...full]).toEqual([]);
  });

  it('has no room that a fifth of the code lies in, but for formats, which are many', () => {
    const linesIn = (files: readonly string[]): number =>
      files.reduce((sum, file) => sum + readFileSync(join('src', file), 'utf8').split('\n').length, 0);
    const large = ROOMS.flat().filter(
      (room) => linesIn(FILES.filter((file) => roomOf(file) === room)) > linesIn(FILES) / 5,
    );
    expect(large.filter((room) => room !== 'formats')).toEqual([]);
  });

  it.each(FILES)('%s touches only what its room may touch', (file) => {
    const allowed = NODE_MODULES[posix.dirname(file)] ?? NODE_MODULES[roomOf(file)];
    if (!allowed || file === 'cli/launch.ts') return; // the program itself is loaded by that
    const touched = importsOf(file).filter((name) => name.startsWith('node:'));
    expect(touched.filter((name) => !allowed.test(name))).toEqual([]);
  });

  it('opens files and sockets only in storage', () => {
    const openers =
      /^node:(fs|fs\/promises|net|tls|http|https|http2|dgram|dns|child_process|worker_threads)$/;
    const others = FILES.filter(
      (file) => roomOf(file) !== 'storage' && importsOf(file).some((name) => openers.test(name)),
    );
    expect(others).toEqual(['cli/launch.ts', 'cli/version.ts']); // read parts of the program
    // [net.1] [net.2] [net.7] what holds for one server holds for all
    const asking = FILES.filter((file) =>
      /\bfetch\(|'node:(http|https|http2|tls)'/.test(readFileSync(join('src', file), 'utf8')),
    );
    expect(asking).toEqual(['storage/remote/http-client.ts']);
  });

  it('opens archives and reads their members in one place, the walk', () => {
    const importersOf = (name: string): readonly string[] =>
      FILES.filter((file) => importsOf(file).some((imported) => imported.endsWith(`/${name}`)));
    const openers = importersOf('open-archive.ts').filter((file) =>
      /\bopenArchive\(/.test(readFileSync(join('src', file), 'utf8')),
    );
    const readers = ['keep-member.ts', 'hash-member.ts'].flatMap(importersOf);
    // the archive around a bundle is none that is judged: only its members are told apart; a repair opens what the walk has asked it to
    expect(new Set([...openers, ...readers])).toEqual(
      new Set(['verdict/walk/inner-source.ts', 'verdict/walk/walk.ts', 'archive/repair/open-odd-archive.ts']),
    );
  });

  it('leaves by one door what exists for speed', () => {
    const importersOf = (behind: string): readonly string[] =>
      FILES.filter((file) => targetsOf(file).includes(behind));
    const doors: Readonly<Record<string, readonly string[]>> = {
      // several lanes, and threads with them
      'storage/lanes/hash-ranges.ts': ['storage/lanes/lanes.ts'],
      // what waits for them, block digests in place of the whole
      'verdict/walk/set-aside.ts': ['verdict/bundle/examine.ts', 'verdict/walk/walk.ts'],
      // blocks as they are packed
      'crypto/block-digester.ts': ['operations/pack/pack-blocks.ts'],
      'formats/blocks/block-size.ts': ['formats/blocks/block-digests.ts', 'operations/pack/pack-blocks.ts'],
      // one reading
      'archive/tar/late-members.ts': ['operations/pack/late-manifest.ts'],
      'operations/pack/late-manifest.ts': [
        'operations/pack/one-reading.ts',
        'operations/repack/repacking.ts',
      ],
      'operations/pack/one-reading.ts': ['operations/pack/packing.ts'],
    };
    const found = Object.keys(doors).map((behind) => [behind, [...importersOf(behind)].sort()]);
    expect(Object.fromEntries(found)).toEqual(doors);
    const starting = FILES.filter((file) => importsOf(file).includes('node:worker_threads'));
    expect(starting).toEqual(['storage/lanes/hash-ranges.ts']);
  });

  it('has one place that makes temporary folders for tests, beside those of a run', () => {
    const files = readdirSync('test', { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.ts'),
    );
    const making = files.filter((file) =>
      /\bmkdtemp(Sync)?\(/.test(readFileSync(join('test', file), 'utf8')),
    );
    expect(making.sort()).toEqual(['factory/sandbox.ts', 'setup/folders.ts']);
  });

  it('asserts no time in a test, for the machine may be busy', () => {
    const tests = readdirSync('test', { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.ts'),
    );
    const timed = tests.filter((file) =>
      /expect\([^;]*?\b(?:performance\.now|Date\.now|hrtime)\b/.test(
        readFileSync(join('test', file), 'utf8'),
      ),
    );
    expect(timed).toEqual([]);
  });

  it('[out.4] asks in one place where a path leads, for elsewhere names that are not UTF-8 would be those of others', () => {
    const asking = /\b(?:realpath|readlink)(?:Sync)?\b|\bprocess\.cwd\b|\bresolve\b[^;]*from 'node:path'/;
    const found = FILES.filter((file) => asking.test(readFileSync(join('src', file), 'utf8')));
    // the other is where the program itself is loaded
    expect(found.sort()).toEqual(['cli/launch.ts', 'storage/absolute.ts']);
  });

  it('reads the environment only in the command line', () => {
    const readers = FILES.filter((file) =>
      /\bprocess\.env\b|\bproc\.env\b/.test(readFileSync(join('src', file), 'utf8')),
    );
    expect(readers.filter((file) => roomOf(file) !== 'cli')).toEqual([]);
  });

  it('[show.5] decides nothing below the command line by the words of a message', () => {
    const methods =
      'includes|startsWith|endsWith|match|matchAll|search|indexOf|replace|replaceAll|split|slice';
    const words = '(?:message|why|fix|detail)';
    const deciding = new RegExp(
      [
        `\\b${words}\\b\\??(?:\\s*\\?\\?\\s*'')?\\)?\\s*\\??\\.\\s*(?:${methods})\\(`,
        `\\.(?:test|exec)\\([^()]*\\b${words}\\b`,
        `\\b${words}\\s*[!=]==?\\s*['"\`A-Z]`,
        `['"\`]\\s*[!=]==?\\s*[\\w.]*\\b${words}\\b`,
        `\\bswitch \\([^()]*\\b${words}\\b`,
      ].join('|'),
    );
    for (const text of [
      "x.message.includes('a')",
      'if (message === "a")',
      '/a/.test(error.message)',
      'switch (error.message) {',
      "fault.why\n  .startsWith('b')",
      'message?.match(/x/)',
    ]) {
      expect(text).toMatch(deciding);
    }
    const found = FILES.filter(
      (file) => roomOf(file) !== 'cli' && deciding.test(readFileSync(join('src', file), 'utf8')),
    );
    // errors of other libraries, which have no code: saxes and smol-toml; their words are passed on, cut to one line
    expect(found.sort()).toEqual(['formats/ovf/xml.ts', 'storage/trust/toml-file.ts']);
  });

  it('[show.1] [show.2] prints in a command nothing raw, and no JSON of its own', () => {
    const raw = FILES.filter(
      (file) =>
        roomOf(file) === 'cli' &&
        /\bJSON\.stringify\b|\bprintable\b/.test(readFileSync(join('src', file), 'utf8')),
    );
    expect(raw).toEqual([]);
  });

  it('leaves out fields that are not given in one way: ...(value !== undefined && { field: value })', () => {
    const oddIn = (text: string): boolean[] => {
      const source = ts.createSourceFile('x.ts', `const x = { ${text} };`, ts.ScriptTarget.Latest, true);
      const found: boolean[] = [];
      const visit = (node: ts.Node): void => {
        if (ts.isSpreadAssignment(node)) found.push(isOddSpread(bare(node.expression)));
        ts.forEachChild(node, visit);
      };
      visit(source);
      return found;
    };
    for (const odd of [
      '...(a ? { a } : {})',
      '...(a === undefined ? {} : { a })',
      '...(a && { b: f(a) })',
      '...(o.a && { b: o.a })',
    ])
      expect(oddIn(odd), odd).toEqual([true]);
    for (const good of [
      '...(a !== undefined && { a })',
      '...(isA(a) && { a })',
      '...(strict && { strict: true })',
      '...(a ? { a } : { b })',
      '...a',
    ])
      expect(oddIn(good), good).toEqual([false]);
    const found = FILES.flatMap((file) =>
      spreadsIn(file)
        .filter(isOddSpread)
        .map((one) => `${file}: ...(${one.getText()})`),
    );
    expect(found).toEqual([]);
  });

  it('re-exports only from the public faces', () => {
    const exporters = FILES.filter((file) =>
      /^export\b[^;]*?\bfrom '/m.test(readFileSync(join('src', file), 'utf8')),
    );
    expect(exporters.sort()).toEqual(['core.ts', 'index.ts']);
  });

  it.each(FILES)('%s is one thing: at most 300 lines', (file) => {
    expect(readFileSync(join('src', file), 'utf8').split('\n').length).toBeLessThanOrEqual(301);
  });
});
