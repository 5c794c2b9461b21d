// What is said under a Node that is too old: plain JavaScript that imports nothing, since such a Node reads no TypeScript.
// @ts-check

/** As `engines` of package.json has it. */
export const oldestNode = 24;

export const nodeHint = 'Install the Node that is named, or set PATH so that it is found first.';

/**
 * Why that version cannot run paycert; undefined where it can.
 * @param {string} version
 * @returns {string | undefined}
 */
export const nodeFault = (version) =>
  Number.parseInt(version, 10) >= oldestNode
    ? undefined
    : `paycert needs Node ${oldestNode} or newer; this is Node ${version}`;
