// Which of two versions of objects of one kind is newer.

/** Resource versions are growing numbers: the API promises it since 1.35, and etcd always has. */
export const isNewer = (a: string, b: string): boolean => (a.length === b.length ? a > b : a.length > b.length);

/** Whether a text is one, as it is compared: without leading zeros. */
export const isVersion = (text: string): boolean => /^[1-9][0-9]{0,19}$/.test(text);
