// The ways to log in to Vault: one row per method. What they need is in files, which are read again for each log-in.
import { readWord } from '../settings.ts';

export interface JwtLogin {
  readonly role: string;
  readonly tokenFile: string;
  readonly mount?: string;
}

export interface AppRoleLogin {
  readonly roleIdFile: string;
  readonly secretIdFile: string;
  readonly mount?: string;
}

/** Exactly one of them. */
export interface Auth {
  readonly kubernetes?: JwtLogin;
  readonly jwt?: JwtLogin;
  readonly appRole?: AppRoleLogin;
  readonly token?: { readonly tokenFile: string };
}

export interface LoginRequest {
  readonly mount: string;
  readonly body: object;
  /** For the person who must repair it. */
  readonly who: string;
  /** Vault locks a role that is tried with wrong ids; it counts nothing of the other methods. */
  readonly mayLock: boolean;
}

const byJwt = async (field: string, { role, tokenFile, mount = field }: JwtLogin): Promise<LoginRequest> => ({
  mount,
  body: { role, jwt: await readWord(`auth.${field}.tokenFile`, tokenFile, 'token') },
  who: `the role "${role}" with the token in ${tokenFile}`,
  mayLock: false,
});

async function byAppRole({ roleIdFile, secretIdFile, mount = 'approle' }: AppRoleLogin): Promise<LoginRequest> {
  const [roleId, secretId] = await Promise.all([
    readWord('auth.appRole.roleIdFile', roleIdFile, 'role id'),
    readWord('auth.appRole.secretIdFile', secretIdFile, 'secret id'),
  ]);
  return {
    mount,
    body: { role_id: roleId, secret_id: secretId },
    who: `the ids in ${roleIdFile} and ${secretIdFile}`,
    mayLock: true,
  };
}

/** What to send to log in; undefined where a token is given as it is. @throws PaycertError `source-unreadable` */
export async function loginRequest({ kubernetes, jwt, appRole }: Auth): Promise<LoginRequest | undefined> {
  if (kubernetes) return byJwt('kubernetes', kubernetes);
  if (jwt) return byJwt('jwt', jwt);
  return appRole && byAppRole(appRole);
}
