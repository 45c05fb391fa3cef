import { BundleError } from '../../kit/errors/errors.ts';
import {
  isPublisherName,
  isSubjectPattern,
  type Publisher,
  type RevocationMode,
  type TimestampMode,
} from '../../trust/publisher.ts';
import { isScope } from '../../trust/scope.ts';

const DAY_MS = 86_400_000;

/**
 * The contents of a `publisher.toml`; `file` names it in errors.
 *
 * Every key is understood or the file is refused. Loads the TOML parser and the schema library on first use.
 * @throws `CONFIG_INVALID` naming the file and the key [pub.1] [pub.3]
 */
export async function parsePublisher(toml: string, file: string): Promise<Publisher> {
  const { parse, TomlDate, TomlError } = await import('smol-toml');
  const { z } = await import('zod');
  const invalid = (problem: string, line?: number, cause?: unknown): BundleError =>
    new BundleError('CONFIG_INVALID', problem, {
      where: { file, ...(line !== undefined && { line }) },
      cause,
    });

  const texts = (test: (text: string) => boolean, problem: string) =>
    z.array(z.string().refine(test, problem)).min(1, 'an empty list: leave the key out, or name something');
  const moment = (end: boolean) =>
    z
      .custom<InstanceType<typeof TomlDate>>((value) => value instanceof TomlDate, 'not a date')
      .transform((date, context) => {
        const moment = readMoment(date, end);
        if (moment) return moment;
        context.addIssue({ code: 'custom', message: 'neither a date nor a time with its offset from UTC' });
        return z.NEVER;
      });
  const schema = z.strictObject({
    name: z.string().refine(isPublisherName, 'not of lower-case letters, digits, ".", "_" and "-"'),
    scopes: texts(isScope, 'a scope that is neither "*" nor "vendor/name" in lower case').default(['*']),
    subjects: texts(isSubjectPattern, 'a subject that is not like "CN=Acme Release,O=Acme"').default([]),
    threshold: z.int().min(1).max(16).default(1),
    from: moment(false).optional(),
    until: moment(true).optional(),
    revocation: z.enum<readonly RevocationMode[]>(['require', 'if-present', 'off']).optional(),
    timestamp: z.enum<readonly TimestampMode[]>(['require', 'prefer', 'ignore']).optional(),
  });

  let table: unknown;
  try {
    table = parse(toml, { unsafeKeyBehaviour: 'throw', useLegacyDate: true });
  } catch (cause) {
    const problem = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
    throw invalid(`not TOML: ${problem}`, cause instanceof TomlError ? cause.line : undefined, cause);
  }
  const result = schema.safeParse(table);
  if (!result.success) throw invalid(result.error.issues.map(showIssue).join('; '));
  const { from, until, revocation, timestamp, ...rest } = result.data;
  if (from && until && from > until) throw invalid('from is after until');
  return {
    ...rest,
    ...(from !== undefined && { from }),
    ...(until !== undefined && { until }),
    ...(revocation !== undefined && { revocation }),
    ...(timestamp !== undefined && { timestamp }),
  };
}

/** A time with its offset, or a day in UTC: its first moment, or its last. Local times mean another moment on every machine. */
function readMoment(
  date: Date & { isDate(): boolean; isDateTime(): boolean; isLocal(): boolean },
  end: boolean,
): Date | undefined {
  if (Number.isNaN(date.getTime())) return undefined;
  if (date.isDate()) return new Date(date.getTime() + (end ? DAY_MS - 1 : 0)); // [pub.9]
  return date.isDateTime() && !date.isLocal() ? new Date(date.getTime()) : undefined;
}

function showIssue(issue: {
  code: string;
  path: readonly PropertyKey[];
  message: string;
  keys?: unknown;
}): string {
  if (Array.isArray(issue.keys)) return `unknown key ${issue.keys.map((key) => `"${key}"`).join(', ')}`;
  const [key] = issue.path;
  return key === undefined ? issue.message : `${String(key)}: ${issue.message}`;
}

/** The `publisher.toml` of a publisher; `parsePublisher` gives it back. */
export function formatPublisher(publisher: Publisher): string {
  const { name, scopes, subjects, threshold, from, until, revocation, timestamp } = publisher;
  const lines = [
    `name = ${quote(name)}`,
    `scopes = ${quoteList(scopes)}`,
    ...(subjects.length > 0 ? [`subjects = ${quoteList(subjects)}`] : []),
    `threshold = ${threshold}`,
    ...(from ? [`from = ${showMoment(from, 0)}`] : []),
    ...(until ? [`until = ${showMoment(until, DAY_MS - 1)}`] : []),
    ...(revocation ? [`revocation = ${quote(revocation)}`] : []),
    ...(timestamp ? [`timestamp = ${quote(timestamp)}`] : []),
  ];
  return `${lines.join('\n')}\n`;
}

function quoteList(texts: readonly string[]): string {
  return `[${texts.map(quote).join(', ')}]`;
}

/** A TOML basic string: JSON's escapes are TOML's, but for DEL, which TOML wants escaped. */
function quote(text: string): string {
  return JSON.stringify(text).replaceAll('\x7f', '\\u007F');
}

function showMoment(date: Date, offsetOfDay: number): string {
  const text = date.toISOString();
  return date.getTime() % DAY_MS === offsetOfDay ? text.slice(0, 10) : text;
}
