// Every deliberate error: one class, and one table from code to who must act and what to do.
import { nodeHint } from './oldest-node.js';

/** Who must act. It decides whether a retry makes sense, the HTTP status and the exit code. */
export type ErrorKind = 'config' | 'source' | 'material' | 'request' | 'refused' | 'not-ready' | 'gateway' | 'internal';

interface Row {
  readonly kind: ErrorKind;
  /** What to do, in one sentence. Shown after every message. */
  readonly hint: string;
  /** HTTP status where the kind alone does not decide it. */
  readonly status?: number;
  /** Reported about material that is used all the same; no check refuses it. */
  readonly isWarning?: true;
}

const table = {
  // config: the author of the configuration
  'config-unreadable': { kind: 'config', hint: 'Check the path of the configuration file and who may read it.' },
  'config-syntax': { kind: 'config', hint: 'Correct the YAML at the line named.' },
  'config-invalid': { kind: 'config', hint: 'Correct the field named; docs/configuration.md lists every field.' },
  'resource-invalid': {
    kind: 'config',
    hint: 'Correct the field named; `kubectl explain paymentcredential.spec --recursive` lists every field.',
  },
  'labels-invalid': {
    kind: 'config',
    hint: 'Correct the label or annotation named, on the Secret; docs/operator.md lists every one.',
  },
  'resource-duplicate': {
    kind: 'config',
    hint: 'Use the PaymentCredential that is named, or name another Secret, or other `keys` of this one.',
  },
  'identity-changed': {
    kind: 'config',
    hint: 'Create another PaymentCredential or Secret for the other account, and remove this one when nobody uses it.',
  },
  'break-glass-invalid': {
    kind: 'config',
    hint: 'Set the annotation to a time at most 24 hours ahead, or remove it.',
  },
  'injection-refused': {
    kind: 'config',
    hint: 'Correct the label or annotation named, in the Pod template; docs/injection.md lists every one.',
  },
  'key-service-missing': {
    kind: 'config',
    hint: 'Say under `keyServices` where it is and how to log in; docs/keys.md has an example.',
  },
  'activation-invalid': {
    kind: 'config',
    hint: 'Correct or remove the file or annotation; docs/staged.md says what it looks like.',
  },
  'node-too-old': { kind: 'config', hint: nodeHint },
  'package-missing': { kind: 'config', hint: 'Install what the message names, beside paycert.' },
  'listener-in-use': { kind: 'config', hint: 'Stop the other process, or configure another socket or port.' },
  'listener-unusable': {
    kind: 'config',
    hint: 'Correct the path or address: a socket needs a writable directory, an address must be this machine’s.',
  },
  'listener-exposed': {
    kind: 'config',
    hint: 'Bind a loopback address, or set `exposed: true` next to the address if other hosts must reach it.',
  },
  'token-unusable': {
    kind: 'config',
    hint: 'Put at least 16 printable characters without spaces into the file named.',
  },
  'last-good-unusable': {
    kind: 'config',
    hint: 'Name a new directory inside an emptyDir with `medium: Memory`, and set PAYCERT_POD_UID; see docs/sidecar.md.',
  },

  // source: the operator of the origin
  'source-unreadable': {
    kind: 'source',
    hint: 'Check that the path exists, is mounted, is readable by this user and is not empty.',
  },
  'source-unstable': {
    kind: 'source',
    hint: 'Nothing to do if it passes; otherwise find what keeps writing the files.',
  },
  'source-too-large': {
    kind: 'source',
    hint: 'Point the source at the key material only; a Secret holds at most 1 MiB.',
  },
  'source-conflict': { kind: 'source', hint: 'Give each name in one place only, or make the contents equal.' },
  'variable-missing': { kind: 'source', hint: 'Set the environment variable, or remove it from `keys`.' },
  'source-behind': {
    kind: 'source',
    hint: 'Repair the first source; the last good material stays until one of them has something newer.',
  },
  'last-good-refused': {
    kind: 'source',
    hint: 'Put fit material into the source; what was kept for a restart has been removed, and is not used.',
  },
  'cluster-unconfigured': {
    kind: 'source',
    hint: 'In a pod, mount a service account token; elsewhere, set KUBECONFIG to a usable kubeconfig.',
  },
  'cluster-unreachable': {
    kind: 'source',
    hint: 'Check the address of the API server, the CA, and what network policies and proxies let through.',
  },
  'cluster-failing': { kind: 'source', hint: 'Nothing to do if it passes; otherwise look at the API server and etcd.' },
  'cluster-unauthenticated': {
    kind: 'source',
    hint: 'Check the service account, and that its token is renewed before it expires.',
  },
  'cluster-forbidden': {
    kind: 'source',
    hint: 'Grant what the message names with a Role and a RoleBinding; docs/kubernetes.md has both.',
  },
  'cluster-refused': { kind: 'source', hint: 'Check that the API server and this version of paycert fit together.' },
  'secret-unwatched': {
    kind: 'source',
    hint: 'Add it to the operator’s --secret (rbac.secretNames of the chart), or watch the whole namespace.',
  },
  'secret-not-opted-in': {
    kind: 'source',
    hint: 'Ask the owner of the Secret to label it `paycert.dev/used-by`: the name of the PaymentCredential or `any`.',
  },
  'certificates-secret-refused': {
    kind: 'source',
    hint: 'Label that Secret `paycert.dev/certificates-of` with the name of the resource; leave `immutable` out.',
  },
  'definition-missing': {
    kind: 'source',
    hint: 'Install the CustomResourceDefinition (`deploy/crds/`, or the chart), or correct the address of the API server.',
  },
  'namespace-terminating': { kind: 'source', hint: 'Nothing to do: what is in the namespace goes with it.' },
  'quota-exceeded': {
    kind: 'source',
    hint: 'Raise the ResourceQuota that the message names, or delete what is not needed in the namespace.',
  },
  'admission-refused': {
    kind: 'source',
    hint: 'Change what the message says, or ask whose webhook or policy it is to let paycert write this.',
  },
  'admission-failing': {
    kind: 'source',
    hint: 'Repair the webhook that the message names, or set its `failurePolicy` to Ignore.',
  },
  'object-missing': { kind: 'source', hint: 'Create the object named, or correct name and namespace.' },
  'object-conflict': { kind: 'source', hint: 'Nothing to do: it is read again and written again.' },
  'object-invalid': {
    kind: 'source',
    hint: 'Install the CustomResourceDefinition of this version of paycert; if it is, report what was refused.',
  },
  'watch-expired': { kind: 'source', hint: 'Nothing to do: everything is listed again.' },
  'response-malformed': {
    kind: 'source',
    hint: 'Find out what answers in place of the server that is meant, such as a proxy.',
  },
  'origin-unreachable': {
    kind: 'source',
    hint: 'Check the address, the CA, and what network policies and proxies let through.',
  },
  'origin-sealed': { kind: 'source', hint: 'Unseal or initialise it; what is current stays so until then.' },
  'origin-failing': {
    kind: 'source',
    hint: 'Nothing to do if it passes; otherwise look at the server named: its leader, its limits, its log.',
  },
  'origin-throttled': {
    kind: 'source',
    hint: 'Nothing to do if it passes; otherwise have the quota of the account raised, or ask less of it.',
  },
  'origin-unauthenticated': {
    kind: 'source',
    hint: 'Check the file, the role and the audience that the log-in uses; docs/sources/ has each method.',
  },
  'origin-forbidden': {
    kind: 'source',
    hint: 'Allow what the message names; docs/sources/ and docs/keys.md have the exact policies.',
  },
  'origin-missing': {
    kind: 'source',
    hint: 'Write the set to the path named, or correct the path; of Vault compare `mount` and `engine` too.',
  },
  'origin-deleted': {
    kind: 'source',
    hint: 'Undelete that version or write a new one; what is current stays so until then.',
  },
  'origin-refused': { kind: 'source', hint: 'Correct what the message names, in `source` or at the server.' },
  'key-missing': {
    kind: 'source',
    hint: 'Refer to a key that is there and made for this, or create it or its version as docs/keys.md says.',
  },
  'value-not-wrapped': {
    kind: 'source',
    hint: 'Wrap it, or name the part under `allowPlain` of `unwrap`; docs/sources/unwrap.md says how.',
  },
  'unwrap-refused': {
    kind: 'source',
    hint: 'Wrap the value again with the key and the `context` that `unwrap` names.',
  },
  'wrapping-key-malformed': {
    kind: 'source',
    hint: 'Write 32 random bytes in base64 into the file: openssl rand -base64 32',
  },
  'not-issued-here': {
    kind: 'source',
    hint: 'Nothing to do: a sidecar has the certificate issued when it starts, and `paycert status` says what came of it.',
  },
  'not-checked-here': {
    kind: 'source',
    hint: 'Nothing to do here: sidecars ask the key service, and `paycert status` says what they found.',
  },
  'origin-value-malformed': { kind: 'source', hint: 'Write each value as text, and what is binary in base64.' },

  // material: the owner of the keys
  'material-missing': {
    kind: 'material',
    hint: 'Add the part named; docs/providers/ lists the names.',
  },
  'part-empty': {
    kind: 'material',
    hint: 'Write it again, or remove it if it is not needed: what should have filled it has not, or was interrupted.',
  },
  'certificate-not-issued': {
    kind: 'material',
    hint: 'Wait until it is issued; with cert-manager, `kubectl describe certificate` says what it waits for.',
  },
  'certificate-temporary': {
    kind: 'material',
    hint: 'Wait for the real one: no peer trusts this one. `kubectl describe certificate` says what it waits for.',
  },
  'trust-emptied': {
    kind: 'material',
    hint: 'Write the authorities into it again; to trust those that Node trusts, remove the part.',
  },
  'pem-malformed': { kind: 'material', hint: 'Paste the file again, whole, from its first to its last line.' },
  'format-foreign': {
    kind: 'material',
    hint: 'Convert or replace it as the message says.',
  },
  'private-key-malformed': {
    kind: 'material',
    hint: 'Use the private key file as it was made or handed out, unchanged.',
  },
  'key-reference-malformed': {
    kind: 'material',
    hint: 'Write one line such as hashivault://KEY?version=3 or awskms:///ID; docs/keys.md has each form.',
  },
  'key-reference-refused': {
    kind: 'material',
    hint: 'Name the key alone: where its service is, and who we are to it, belongs under `keyServices`.',
  },
  'key-must-be-local': {
    kind: 'material',
    hint: 'Put the private key itself there: TLS in Node takes no key of a key service.',
  },
  'private-key-encrypted': { kind: 'material', hint: 'Decrypt it first: openssl pkey -in FILE -out FILE.plain' },
  'private-key-is-public': {
    kind: 'material',
    hint: 'Use the private key; this file holds what is public.',
  },
  'public-key-malformed': { kind: 'material', hint: 'Use the public key file as its owner handed it out, unchanged.' },
  'public-key-is-private': {
    kind: 'material',
    hint: 'Use the public key of the other party; this file holds a private key.',
  },
  'certificate-malformed': { kind: 'material', hint: 'Use the certificate file as it was handed out, unchanged.' },
  'certificates-too-many': {
    kind: 'material',
    hint: 'Keep only the certificates that are needed, one issuer of a name.',
  },
  'certificate-is-not': { kind: 'material', hint: 'Put a certificate here; this file holds a key.' },
  'algorithm-unsupported': {
    kind: 'material',
    hint: 'Use an RSA key pair; in TLS also P-256, P-384, P-521 or Ed25519. SM2 is not supported.',
  },
  'key-too-small': { kind: 'material', hint: 'Use an RSA key of at least 2048 bits.' },
  'key-too-large': { kind: 'material', hint: 'Use an RSA key of at most 8192 bits.' },
  'key-mismatch': { kind: 'material', hint: 'Replace key and certificate together: both from the same application.' },
  'certificate-expired': {
    kind: 'material',
    hint: 'Have a new certificate issued, and deploy it together with its key.',
  },
  'certificate-not-yet-valid': { kind: 'material', hint: 'Wait until it is valid, or correct this machine’s clock.' },
  'merchant-mismatch': {
    kind: 'material',
    hint: 'Use the certificate of the configured merchant, or correct `merchantId`.',
  },
  'app-mismatch': { kind: 'material', hint: 'Use the certificate of the configured app, or correct `appId`.' },
  'environment-mismatch': {
    kind: 'material',
    hint: 'Take all files from one console, sandbox or production, and set `gateway` to it.',
  },
  'merchant-serial-malformed': {
    kind: 'material',
    hint: 'Write the serial number in hexadecimal: openssl x509 -noout -serial -in apiclient_cert.pem',
  },
  'merchant-serial-mismatch': {
    kind: 'material',
    hint: 'Write the serial number of your own certificate (apiclient_cert.pem), or remove it beside that.',
  },
  'apiv3-key-length': { kind: 'material', hint: 'An APIv3 key is exactly 32 bytes; copy it again from the console.' },
  'apiv2-key-length': { kind: 'material', hint: 'An APIv2 key is exactly 32 bytes; copy it again from the console.' },
  'aes-key-malformed': { kind: 'material', hint: 'Copy it again: the base64 text of 16 bytes, 24 characters.' },
  'access-key-malformed': {
    kind: 'material',
    hint: 'Copy id and secret again, each into its own part, without quotes or other text.',
  },
  'expiration-malformed': {
    kind: 'material',
    hint: 'Write the time that came with the token, such as 2026-03-01T12:00:00Z.',
  },
  'created-at-malformed': {
    kind: 'material',
    hint: 'Write the day or time when the keys were made, such as 2026-03-01, or remove it.',
  },
  'security-token-expired': {
    kind: 'material',
    hint: 'Have whatever fetches the token write all its parts again, well before it expires.',
  },
  'hmac-key-too-short': { kind: 'material', hint: 'Use a key of at least 32 bytes, made by a random generator.' },
  'public-key-id-malformed': { kind: 'material', hint: 'Copy the id that starts with PUB_KEY_ID_ from the console.' },
  'platform-key-is-merchant': {
    kind: 'material',
    hint: 'Use the key that the peer publishes as its own, not yours.',
  },
  'platform-certificate-unusable': {
    kind: 'material',
    hint: 'Use the certificate that WeChat Pay signs with: download it with GET /v3/certificates.',
  },
  'certificate-misplaced': {
    kind: 'material',
    hint: 'Put the certificate there that the name is for; `paycert inspect FILE` says what this one is.',
  },
  'serial-conflict': { kind: 'material', hint: 'Find out which certificate is genuine and remove the other.' },
  'pkcs12-malformed': { kind: 'material', hint: 'Copy the .p12 again, in binary mode, as the platform handed it out.' },
  'pkcs12-password': {
    kind: 'material',
    hint: 'The password is the merchant id, unless apiclient_cert.p12.password holds another.',
  },
  'pkcs12-iterations': { kind: 'material', hint: 'Export it again with at most 100,000 iterations.' },
  'certificate-revoked': {
    kind: 'material',
    hint: 'Have a new certificate issued, with a new key; find out why the old one was revoked.',
  },
  'revocation-unknown': {
    kind: 'material',
    hint: 'Supply a current list of the issuer (`ca.crl`, `revocation.urls`), or allow access to its OCSP responder.',
  },
  'revocation-list-malformed': {
    kind: 'material',
    hint: 'Use the issuer’s complete list (CRL), in DER or PEM, signed with SHA-256 or better.',
  },
  'chain-broken': {
    kind: 'material',
    hint: 'Write the leaf first, then the authority that issued it, then the one that issued that.',
  },
  'self-test-failed': { kind: 'material', hint: 'A signature made with this key does not verify: replace the key.' },
  'material-older': { kind: 'material', hint: 'Deploy the newer material, or set `older: accept` for a rollback.' },
  'platform-set-emptied': {
    kind: 'material',
    hint: 'Add at least one platform certificate or public key that is valid.',
  },

  'refused-by-platform': {
    kind: 'material',
    hint: 'Add the certificate in the console, or put the key back that it has: it is asked again by itself.',
  },

  'requirement-unmet': { kind: 'material', hint: 'Add the part that is missing, or take it out of `require`.' },

  // material, as warnings: they refuse nothing
  'platform-certificate-expired': { kind: 'material', isWarning: true, hint: 'Remove it; it is not used any more.' },
  'platform-certificate-duplicate': {
    kind: 'material',
    isWarning: true,
    hint: 'Remove one of the two; they are the same.',
  },
  'platform-certificate-untrusted': {
    kind: 'material',
    isWarning: true,
    hint: 'Find out where it came from; it is outside `trust`.',
  },
  'material-unusual': {
    kind: 'material',
    isWarning: true,
    hint: 'Compare it with what the platform handed out; `paycert inspect FILE` shows what it is.',
  },
  'client-certificate-expired': {
    kind: 'material',
    isWarning: true,
    hint: 'Replace it with its key: calls that present a certificate in TLS fail; the others work.',
  },
  'key-elsewhere': {
    kind: 'material',
    hint: 'Nothing to do unless it is needed; then keep the private key in the material. See docs/keys.md.',
    isWarning: true,
  },
  'tls-authority-expired': {
    kind: 'material',
    isWarning: true,
    hint: 'Remove it; peers with certificates that it issued are rejected.',
  },
  'trust-empty': {
    kind: 'material',
    isWarning: true,
    hint: 'Write the authorities of the peer into it, or remove it if every authority that Node trusts may vouch for one.',
  },
  'root-certificate-skipped': {
    kind: 'material',
    isWarning: true,
    hint: 'Nothing to do for the file that Alipay hands out; otherwise download alipayRootCert.crt again.',
  },
  'apiv3-key-unproven': {
    kind: 'material',
    isWarning: true,
    hint: 'Compare it with the console, unless the platform has yet to change over to it.',
  },

  // request: the caller
  'request-malformed': { kind: 'request', hint: 'Send one JSON object in UTF-8.' },
  'request-invalid': {
    kind: 'request',
    hint: 'Correct the field named; docs/api.md, GET /openapi.json and docs/proxy.md describe every call.',
  },
  'request-forwarded': {
    kind: 'request',
    hint: 'Call the sidecar directly, not through a proxy or a browser.',
    status: 403,
  },
  'proxy-token-required': {
    kind: 'request',
    hint: 'Send the token file’s content as `Paycert-Token`, or put ~TOKEN/ before the credential; see docs/proxy.md.',
    status: 407,
  },
  'route-refused': {
    kind: 'request',
    hint: 'Add the credential, or the call to its `allow`, in `proxy.routes`; docs/proxy.md has examples.',
    status: 403,
  },
  'connect-refused': {
    kind: 'request',
    hint: 'Set the SDK’s base URL to http://HOST:PORT/CREDENTIAL, in place of an HTTPS proxy; see docs/proxy.md.',
    status: 405,
  },
  'token-required': {
    kind: 'request',
    hint: 'Send `Authorization: Bearer` with the content of the token file.',
    status: 401,
  },
  'scrape-forbidden': {
    kind: 'request',
    hint: 'Bind the account that scrapes to a ClusterRole with `get` on the nonResourceURL /metrics; the chart makes one.',
    status: 403,
  },
  'review-malformed': {
    kind: 'request',
    hint: 'Send an AdmissionReview of admission.k8s.io/v1 about a Secret, a PaymentCredential or a Pod.',
  },
  'source-limited': {
    kind: 'request',
    hint: 'Wait. Where it is the platform, behind a proxy of yours: name that in `notifications.trustedProxies`.',
    status: 429,
  },
  'route-unknown': { kind: 'request', hint: 'GET /openapi.json of the local API lists its routes.', status: 404 },
  'signed-unknown': {
    kind: 'request',
    hint: 'Set `remember` in paycert.yaml before the next attempt, and ask the sidecar that signed, before it restarts.',
    status: 404,
  },
  'method-not-allowed': {
    kind: 'request',
    hint: 'Use the method that the `Allow` header names.',
    status: 405,
  },
  'credential-unknown': {
    kind: 'request',
    hint: 'Use a name of the configuration; GET /v1/credentials of the local API lists them.',
    status: 404,
  },
  'operation-unsupported': { kind: 'request', hint: 'This credential’s provider has no such operation.', status: 404 },
  'caller-gone': {
    kind: 'request',
    hint: 'Wait longer for the response; many of these say that there is more to sign than one process can.',
    status: 499,
  },
  'body-too-large': {
    kind: 'request',
    hint: 'Send less, or raise `listen.maxBodyBytes` (the local API) or `proxy.maxBodyBytes` (the proxy).',
    status: 413,
  },
  'media-type-unsupported': { kind: 'request', hint: 'Send `Content-Type: application/json`.', status: 415 },
  'key-unknown': {
    kind: 'request',
    hint: 'Use the id of a key that is current; the status of the credential lists them.',
  },
  'server-name-unknown': {
    kind: 'request',
    hint: 'Add the name to `serverNames`, or tls.crt and tls.key for every other name.',
  },
  'plaintext-too-long': { kind: 'request', hint: 'One field holds at most 214 bytes under a 2048-bit key.' },
  'refusal-unknown': {
    kind: 'request',
    hint: 'Give the whole response of the platform; docs/runbook.md says what each platform sends.',
  },
  usage: { kind: 'request', hint: 'Run it with --help.' },

  // refused: the answer is no
  'signature-missing': {
    kind: 'refused',
    hint: 'Pass on everything that was received, unchanged. Without a signature it proves nothing: treat it as forged.',
  },
  'response-unsigned': {
    kind: 'refused',
    hint: 'The platform does not sign this response: query the order before you act on it.',
  },
  'timestamp-outside-window': {
    kind: 'refused',
    hint: 'Compare both clocks, and the unit of the time; otherwise treat it as a replay.',
  },
  'signature-algorithm-unsupported': {
    kind: 'refused',
    hint: 'Let the sender sign with an algorithm that this platform’s page in docs/ names; SM2 is not supported.',
  },
  'signature-probe': {
    kind: 'refused',
    hint: 'WeChat Pay tests whether you verify: respond with 4xx, and it sends again.',
  },
  'key-id-unknown': {
    kind: 'refused',
    hint: 'Add the key with this id, if the sender publishes it as its own; otherwise treat it as forged.',
  },
  'key-id-own': {
    kind: 'refused',
    hint: 'Pass what was received, with its own headers, not those of a request of yours; otherwise treat it as forged.',
  },
  'signature-invalid': { kind: 'refused', hint: 'Verify the raw bytes as received; otherwise treat it as forged.' },
  'message-malformed': {
    kind: 'refused',
    hint: 'Verify the raw bytes as received, unchanged; otherwise treat it as forged.',
  },
  'credential-rejected': {
    kind: 'refused',
    hint: 'Put right what the message names; `kubectl describe paymentcredential NAME` shows all that is wrong.',
  },
  'nonce-seen': { kind: 'refused', hint: 'Accept a message once; otherwise treat it as a replay.' },
  'decryption-failed': {
    kind: 'refused',
    hint: 'Compare the key that opens it with what the platform’s console shows; one of the two was replaced.',
  },
  'notification-malformed': {
    kind: 'refused',
    hint: 'It is signed, but nothing that this call opens: use `verify`, and read the body yourself.',
  },
  'message-misdirected': {
    kind: 'refused',
    hint: 'Send it to the credential of the platform that is named.',
  },
  'notification-misdirected': {
    kind: 'refused',
    hint: 'It is meant for another app: send it to the credential with that `appId`.',
  },

  // not-ready: wait
  'credential-not-loaded': { kind: 'not-ready', hint: 'Wait, or see what `paycert status` says of it.' },
  overloaded: {
    kind: 'not-ready',
    hint: 'Try again in a second; if it stays so, give the process more CPU or more replicas.',
  },
  'digest-unposted': {
    kind: 'not-ready',
    hint: 'Check the address in the file, its secret, and the way to it; `paycert digest` alone prints the message.',
  },
  'application-unreachable': {
    kind: 'not-ready',
    hint: 'Check that the application listens where `notifications.forwardTo` says; the platform sends again.',
  },
  'application-refused': {
    kind: 'not-ready',
    hint: 'Look at the log of the application: it takes a notification with 2xx. The platform sends again.',
  },
  'application-timeout': {
    kind: 'not-ready',
    hint: 'Let the application store the notification, answer 2xx, and act afterwards. The platform sends again.',
  },
  'application-late': {
    kind: 'not-ready',
    hint: 'Nothing to do if it is rare: a 2xx that comes later counts, and the platform sends again.',
  },
  'delivery-elsewhere': {
    kind: 'not-ready',
    hint: 'Nothing to do: the platform sends again, and learns then what became of it.',
  },
  'dedupe-unavailable': {
    kind: 'not-ready',
    hint: 'Look at that Redis, its password and the way to it; until it answers, pods may deliver twice.',
  },
  'scrape-unchecked': {
    kind: 'not-ready',
    hint: 'Try again. Permit the operator to create TokenReviews and SubjectAccessReviews; look at the API server.',
  },
  'review-unready': {
    kind: 'not-ready',
    hint: 'Nothing to do if it passes; otherwise /readyz of the operator says what it waits for.',
  },
  'no-platform-key': { kind: 'not-ready', hint: 'Add a certificate or public key of the platform that is valid.' },
  'no-apiv3-key': { kind: 'not-ready', hint: 'Add apiv3_key to the material.' },
  'no-aes-key': { kind: 'not-ready', hint: 'Add aes_key to the material.' },
  'no-client-certificate': {
    kind: 'not-ready',
    hint: 'Add a client certificate and its key to the material; docs/providers says under which names.',
  },
  'no-field-key': {
    kind: 'not-ready',
    hint: 'Keep the key in the material where fields are decrypted, or one that decrypts in retired/ (docs/keys.md).',
  },
  'key-service-unavailable': {
    kind: 'not-ready',
    hint: 'Nothing to do if it passes; otherwise look at the key service: its address, its seal, its log.',
  },
  'key-service-timeout': {
    kind: 'not-ready',
    hint: 'See how long the key service takes; raise `deadline` under `keyServices` if that is normal.',
  },
  'key-service-throttled': {
    kind: 'not-ready',
    hint: 'Call again after `Retry-After`; if it stays so, have the quota of the account for signatures raised.',
  },
  'key-service-overloaded': {
    kind: 'not-ready',
    hint: 'Try again in a second; if it stays so, the key service is too slow for what is signed.',
  },
  'key-service-refused': {
    kind: 'not-ready',
    hint: 'Allow our token to sign with that key; docs/keys.md has the exact policy.',
  },
  'key-pin-refused': {
    kind: 'not-ready',
    hint: 'Put the right PIN into `pinFile`: it is tried again when the file changes. A locked token needs its owner.',
  },
  'key-module-unusable': {
    kind: 'not-ready',
    hint: 'Correct `keyServices.pkcs11.module`: the path of the library of PKCS#11 that the maker of the token gives.',
  },
  'key-service-file-unusable': {
    kind: 'not-ready',
    hint: 'Check the file that the message names: that it is there, may be read by this user, and is not empty.',
  },
  'key-service-wrong': {
    kind: 'not-ready',
    hint: 'Find out what answers in place of the key service: nothing that it signed was used.',
  },
  'nonces-full': { kind: 'not-ready', hint: 'Raise `maxNonces` of the provider, or wait until the oldest expire.' },
  'wait-timeout': {
    kind: 'not-ready',
    hint: 'Check that an operator runs and leads, and that the resource names the Secret that was written.',
  },
  'sidecar-unreachable': { kind: 'not-ready', hint: 'Check that the sidecar runs and that the address is right.' },
  'audit-unavailable': {
    kind: 'not-ready',
    hint: 'Make room in the directory of the audit, or repair its collector; until then nothing is handed out.',
  },
  'breaker-open': {
    kind: 'not-ready',
    hint: 'Nothing was sent. Call again after `Retry-After`; the log says how the calls before it failed.',
  },

  // gateway: the platform, or the way to it
  'gateway-unreachable': {
    kind: 'gateway',
    hint: 'Nothing was sent. Check the name server, the network policy and the proxy on the way out, then call again.',
  },
  'gateway-interrupted': {
    kind: 'gateway',
    hint: 'The platform may have acted: query the order before you repeat the call.',
  },
  'gateway-timeout': {
    kind: 'gateway',
    hint: 'The platform may have acted: query the order before you repeat the call.',
    status: 504,
  },
  'gateway-redirected': {
    kind: 'gateway',
    hint: 'Find out what responds in place of the platform; query the order before you repeat the call.',
  },
  'key-unconfirmed': {
    kind: 'gateway',
    hint: 'Check the way to the platform. It is asked again; `check.otherwise` says what follows when time is up.',
  },
  'certificate-list-refused': {
    kind: 'gateway',
    hint: 'Look the code up in the platform’s documents: a 401 or a 500 is often a key that the console does not have.',
  },
  'certificate-list-empty': {
    kind: 'gateway',
    hint: 'Nothing to do: the certificates that are known stay. WeChat Pay makes one once the merchant uses APIv3.',
  },
  'certificate-list-invalid': {
    kind: 'gateway',
    hint: 'Find out what responds in place of the platform; the certificates that are known stay.',
  },
  'certificate-list-unverified': {
    kind: 'gateway',
    hint: 'Compare the clock, then find out what responds in place of the platform; what is known stays.',
  },
  'response-too-large': {
    kind: 'gateway',
    hint: 'The platform may have acted: query the order before you repeat the call.',
  },
  'response-unverified': {
    kind: 'gateway',
    hint: 'Treat the response as forged: query the order, and do not repeat the call.',
  },

  // internal: us
  'internal-error': {
    kind: 'internal',
    hint: 'This is a bug in paycert: report it with the log line of the same time.',
  },
} as const satisfies Record<string, Row>;

