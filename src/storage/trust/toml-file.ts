import type { TomlDate } from 'smol-toml';
import type { ZodType, z } from 'zod';
import type { Told } from '../../kit/errors/advice.ts';
import { BundleError } from '../../kit/errors/errors.ts';

/** What the schema of a settings file is made with: both libraries are loaded on first use. */
export interface SchemaTools {
  readonly z: typeof z;
  readonly TomlDate: typeof TomlDate;
}

/**
 * The values of a settings file in TOML. Every key is understood or the file is refused. [pub.3] [cli.29]
 *
 * @param file names it in errors
 * @param fix what to do about one that is refused, where that is not what its code says
 * @throws {BundleError} `CONFIG_INVALID` naming the file and the key
 */
export async function parseSettingsFile<T>(
  toml: string,
  file: string,
  schemaOf: (tools: SchemaTools) => ZodType<T>,
  fix?: Told,
): Promise<T> {
  const { parse, TomlDate, TomlError } = await import('smol-toml');
  const { z } = await import('zod');
  const invalid = (problem: string, line?: number, cause?: unknown): BundleError =>
    new BundleError('CONFIG_INVALID', problem, {
      where: { file, ...(line !== undefined && { line }) },
      ...(fix !== undefined && { fix }),
      cause,
    });
  let table: unknown;
  try {
    table = parse(toml, { unsafeKeyBehaviour: 'throw', useLegacyDate: true });
  } catch (cause) {
    const problem = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
    throw invalid(`not TOML: ${problem}`, cause instanceof TomlError ? cause.line : undefined, cause);
  }
  const result = schemaOf({ z, TomlDate }).safeParse(table);
  if (result.success) return result.data;
  throw invalid(result.error.issues.map(showIssue).join('; '));
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
