// The break-glass annotation: until the time that it holds, at most a day ahead, a Secret that would be refused is let through.
import { PaycertError } from '../../errors.ts';
import { breakGlassAnnotation } from '../labels.ts';

const longestMilliseconds = 24 * 3_600_000;

/** RFC 3339, as Kubernetes writes times: without a zone it would be another time for each reader. */
const form = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})$/i;

/** The time that the annotation holds, past or not; undefined where it holds none. */
export function breakGlassTime(annotations: Readonly<Record<string, string>> = {}): Date | undefined {
  const text = annotations[breakGlassAnnotation]?.trim() ?? '';
  const time = new Date(form.test(text) ? text : Number.NaN);
  return Number.isNaN(time.getTime()) ? undefined : time;
}

/** Until when it holds; undefined without one. @throws PaycertError `break-glass-invalid` */
export function readBreakGlass(annotations: Readonly<Record<string, string>> = {}, now: Date): Date | undefined {
  if (annotations[breakGlassAnnotation] === undefined) return undefined;
  const until = breakGlassTime(annotations);
  const refused = (why: string) =>
    new PaycertError('break-glass-invalid', `annotation ${breakGlassAnnotation} ${why}`, {
      field: breakGlassAnnotation,
    });
  if (until === undefined) throw refused('is not a time such as 2026-03-01T12:00:00Z');
  if (until <= now) throw refused(`ended at ${until.toISOString()}`);
  if (until.getTime() - now.getTime() > longestMilliseconds) throw refused('is more than 24 hours ahead');
  return until;
}
