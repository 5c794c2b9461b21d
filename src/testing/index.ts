// The public entry `paycert/testing`: certificates, rotations and platform doubles for the demo, our tests and yours.

/**
 * What a test needs that must not touch a real key: material of both sides, rotated one part at a time; volumes that change as
 * kubelet changes them; and doubles of gateways, which refuse what the platform would refuse. Nothing needs a time: it is now.
 *
 * In the examples `directory` is a new directory, and `wechatpay` and `alipay` are what the examples of `createWechatpayMaterial` and
 * `createAlipayMaterial` made.
 * @module
 */

import '../node-version.ts';
export type { ReceivedRequest } from './answer.ts';
export { startAlipayGateway } from './alipay-gateway.ts';
export type { AlipayGateway, AlipayGatewayOptions, AlipayPosted } from './alipay-gateway.ts';
export { createAlipayMaterial, rotateAlipayApp, rotateAlipayKey } from './alipay-material.ts';
export type { AlipayKey, AlipayMaterial, AlipayMaterialOptions } from './alipay-material.ts';
export { makeAlipayNotification, makeGatewayResponse, makeRestResponse } from './alipay-message.ts';
export type { AlipayMessage, AlipayNotificationOptions, GatewayResponseOptions } from './alipay-message.ts';
export { startAliyunGateway } from './aliyun-gateway.ts';
export type { AliyunGateway, AliyunGatewayOptions, SentMessage } from './aliyun-gateway.ts';
export type { Account as AliyunAccount } from './aliyun-signatures.ts';
export { createAuthority } from './authority.ts';
export type { Authority, AuthorityOptions, Issued, IssueOptions } from './authority.ts';
export type { Fault, FaultOptions } from './faults.ts';
export { generateKeyPair, toPkcs1Pem, toPkcs8Pem, toSpkiPem } from './key-pair.ts';
export type { KeyPair } from './key-pair.ts';
export { startHmacPartner, startPssPartner } from './partners.ts';
export type { Partner, PartnerOptions } from './partners.ts';
export type { HmacAccount, HmacScheme, PssAccount } from './partner-signatures.ts';
export { createSecretVolume } from './secret-volume.ts';
export type { Files, FilesInput, PreparedWrite, SecretVolume, SecretVolumeOptions } from './secret-volume.ts';
export { withExpiredCertificate, withHalfWrittenFile, withMismatchedPair } from './spoiled-material.ts';
export { startWechatpayGateway } from './wechatpay-gateway.ts';
export type { Gateway, GatewayCounts, GatewayOptions, Posted } from './wechatpay-gateway.ts';
export { createWechatpayMaterial, rotateApiV3Key, rotateMerchant, rotatePlatform } from './wechatpay-material.ts';
export type {
  PlatformKey,
  RotationOptions,
  WechatpayMaterial,
  WechatpayMaterialOptions,
} from './wechatpay-material.ts';
export { encryptField, encryptResource, makeNotification, makeProbe, signMessage } from './wechatpay-message.ts';
export type {
  EncryptedResource,
  NotificationOptions,
  PlatformMessage,
  SignMessageOptions,
} from './wechatpay-message.ts';
export { startWechatpayV2Gateway } from './wechatpay-v2-gateway.ts';
export type { V2Account, V2Posted, WechatpayV2Gateway, WechatpayV2GatewayOptions } from './wechatpay-v2-gateway.ts';
export { makeV2Notification, makeV2RefundNotification } from './wechatpay-v2-message.ts';
export type { V2NotificationOptions } from './wechatpay-v2-message.ts';
export { writeInPlace } from './write-in-place.ts';
export type { InPlaceStep } from './write-in-place.ts';
