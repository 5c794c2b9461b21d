// The break-glass annotation: until the time that it holds, at most a day ahead, a Secret that would be refused is let through.
import { PaycertError } from '../../errors.ts';
import { breakGlassAnnotation } from '../labels.ts';

const longestMilliseconds = 24 * 3_600_000;

/** RFC 3339, as Kubernetes writes times: without a zone it would be another time for each reader. */
const form = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})$/i;

/** Until when it holds; undefined without one. @throws PaycertError `break-glass-invalid` */
export function readBreakGlass(annotations: Readonly<Record<string, string>> = {}, now: Date): Date | undefined {
  const text = annotations[breakGlassAnnotation];
  if (text === undefined) return undefined;
  const until = new Date(form.test(text.trim()) ? text.trim() : Number.NaN);
  const refused = (why: string) =>
    new PaycertError('break-glass-invalid', `annotation ${breakGlassAnnotation} ${why}`, {
      field: breakGlassAnnotation,
    });
  if (Number.isNaN(until.getTime())) throw refused('is not a time such as 2026-03-01T12:00:00Z');
  if (until <= now) throw refused(`ended at ${until.toISOString()}`);
  if (until.getTime() - now.getTime() > longestMilliseconds) throw refused('is more than 24 hours ahead');
  return until;
}
