// Which connections of this process are owed a response, of all of its listeners: where it is one, nobody waits behind what is done for it.

const owed = new Set<object>();

/** `connection`: of a request that has come, until its response has gone. */
export const owe = (connection: object): void => void owed.add(connection);

/** It is owed nothing, or is there no more. */
export const settle = (connection: object): void => void owed.delete(connection);

export const owedConnections = (): number => owed.size;
