// The OpenAPI 3.1 document, made from the schemas that validate.
import type { TSchema } from 'typebox';
import { operations } from './operations.ts';
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

const name = { name: 'name', in: 'path', required: true, schema: { type: 'string' }, description: 'The credential.' };

const post = (operationId: string, summary: string, request: TSchema, result: TSchema) => ({
  post: {
    operationId,
    summary,
    parameters: [name],
    requestBody: { required: true, ...content('application/json', request) },
    responses: ok(summary, result),
  },
});

const get = (operationId: string, summary: string, result: TSchema, parameters: object[] = []) => ({
  get: { operationId, summary, ...(parameters.length > 0 && { parameters }), responses: ok(summary, result) },
});

/** A batch and its answer: the items of the single call, each with a result or a problem. */
function batchSchemas(request: TSchema, result: TSchema): [TSchema, TSchema] {
  const items = { type: 'array', minItems: 1, maxItems: schema.maxBatch, items: request };
  const outcome = { oneOf: [wrap('result', result), wrap('problem', schema.Problem)] };
  return [wrap('items', items), wrap('items', { type: 'array', items: outcome })];
}

const wrap = (member: string, of: TSchema): TSchema => ({
  type: 'object',
  required: [member],
  properties: { [member]: of },
  additionalProperties: false,
});

export function openApiDocument(version: string): object {
  const paths: Record<string, object> = {};
  for (const { name: operation, summary, request, result, isBatchable } of operations) {
    const path = `/v1/credentials/{name}/${operation}`;
    paths[path] = post(operation, summary, request, result);
    if (isBatchable)
      paths[`${path}/batch`] = post(
        `${operation}Batch`,
        `${summary} Up to ${schema.maxBatch} at once.`,
        ...batchSchemas(request, result),
      );
  }
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
    paths: {
      ...paths,
      '/v1/credentials': get('listCredentials', 'Every credential and its keys; no secret.', schema.CredentialList),
      '/v1/credentials/{name}': get(
        'getCredential',
        'One credential and its keys; no secret.',
        schema.CredentialStatus,
        [name],
      ),
      '/statusz': get('getStatus', 'The process and every credential.', schema.ProcessStatus),
      '/openapi.json': get('getOpenApi', 'This document.', { type: 'object' }),
    },
  };
}
