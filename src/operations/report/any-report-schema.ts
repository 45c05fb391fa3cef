import { z } from 'zod';
import { REPORT_FIELDS } from '../../verdict/report/report-schema.ts';
import { ENV_RESULT } from './env-schema.ts';
import { INSPECT_RESULT } from './inspect-schema.ts';
import * as results from './result-schemas.ts';
import * as signing from './signing-schemas.ts';
import * as trust from './trust-schemas.ts';

const SCHEMA = z.literal('bulla.report/1');

/** The schema of the report of one operation, which may make or find something. */
const reportOf = <const Operation extends string, Result extends z.ZodType>(
  operation: Operation,
  result: Result,
) =>
  z.strictObject({
    schema: SCHEMA,
    operation: z.literal(operation),
    ...REPORT_FIELDS,
    result: result.exactOptional().describe('what the command made or found'),
  });

/**
 * The schema of `AnyReport`, which its JSON Schema is made from; a test holds the two together.
 *
 * It loads the schema library, so nothing that only makes reports may import it.
 */
export const REPORT_SCHEMA = z.discriminatedUnion('operation', [
  z.strictObject({ schema: SCHEMA, operation: z.literal('verify'), ...REPORT_FIELDS }),
  reportOf('import', results.IMPORT_RESULT),
  reportOf('pack', results.PACK_RESULT),
  reportOf('sign', signing.SIGN_RESULT),
  reportOf('timestamp', signing.TIMESTAMP_RESULT),
  reportOf('normalize', results.NORMALIZE_RESULT),
  reportOf('repack', results.REPACK_RESULT),
  reportOf('inspect', INSPECT_RESULT),
  reportOf('diff', results.DIFF_RESULT),
  reportOf('split', results.SPLIT_RESULT),
  reportOf('join', results.JOIN_RESULT),
  reportOf('clean', results.CLEAN_RESULT),
  reportOf('dev-certs', results.DEV_CERTS_RESULT),
  reportOf('glance verify', results.IMAGE_RESULT),
  reportOf('glance sign', results.SIGN_IMAGE_RESULT),
  reportOf('glance store-certificate', results.STORE_RESULT),
  reportOf('trust check', trust.CHECK_RESULT),
  reportOf('trust add', trust.TRUST_ADD_RESULT),
  reportOf('trust list', trust.TRUST_LIST_RESULT),
  reportOf('trust show', trust.TRUST_SHOW_RESULT),
  reportOf('trust remove', trust.TRUST_REMOVE_RESULT),
  reportOf('env', ENV_RESULT),
  z.strictObject({
    schema: SCHEMA,
    operation: z
      .literal(['help', 'version', 'completion', 'glance', 'trust'])
      .describe('a command line that is refused and names no operation; help where it names no command'),
    ...REPORT_FIELDS,
  }),
]);

/** The JSON Schema of the report (draft 2020-12) as the text of `spec/report.schema.json`. */
export function formatReportSchema(): string {
  const schema = { title: 'bulla report', ...z.toJSONSchema(REPORT_SCHEMA) };
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}
