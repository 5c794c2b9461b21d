// The condition CertificatesCurrent: what came of downloading the certificates that a platform signs with. There only where that is asked for.
import type { CertificateListState } from '../../events.ts';
import type { Status } from '../resource.ts';
import { describeViolations, type Evaluation, type Outcome } from './conditions.ts';

const off =
  'The operator downloads nothing: it runs without --download-certificates (platformCertificates.enabled of the chart). Let it, or remove spec.platformCertificates.';
const ofPublicKey =
  'The platform has no certificates for this merchant, and signs with its public key. It is asked once a day whether that is still so.';

export function evaluateCertificates(
  { spec, secret, error, certificates }: Evaluation,
  previous: Status | undefined,
): Readonly<Record<string, Outcome>> {
  const { platformCertificates, suspend } = spec ?? {};
  if (platformCertificates === undefined || suspend === true) return {};
  const said = (outcome: Outcome) => ({ CertificatesCurrent: outcome });
  if (certificates === 'off') return said({ status: 'False', reason: 'DownloadsOff', message: off });
  if (certificates !== undefined) return said(outcomeOf(certificates, platformCertificates.secret));
  const [violation] = secret?.violations ?? (error ? [error] : []);
  if (violation !== undefined) return said({ status: 'Unknown', ...describeViolations([violation]) });
  // Nobody has asked yet: as the leader before has left it.
  const before = previous?.conditions.find(({ type }) => type === 'CertificatesCurrent');
  return before ? said({ status: before.status, reason: before.reason, message: before.message }) : {};
}

function outcomeOf({ outcome, listedAt, error }: CertificateListState, secret: string): Outcome {
  const since = listedAt === undefined ? '' : ` They were listed last at ${listedAt.toISOString()}.`;
  if (outcome === 'absent') return { status: 'True', reason: 'PublicKeyOnly', message: ofPublicKey };
  if (outcome === 'listed') return { status: 'True', reason: 'Listed', message: `Secret "${secret}" has what the platform lists.${since}` }; // prettier-ignore
  const { reason, message } = describeViolations(error === undefined ? [] : [error]);
  return { status: 'False', reason, message: `${message} The certificates in Secret "${secret}" stay.${since}` };
}
