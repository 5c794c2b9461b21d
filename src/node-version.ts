// Refuses a Node that is too old, before anything that it cannot read is loaded: imported first by every library entry of the package.
import { PaycertError } from './errors.ts';
import { nodeFault } from './oldest-node.js';

const fault = nodeFault(process.versions.node);
if (fault !== undefined) throw new PaycertError('node-too-old', fault);
