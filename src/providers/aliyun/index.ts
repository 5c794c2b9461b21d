// Aliyun OpenAPI, as everything outside this folder knows it.
import { definePlatform } from '../platform.ts';
import { forwarding } from './forwarding.ts';
import { Options } from './options.ts';
import { aliyun } from './provider.ts';
import { aliyunRefusals } from './refusal.ts';
import { takes } from './takes.ts';

export const platform = definePlatform({
  id: 'aliyun',
  name: 'Aliyun OpenAPI',
  options: Options,
  create: aliyun,
  takes,
  // The id says nothing that a name could be made of.
  async draft(files) {
    const parts = ['access_key_id', 'access_key_secret', 'security_token', 'expiration'].filter((name) =>
      files.has(name),
    );
    return parts.length === 0 ? undefined : { options: {}, parts: new Map(parts.map((name) => [name, name])) };
  },
  // One host a product, such as dysmsapi.aliyuncs.com, and often one more a region.
  origins: ({ endpoints = ['*.aliyuncs.com'] }) => endpoints.map((host) => `https://${host}`),
  forwards: () => forwarding,
  fileNames: [
    { pattern: /^access_key_id$/, what: 'access key id of Aliyun (access_key_id)', holds: 'secret' },
    { pattern: /^access_key_secret$/, what: 'access key secret of Aliyun (access_key_secret)', holds: 'secret' },
    { pattern: /^security_token$/, what: 'security token of Aliyun (security_token)', holds: 'secret' },
    {
      pattern: /^AccessKey.*\.csv$/i,
      what: 'access key as the RAM console hands it out, not read: access_key_id and access_key_secret are files of their own',
      holds: 'secret',
    },
    { pattern: /^expiration$/, what: 'when the security token ends (expiration)', holds: 'secret' },
  ],
  tied: [['access_key_id', 'access_key_secret', 'security_token']],
  refusals: aliyunRefusals,
});
