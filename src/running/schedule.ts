// The configuration of an activation becomes what a staged source asks: when the next set signs, and where that may change.
import { readActivations } from '../config/activations.ts';
import { defaults, milliseconds } from '../config/defaults.ts';
import type { ActivateConfig } from '../config/schema/source.ts';
import { files, type FilesOptions } from '../sources/files.ts';
import { always, followed, type Schedule } from '../sources/schedule.ts';
import type { Activation } from '../sources/source.ts';

/** The schema and its rules have made sure that there is one of the three. */
export function activationOf({ at, percent = 0, of, from, steps }: ActivateConfig): Activation {
  if (at !== undefined) return { at: new Date(at) };
  const ofWhat = of === 'requests' ? { of } : {};
  if (from === undefined || steps === undefined) return { percent, ...ofWhat };
  const read = steps.map((step) => ({ percent: step.percent, milliseconds: milliseconds(step.for) }));
  return { from: new Date(from), steps: read, ...ofWhat };
}

interface Scheduled {
  readonly activate: ActivateConfig;
  readonly activationFile?: string | undefined;
}

interface Building extends Pick<FilesOptions, 'clock' | 'observe'> {
  /** The name under which the file has it. */
  readonly credential: string;
}

export function buildSchedule(
  { activate, activationFile }: Scheduled,
  { credential, clock, observe }: Building,
): Schedule {
  const configured = activationOf(activate);
  if (activationFile === undefined) return always(configured);
  return followed({
    source: files({ paths: [activationFile], pollMilliseconds: milliseconds(defaults.poll), clock, observe }),
    configured,
    parse(bytes) {
      const said = readActivations(Buffer.from(bytes).toString()).get(credential);
      return said && activationOf(said);
    },
    refused: (error) => observe({ type: 'activation-refused', credential, error }),
  });
}