/** The code of an error: a promise that no version breaks. docs/errors.md has a section for each. */
export type ErrorCode = keyof typeof table;

/**
 * Every code with its row: who must act, and what to do.
 * @example
 * import { errorTable } from 'paycert';
 *
 * console.log(errorTable['certificate-expired'].kind); // → material
 */
export const errorTable: Readonly<Record<ErrorCode, Row>> = table;

/** What an error says beside its code and its message. */
export interface ErrorDetails {
  /** The configuration path, material name or request field. Never its value. */
  readonly field?: string;
  readonly cause?: unknown;
  /** What names a key that is not known, where it has the published form of one. */
  readonly keyId?: string | undefined;
  /** When trying the same material again may succeed. */
  readonly retryAt?: Date;
  /** What else is wrong with the same thing, in order; this error is about the first. */
  readonly others?: readonly PaycertError[];
}

/**
 * A deliberate error. Its message names fields and never holds a value of a secret; `kind` says who must act, `hint` what to do.
 * @example
 * import { PaycertError } from 'paycert';
 *
 * try {
 *   paycert.current('wechat-mian');
 * } catch (error) {
 *   if (!(error instanceof PaycertError)) throw error;
 *   console.log(error.code, error.kind); // → credential-unknown request
 * }
 */
export class PaycertError extends Error {
  override readonly name = 'PaycertError';
  readonly code: ErrorCode;
  readonly field?: string;
  readonly keyId?: string;
  readonly retryAt?: Date;
  readonly others: readonly PaycertError[];

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    if (details.field !== undefined) this.field = details.field;
    if (details.keyId !== undefined) this.keyId = details.keyId;
    if (details.retryAt !== undefined) this.retryAt = details.retryAt;
    this.others = details.others ?? [];
  }

  get kind(): ErrorKind {
    return errorTable[this.code].kind;
  }

  get hint(): string {
    return errorTable[this.code].hint;
  }
}

