// The environment variables of OpenTelemetry that people expect to work: where it is exported to, with which headers, under which name.
import type { ExportedSignal } from '../events.ts';
import type { Value } from './encoding.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Notes that a variable is not used, and why. Never what it says: it may hold a token. */
export type Ignore = (variable: string, why: string) => void;

export interface Target {
  readonly url: URL;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** For one batch, whole. */
  readonly timeoutMilliseconds: number;
}

const defaultTimeout = 10_000;
const longestTimeout = 60_000;

/** Undefined: nothing of that signal is exported. */
export function targetOf(signal: ExportedSignal, environment: Environment, ignore: Ignore): Target | undefined {
  const of = (name: string) => namedOf(signal, name, environment);
  if (environment['OTEL_SDK_DISABLED']?.trim().toLowerCase() === 'true') return undefined;
  const exporter = `OTEL_${signal.toUpperCase()}_EXPORTER`;
  const chosen = (environment[exporter] ?? 'otlp').split(',').map((one) => one.trim());
  if (chosen.includes('none')) return undefined;
  if (!chosen.includes('otlp') && chosen.join('') !== '') ignore(exporter, 'paycert exports to otlp alone');
  const [name, endpoint, isWhole] = of('ENDPOINT');
  if (endpoint === undefined) return undefined;
  const url = urlOf(endpoint, isWhole ? '' : `v1/${signal}`);
  if (url === undefined) {
    ignore(name, 'it is no address that begins with http:// or https://');
    return undefined;
  }
  const [protocolName, protocol = 'http/json'] = of('PROTOCOL');
  if (protocol !== 'http/json')
    ignore(protocolName, 'paycert speaks http/json alone, such as to the port 4318 of a collector');
  const [headersName, headers = ''] = of('HEADERS');
  const [timeoutName, timeout] = of('TIMEOUT');
  return {
    url,
    headers: headersIn(headers, (why) => ignore(headersName, why)),
    timeoutMilliseconds: timeoutIn(timeout, (why) => ignore(timeoutName, why)),
  };
}

/** The variable of this signal, or the one of all; empty is as good as unset. */
function namedOf(signal: ExportedSignal, name: string, environment: Environment) {
  const own = `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_${name}`;
  const shared = `OTEL_EXPORTER_OTLP_${name}`;
  const isOwn = textOf(environment[own]) !== undefined;
  return [isOwn ? own : shared, textOf(environment[isOwn ? own : shared]), isOwn] as const;
}

const textOf = (value: string | undefined): string | undefined => (value?.trim() === '' ? undefined : value?.trim());

/** The address of one signal is taken as it is; below the one of all, each signal has a path. */
function urlOf(endpoint: string, path: string): URL | undefined {
  const url = URL.parse(path === '' ? endpoint : `${endpoint.replace(/\/$/, '')}/${path}`);
  return url !== null && URL.canParse(endpoint) && /^https?:$/.test(url.protocol) ? url : undefined;
}

/** What the connection itself writes. */
const reserved: ReadonlySet<string> = new Set(['content-type', 'content-length', 'transfer-encoding', 'connection', 'host', 'expect']); // prettier-ignore

function headersIn(text: string, ignore: (why: string) => void): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const [name, value] of pairsIn(text, ignore)) {
    const isSendable = /^[a-z0-9!#$%&'*+.^_`|~-]+$/i.test(name) && /^[\x20-\x7e]*$/.test(value);
    if (isSendable && !reserved.has(name.toLowerCase())) headers[name.toLowerCase()] = value;
    else ignore('a member of it is no header that may be sent');
  }
  return headers;
}

/** As W3C Baggage writes them: `name=value,name=value`, percent-encoded. */
function* pairsIn(text: string, ignore: (why: string) => void): Generator<readonly [name: string, value: string]> {
  for (const member of text.split(',').filter((one) => one.trim() !== '')) {
    const at = member.indexOf('=');
    const name = decoded(member.slice(0, Math.max(at, 0)).trim());
    const value = decoded(member.slice(at + 1).trim());
    if (at > 0 && name !== undefined && value !== undefined) yield [name, value];
    else ignore('a member of it is not name=value, percent-encoded');
  }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function timeoutIn(text: string | undefined, ignore: (why: string) => void): number {
  if (text === undefined) return defaultTimeout;
  if (/^[1-9][0-9]{0,8}$/.test(text)) return Math.min(Number(text), longestTimeout);
  ignore('it is no number of milliseconds');
  return defaultTimeout;
}

/** What exports: its attributes by their names. What the variables say counts more than `own`. */
export function resourceOf(environment: Environment, own: Readonly<Record<string, Value>>, ignore: Ignore) {
  const named = pairsIn(environment['OTEL_RESOURCE_ATTRIBUTES'] ?? '', (why) =>
    ignore('OTEL_RESOURCE_ATTRIBUTES', why),
  );
  const service = textOf(environment['OTEL_SERVICE_NAME']);
  const resource: Record<string, Value> = { 'service.name': 'paycert', ...own };
  for (const [name, value] of named) resource[name] = value;
  return service === undefined ? resource : { ...resource, 'service.name': service };
}
