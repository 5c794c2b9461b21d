// References to keys of a cloud's KMS: awskms:///ID, awskms:///alias/NAME, awskms:///ARN and aliyunkms://KEY/VERSION.
import type { ErrorCode } from '../errors.ts';

type Fail = (code: ErrorCode, what: string) => never;

/** A key of AWS KMS, as the material names it. No secret. */
export interface AwsReference {
  readonly service: 'awskms';
  /** An id, `alias/NAME`, or the ARN of either. */
  readonly key: string;
}

/** One version of a key of Aliyun KMS, as the material names it. No secret. */
export interface AliyunReference {
  readonly service: 'aliyunkms';
  readonly key: string;
  readonly version: string;
}

const namesHost = 'names a host or a path, which a reference may not';

const awsKey = '(?:(?:mrk-)?[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})';
const awsAlias = 'alias/[A-Za-z0-9/_-]{1,250}';
const awsArn = `arn:aws(?:-[a-z]{1,8}){0,3}:kms:[a-z0-9-]{1,32}:\\d{12}:(?:key/${awsKey}|${awsAlias})`;
const awsForm = new RegExp(`^(?:${awsKey}|${awsAlias}|${awsArn})$`);

/** What is behind `awskms:`. The host that others let stand between the slashes is for the configuration to say. */
export function readAwsReference(rest: string, fail: Fail): AwsReference {
  if (/^\/\/[^/]/.test(rest)) return fail('key-reference-refused', namesHost);
  const key = rest.slice('///'.length);
  // A key has one version for ever. An alias is looked up when the set is loaded, and not again.
  if (rest.startsWith('///') && awsForm.test(key)) return { service: 'awskms', key };
  return fail(
    'key-reference-malformed',
    'does not name a key; write it as in awskms:///ID, awskms:///alias/NAME or awskms:///ARN',
  );
}

export const textOfAwsReference = ({ key }: AwsReference): string => `awskms:///${key}`;

const aliyunName = /^\w[\w-]{0,127}$/;

/** What is behind `aliyunkms:`. */
export function readAliyunReference(rest: string, fail: Fail): AliyunReference {
  const [key = '', version = '', ...more] = rest.replace(/^\/\//, '').split('/');
  if (more.length > 0 || /[.@:]/.test(key)) return fail('key-reference-refused', namesHost);
  if (!aliyunName.test(key))
    return fail('key-reference-malformed', 'does not name a key; write it as in aliyunkms://KEY/VERSION');
  // Without it, another version would sign after a restart, and its certificate would still be the old one’s.
  if (!aliyunName.test(version))
    return fail(
      'key-reference-malformed',
      `does not say which version of the key signs; write it as in aliyunkms://${key}/VERSION`,
    );
  return { service: 'aliyunkms', key, version };
}

export const textOfAliyunReference = ({ key, version }: AliyunReference): string => `aliyunkms://${key}/${version}`;
