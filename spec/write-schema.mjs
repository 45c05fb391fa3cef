// Writes report.schema.json beside this file, from the schema in the built program.
import { writeFileSync } from 'node:fs';
import { formatReportSchema } from '../dist/operations/report/any-report-schema.js';

writeFileSync(new URL('report.schema.json', import.meta.url), formatReportSchema());
