// An AdmissionReview (admission.k8s.io/v1): what the API server asks before it stores an object, and the response to that.
import Type, { type Static } from 'typebox';
import type { PaycertError } from '../../errors.ts';
import { anyName } from '../../json-schema.ts';
import type { Operation } from '../../kube/client.ts';
import { validator } from '../../validation.ts';

const Texts = Type.Record(Type.String(anyName), Type.String());
const ObjectSchema = Type.Object({
  metadata: Type.Object({
    // Absent where the API server makes it from generateName, after the review.
    name: Type.Optional(Type.String()),
    generateName: Type.Optional(Type.String()),
    namespace: Type.Optional(Type.String()),
    uid: Type.Optional(Type.String()),
    labels: Type.Optional(Texts),
    annotations: Type.Optional(Texts),
  }),
  data: Type.Optional(Texts),
  spec: Type.Optional(Type.Unknown()),
});

const ReviewSchema = Type.Object({
  apiVersion: Type.Literal('admission.k8s.io/v1'),
  kind: Type.Literal('AdmissionReview'),
  request: Type.Object({
    uid: Type.String({ minLength: 1, maxLength: 128 }),
    kind: Type.Object({
      group: Type.String(),
      version: Type.String(),
      kind: Type.Union([Type.Literal('Secret'), Type.Literal('PaymentCredential'), Type.Literal('Pod')]),
    }),
    namespace: Type.String(),
    operation: Type.Union([Type.Literal('CREATE'), Type.Literal('UPDATE')]),
    dryRun: Type.Optional(Type.Boolean()),
    userInfo: Type.Optional(Type.Object({ username: Type.Optional(Type.String()) })),
    object: ObjectSchema,
    oldObject: Type.Optional(Type.Union([ObjectSchema, Type.Null()])),
  }),
});

export type ReviewRequest = Static<typeof ReviewSchema>['request'];
export type ReviewedObject = Static<typeof ObjectSchema>;

const validate = validator(ReviewSchema, 'review-malformed');

/** @throws PaycertError `review-malformed` */
export const readReview = (body: unknown): ReviewRequest => validate(body).request;

/** What becomes of a write. */
export interface Decision {
  /** `overridden`: it would be refused, and its break-glass annotation lets it through. */
  readonly outcome: 'allowed' | 'refused' | 'overridden';
  /** Everything that is against it, in order. */
  readonly refusals: readonly PaycertError[];
  /** Of what is allowed and odd, one line each. */
  readonly warnings: readonly string[];
  /** For the audit log of the API server. */
  readonly audit: Readonly<Record<string, string>>;
  /** What is changed before it is stored. */
  readonly patch?: readonly Operation[];
  /** The PaymentCredentials whose keys a Pod gets by that. */
  readonly injected?: readonly string[];
}

/** Longer ones are cut by the API server, in the middle of a word. */
const longestWarning = 256;
const mostWarnings = 12;
const mostRefusals = 16;

/** The message of the refusal is what people see, whatever tool they write with: code, field and remedy of each fault. */
export function respond({ uid }: Pick<ReviewRequest, 'uid'>, decision: Decision): object {
  const { outcome, refusals, warnings, audit, patch = [] } = decision;
  const shown = refusals.slice(0, mostRefusals);
  const causes = shown.map(({ code, field, message }) => ({
    reason: code,
    message,
    ...(field !== undefined && { field }),
  }));
  const status = { code: 403, reason: 'Forbidden', message: shown.map(describe).join('\n'), details: { causes } };
  const lines = [...new Set(warnings.map(shorten))].slice(0, mostWarnings);
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: {
      uid,
      allowed: outcome !== 'refused',
      ...(outcome === 'refused' && { status }),
      ...(patch.length > 0 && { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') }),
      ...(lines.length > 0 && { warnings: lines }),
      auditAnnotations: { ...audit, outcome, ...(shown[0] && { reason: shown[0].code }) },
    },
  };
}

/** What is wrong, and what to do. Holds no secret: messages of errors never do. */
const describe = ({ code, message, hint }: PaycertError): string => `${code}: ${message}. ${hint}`;

function shorten(text: string): string {
  const line = text.toWellFormed().replaceAll(/\p{C}/gu, ' ');
  return line.length <= longestWarning ? line : `${line.slice(0, longestWarning - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
