// The names of what was downloaded: as Secrets can have them, and as no file of a merchant is named.

/** The name of a downloaded certificate in the material; beside it, until when it counts, where that is before its own end. */
export const downloadedName = (serial: string): string => `wechatpay_downloaded-${serial}.pem`;
export const untilName = (serial: string): string => `wechatpay_downloaded-${serial}.until`;

const form = /^wechatpay_downloaded-([0-9A-F]{2,40})\.(?:pem|until)$/;

/** The serial number of a name of either kind. */
export const serialIn = (name: string): string | undefined => form.exec(name)?.[1];
