// Writes report.schema.json beside this file, from the schema in the built program.
import { writeFileSync } from 'node:fs';
import { formatReportSchema } from '../dist/verdict/report/report-schema.js';

writeFileSync(new URL('report.schema.json', import.meta.url), formatReportSchema());
