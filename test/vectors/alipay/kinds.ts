// The table of Alipay: kind of vector → what checks it. The first row that matches counts: narrow names stand before wide ones.
import { checkKeys } from '../keys.ts';
import type { Row } from '../kinds.ts';
import type { Situation } from '../situation.ts';
import { checkChain, checkPublicKey, checkRoots, checkSerials } from './certificates.ts';
import { checkContent, checkShangmi } from './contents.ts';
import { checkResponse, checkExtraction, checkNotification, checkParameters, checkRestResponse } from './messages.ts';
import { checkRestRequest, checkRules } from './rest.ts';

const has = (situation: Situation, ...names: string[]): boolean => situation.input(...names) !== undefined;

/** Both generations of a message go by the same names: what the inputs are decides. */
const checkReceived = async (situation: Situation): Promise<void> => {
  const isGateway =
    situation.vector.protocol === 'alipay-v2' || has(situation, 'response_key', 'node', 'content', 'api_method');
  const isV2 = isGateway && !has(situation, 'headers');
  await (isV2 ? checkResponse(situation) : checkRestResponse(situation));
};

const checkSigned = async (situation: Situation): Promise<void> => {
  const isV2 = has(situation, 'params', 'parameters') && !has(situation, 'auth_string');
  await (isV2 ? checkParameters(situation) : checkRestRequest(situation));
};

export const alipayRows: readonly Row[] = [
  [/sm[234]|shangmi/, checkShangmi],
  [/chain|trust/, checkChain],
  [/root.*(?:sn|serial)/, checkRoots],
  [/(?:^|[-_])sn(?:$|[-_])|serial/, checkSerials],
  [/public-key/, checkPublicKey],
  [/rules|behaviou?r/, checkRules],
  [/extract/, checkExtraction],
  [/aes|encrypt|decrypt|cipher/, checkContent],
  [/notif|callback|params?-verify|async|return-?url/, checkNotification],
  [/sync|response|answer/, checkReceived],
  [/request|sign|authorization|order|sdk-?execute|page/, checkSigned],
  [/^key-|^pem-|private-key|key-(?:format|pair)/, checkKeys],
];
