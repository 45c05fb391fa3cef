import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isBundleError } from '../../../src/kit/errors/errors.ts';
import { formatPublisher, parsePublisher } from '../../../src/storage/trust/publisher-file.ts';
import { isPublisherName, type Publisher } from '../../../src/trust/publisher.ts';

const FILE = 'publishers/acme/publisher.toml';
const refusal = async (toml: string) => {
  const error: unknown = await parsePublisher(toml, FILE).catch((reason: unknown) => reason);
  if (!isBundleError(error)) throw new Error(`not refused, or by another error: ${String(error)}`);
  return error;
};

describe('parsePublisher', () => {
  test('[pub.1] the whole file', async () => {
    const toml = [
      'name = "acme"',
      'scopes = ["acme/*", "acme-labs/router"]',
      'subjects = ["CN=Acme Release,O=Acme"]',
      'threshold = 2',
      'from = 2026-01-01',
      'until = 2027-12-31T12:00:00+01:00',
      'require = ["post-quantum"]',
    ];
    expect(await parsePublisher(toml.join('\n'), FILE)).toEqual({
      name: 'acme',
      scopes: ['acme/*', 'acme-labs/router'],
      subjects: ['CN=Acme Release,O=Acme'],
      threshold: 2,
      from: new Date('2026-01-01T00:00:00Z'),
      until: new Date('2027-12-31T11:00:00Z'),
      require: ['post-quantum'],
    });
  });

  test('[pub.1] only the name is needed', async () => {
    expect(await parsePublisher('name = "acme"', FILE)).toEqual({
      name: 'acme',
      scopes: ['*'],
      subjects: [],
      threshold: 1,
    });
  });

  test('[pub.9] a day of until counts to its end, UTC', async () => {
    const { until } = await parsePublisher('name = "acme"\nuntil = 2027-12-31', FILE);
    expect(until?.toISOString()).toBe('2027-12-31T23:59:59.999Z');
  });

  test.each([
    ['scope = ["acme/*"]', 'unknown key "scope"'],
    ['revoked = true', 'unknown key "revoked"'],
    ['revocation = "always"', 'revocation: '],
    ['timestamp = true', 'timestamp: '],
    ['require = []', 'require: '],
    ['require = ["quantum"]', 'require'],
    ['require = "post-quantum"', 'require: '],
    ['__proto__ = { threshold = 0 }', 'not TOML'],
    ['[extra]\na = 1', 'unknown key "extra"'],
    ['scopes = "acme/*"', 'scopes'],
    ['scopes = []', 'scopes'],
    ['scopes = ["Acme/*"]', 'scopes'],
    ['scopes = ["acme"]', 'scopes'],
    ['scopes = ["acme/x/y"]', 'scopes'],
    ['scopes = ["acme/"]', 'scopes'],
    ['subjects = []', 'subjects'],
    ['subjects = [""]', 'subjects'],
    ['subjects = ["Acme"]', 'subjects'],
    ['threshold = 0', 'threshold'],
    ['threshold = 1.5', 'threshold'],
    ['threshold = "1"', 'threshold'],
    ['from = "2026-01-01"', 'from'],
    ['from = 2026-01-01T12:00:00', 'from'],
    ['until = 12:00:00', 'until'],
    ['from = 2027-01-01\nuntil = 2026-01-01', 'from is after until'],
    ['name = "acme"', 'not TOML'],
    ['scopes = [', 'not TOML'],
  ])('[pub.3] what is not understood is refused, naming file and key: %s', async (line, named) => {
    const error = await refusal(`name = "acme"\n${line}`);
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.where.file).toBe(FILE);
    expect(error.message).toContain(named);
    expect(error.message).not.toContain('\n');
  });

  test('[pub.3] where the syntax is wrong the line is told', async () => {
    expect((await refusal('name = "acme"\nscopes = = 1')).where.line).toBe(2);
  });

  test('[pub.2] a name is also a folder', async () => {
    for (const name of ['', 'Acme', 'a/b', '..', '.acme', 'a b', 'ä', 'a'.repeat(65)]) {
      expect(isPublisherName(name), name).toBe(false);
      expect((await refusal(`name = ${JSON.stringify(name)}`)).message).toContain('name');
    }
    for (const name of ['acme', 'acme.example', '3com', 'a-b_c', 'a'.repeat(64)]) {
      expect(isPublisherName(name), name).toBe(true);
    }
    expect((await refusal('')).code).toBe('CONFIG_INVALID');
  });
});

describe('formatPublisher', () => {
  test('writes what a person would write', () => {
    const publisher: Publisher = {
      name: 'acme',
      scopes: ['acme/*'],
      subjects: ['CN=A "B"\x7f,O=\\,'],
      threshold: 1,
      from: new Date('2026-01-01T00:00:00Z'),
      until: new Date('2026-12-31T23:59:59.999Z'),
    };
    expect(formatPublisher(publisher)).toBe(
      [
        'name = "acme"',
        'scopes = ["acme/*"]',
        'subjects = ["CN=A \\"B\\"\\u007F,O=\\\\,"]',
        'threshold = 1',
        'from = 2026-01-01',
        'until = 2026-12-31',
        '',
      ].join('\n'),
    );
  });

  test('[pub.1] what is written is read back', async () => {
    const moment = fc.date({ min: new Date('1970-01-01'), max: new Date('2100-01-01'), noInvalidDate: true });
    const value = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter((text) => /^[^ #,+\\]([^,+\\]*[^ ,+\\])?$/u.test(text));
    const arbitrary = fc.record({
      name: fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,20}$/),
      scopes: fc.array(fc.stringMatching(/^[a-z0-9._-]+\/[a-z0-9._*-]+$/), { minLength: 1, maxLength: 3 }),
      subjects: fc.array(
        value.map((text) => `CN=${text}`),
        { maxLength: 3 },
      ),
      threshold: fc.integer({ min: 1, max: 16 }),
      times: fc.option(
        fc.tuple(moment, moment).map((pair) => pair.sort((a, b) => a.getTime() - b.getTime())),
      ),
    });
    await fc.assert(
      fc.asyncProperty(arbitrary, async ({ times, ...rest }) => {
        const [from, until] = times ?? [];
        const publisher = { ...rest, ...(from && { from }), ...(until && { until }) };
        expect(await parsePublisher(formatPublisher(publisher), FILE)).toEqual(publisher);
      }),
      { numRuns: 200 },
    );
  });
});
