// What a Pod asks for by its labels and annotations. A tenant writes them: each is bounded, and refused by its name.
import { credentialName } from '../../config/schema/shared.ts';
import { type PaycertError, throwTogether } from '../../errors.ts';
import {
  containersAnnotation,
  cpuLimitAnnotation,
  cpuRequestAnnotation,
  credentialsAnnotation,
  drainAnnotation,
  imageAnnotation,
  injectLabel,
  logLevelAnnotation,
  memoryLimitAnnotation,
  memoryRequestAnnotation,
  otlpEndpointAnnotation,
  sourceAnnotation,
} from '../labels.ts';
import { refusal } from './refusal.ts';
import { type Resources, resources, resourcesOf } from './resources.ts';

type Texts = Readonly<Record<string, string>>;

export interface Wanted {
  /** That of the label first. */
  readonly credentials: readonly string[];
  /** Undefined: all but init containers. */
  readonly containers: readonly string[] | undefined;
  readonly usesApi: boolean;
  readonly image: string | undefined;
  readonly cpu: Resources;
  readonly memory: Resources;
  readonly logLevel: string | undefined;
  readonly drain: string | undefined;
  readonly otlpEndpoint: string | undefined;
  /** Of what is done in another way than the annotations say. */
  readonly warnings: readonly string[];
}

interface Form {
  readonly pattern: RegExp;
  /** What it is, after `is not`. */
  readonly form: string;
}

const name: Form = { pattern: new RegExp(credentialName.pattern), form: credentialName.form };
const cpu: Form = { pattern: /^[0-9]{1,3}(\.[0-9]{1,3}|[0-9]{0,3}m)?$/, form: 'a quantity of CPUs such as 50m or 0.5' };
const memory: Form = { pattern: /^[0-9]{1,12}(Ki|Mi|Gi|k|M|G)?$/, form: 'a quantity of memory such as 256Mi' };

/** Most that a Pod may name: each is a volume of it. */
export const mostNames = 16;
const longestList = 4096;

const forms: Readonly<Record<string, Form>> = {
  [sourceAnnotation]: { pattern: /^(mount|api)$/, form: 'mount or api' },
  [imageAnnotation]: {
    pattern: /^[a-z0-9][a-zA-Z0-9._:/@-]{0,511}$/,
    form: 'an image such as registry.example/paycert:0.1.0',
  },
  [cpuRequestAnnotation]: cpu,
  [cpuLimitAnnotation]: cpu,
  [memoryRequestAnnotation]: memory,
  [memoryLimitAnnotation]: memory,
  [logLevelAnnotation]: { pattern: /^(debug|info|warn|error)$/, form: 'debug, info, warn or error' },
  [drainAnnotation]: { pattern: /^[0-9]{1,5}(ms|s)$/, form: 'a duration such as 5s' },
  [otlpEndpointAnnotation]: {
    pattern: /^https?:\/\/[a-z0-9.-]{1,253}(:[0-9]{1,5})?(\/[a-z0-9._/-]{0,200})?$/i,
    form: 'an address such as http://otel-collector.observability:4318',
  },
};

/** @throws PaycertError `injection-refused`, with all the others */
export function readWanted(labels: Texts = {}, annotations: Texts = {}): Wanted {
  const faults: PaycertError[] = [];
  const warnings: string[] = [];
  const read = (field: string): string | undefined => {
    const [text, known] = [annotations[field], forms[field]];
    if (text === undefined || known === undefined || known.pattern.test(text)) return text;
    faults.push(refusal(`annotation ${field}`, `is not ${known.form}`));
    return undefined;
  };
  const readList = (field: string, text: string | undefined): readonly string[] => {
    const texts = text === undefined || text.length > longestList ? [] : text.split(',').map((one) => one.trim());
    const isFine = texts.length <= mostNames && texts.every((one) => name.pattern.test(one));
    if (text === undefined || (isFine && texts.length > 0)) return texts;
    faults.push(refusal(field, `is not a list of at most ${String(mostNames)} names with commas between`));
    return [];
  };
  const readResources = ({ request, limit }: (typeof resources)['cpu' | 'memory']): Resources => {
    const said = { request: read(request.annotation), limit: read(limit.annotation) };
    const { found, ...more } = resourcesOf({ request, limit }, said);
    warnings.push(...more.warnings);
    faults.push(...more.faults);
    return found;
  };
  const label = labels[injectLabel] ?? '';
  if (!name.pattern.test(label)) faults.push(refusal(`label ${injectLabel}`, `is not ${name.form}`));
  const more = readList(`annotation ${credentialsAnnotation}`, annotations[credentialsAnnotation]);
  const containers = readList(`annotation ${containersAnnotation}`, annotations[containersAnnotation]);
  const wanted: Wanted = {
    credentials: [...new Set([label, ...more])],
    containers: annotations[containersAnnotation] === undefined ? undefined : [...new Set(containers)],
    usesApi: read(sourceAnnotation) === 'api',
    image: read(imageAnnotation),
    cpu: readResources(resources.cpu),
    memory: readResources(resources.memory),
    logLevel: read(logLevelAnnotation),
    drain: read(drainAnnotation),
    otlpEndpoint: read(otlpEndpointAnnotation),
    warnings,
  };
  throwTogether(faults);
  return wanted;
}
