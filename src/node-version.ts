// Refuses a Node that is too old, before anything that it cannot read is loaded: imported first by every entry of the package.
import { PaycertError } from './errors.ts';

/** As `engines` of package.json has it. */
export const oldestNode = 24;

/** Throws where that version is too old. @throws PaycertError `node-too-old` */
function assertNode(version: string): void {
  if (Number.parseInt(version, 10) >= oldestNode) return;
  throw new PaycertError('node-too-old', `paycert needs Node ${oldestNode} or newer; this is Node ${version}`);
}

assertNode(process.versions.node);
