import { BundleError } from '../../kit/errors/errors.ts';
import {
  isPublisherName,
  isSubjectPattern,
  type Publisher,
  type RequiredKind,
  type RevocationMode,
  type TimestampMode,
} from '../../trust/publisher.ts';
import { isScope } from '../../trust/scope.ts';
import { parseSettingsFile, type SchemaTools } from './toml-file.ts';

const DAY_MS = 86_400_000;

/**
 * The contents of a `publisher.toml`; `file` names it in errors.
 *
 * Every key is understood or the file is refused. Loads the TOML parser and the schema library on first use.
 * @throws `CONFIG_INVALID` naming the file and the key [pub.1] [pub.3]
 */
export async function parsePublisher(toml: string, file: string): Promise<Publisher> {
  const { from, until, revocation, timestamp, require, ...rest } = await parseSettingsFile(
    toml,
    file,
    schemaOf,
  );
  if (from && until && from > until)
    throw new BundleError('CONFIG_INVALID', 'from is after until', { where: { file } });
  return {
    ...rest,
    ...(from !== undefined && { from }),
    ...(until !== undefined && { until }),
    ...(revocation !== undefined && { revocation }),
    ...(timestamp !== undefined && { timestamp }),
    ...(require !== undefined && { require }),
  };
}

function schemaOf({ z, TomlDate }: SchemaTools) {
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
  return z.strictObject({
    name: z.string().refine(isPublisherName, 'not of lower-case letters, digits, ".", "_" and "-"'),
    scopes: texts(isScope, 'a scope that is neither "*" nor "vendor/name" in lower case').default(['*']),
    subjects: texts(isSubjectPattern, 'a subject that is not like "CN=Acme Release,O=Acme"').default([]),
    threshold: z.int().min(1).max(16).default(1),
    from: moment(false).optional(),
    until: moment(true).optional(),
    revocation: z.enum<readonly RevocationMode[]>(['require', 'if-present', 'off']).optional(),
    timestamp: z.enum<readonly TimestampMode[]>(['require', 'prefer', 'ignore']).optional(),
    require: z
      .array(z.enum<readonly RequiredKind[]>(['post-quantum']))
      .min(1, 'an empty list: leave the key out, or name something')
      .optional(),
  });
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

/** The `publisher.toml` of a publisher; `parsePublisher` gives it back. */
export function formatPublisher(publisher: Publisher): string {
  const { name, scopes, subjects, threshold, from, until, revocation, timestamp, require } = publisher;
  const lines = [
    `name = ${quote(name)}`,
    `scopes = ${quoteList(scopes)}`,
    ...(subjects.length > 0 ? [`subjects = ${quoteList(subjects)}`] : []),
    `threshold = ${threshold}`,
    ...(from ? [`from = ${showMoment(from, 0)}`] : []),
    ...(until ? [`until = ${showMoment(until, DAY_MS - 1)}`] : []),
    ...(revocation ? [`revocation = ${quote(revocation)}`] : []),
    ...(timestamp ? [`timestamp = ${quote(timestamp)}`] : []),
    ...(require ? [`require = ${quoteList(require)}`] : []),
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