/** What is wrong with one part of material. The message begins with its name. */
export const violation = (code: ErrorCode, field: string, message: string): readonly PaycertError[] => [
  new PaycertError(code, `${field} ${message}`, { field }),
];

/** The first, with the others in it. */
export function together(first: PaycertError, ...others: readonly PaycertError[]): PaycertError {
  if (others.length === 0) return first;
  const { code, message, field, cause, keyId, retryAt } = first;
  return new PaycertError(code, message, {
    ...(field !== undefined && { field }),
    ...(cause !== undefined && { cause }),
    ...{ keyId },
    ...(retryAt && { retryAt }),
    others: [...first.others, ...others.flatMap((one) => [one, ...one.others])],
  });
}

/** As many as fit on a screen, however much is wrong at once. */
const maxSaid = 17;

/** What an error says, and those that were found with it, in one line. */
export const detailOf = (error: PaycertError): string =>
  [error, ...error.others]
    .slice(0, maxSaid)
    .map(({ message }) => message)
    .join('; ');

/** Of none, nothing is thrown. */
export function throwTogether([first, ...others]: readonly PaycertError[]): void {
  if (first !== undefined) throw together(first, ...others);
}

/** What a caller must correct. The message begins with the name of the field. */
export const requestInvalid = (field: string, message: string): PaycertError =>
  new PaycertError('request-invalid', `${field} ${message}`, { field });
