// The OpenAPI 3.1 document: a map over the rows of the local API, with the schemas that validate.
import type { TSchema } from 'typebox';
import type { Route } from './routes.ts';
import * as schema from './schema.ts';

const content = (type: string, of: TSchema) => ({ content: { [type]: { schema: of } } });

const problems = {
  '4XX': {
    description: 'The caller’s error, or 422: the answer is no.',
    ...content('application/problem+json', schema.Problem),
  },
  '503': { description: 'Not ready: try again.', ...content('application/problem+json', schema.Problem) },
};

const ok = (description: string, of: TSchema) => ({
  '200': { description, ...content('application/json', of) },
  ...problems,
});

const descriptions: Readonly<Record<string, string>> = {
  nonce: 'That was sent, percent-encoded; the time that was sent, where the platform has no nonce.',
};

const describeParameter = ([, name]: RegExpExecArray) => ({
  ...{ name, in: 'path', required: true, schema: { type: 'string' } },
  description: descriptions[name ?? ''] ?? 'The credential.',
});

function describeRoute({ path, operationId, summary, request, result = { type: 'object' } }: Route): object {
  const parameters = [...path.matchAll(/\{(\w+)\}/g)].map(describeParameter);
  return {
    operationId,
    summary,
    ...(parameters.length > 0 && { parameters }),
    ...(request && { requestBody: { required: true, ...content('application/json', request) } }),
    responses: ok(summary, result),
  };
}

/** A batch and its response: the items of the single call, each with a result or a problem. */
export function batchSchemas(request: TSchema, result: TSchema): { request: TSchema; result: TSchema } {
  const items = { type: 'array', minItems: 1, maxItems: schema.maxBatch, items: request };
  const outcome = { oneOf: [wrap('result', result), wrap('problem', schema.Problem)] };
  return { request: wrap('items', items), result: wrap('items', { type: 'array', items: outcome }) };
}

const wrap = (member: string, of: TSchema): TSchema => ({
  type: 'object',
  required: [member],
  properties: { [member]: of },
  additionalProperties: false,
});

export function openApiDocument(version: string, routes: readonly Route[]): object {
  return {
    openapi: '3.1.0',
    // Over the socket, its file mode decides instead.
    security: [{}, { token: [] }],
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'Over TCP: the content of `tokenFile`.' },
      },
    },
    info: { title: 'paycert', version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    paths: Object.fromEntries(
      routes.map((route) => [route.path, { [route.method.toLowerCase()]: describeRoute(route) }]),
    ),
  };
}
