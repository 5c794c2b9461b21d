"""wechatpayv3 without a key: the sidecar signs what it sends, verifies what comes back, and opens what WeChat Pay encrypted."""

import json
import threading

import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from wechatpayv3 import SignType, WeChatPay, WeChatPayType
from wechatpayv3.core import Core, RequestType

from . import Paycert, Refused

__all__ = ["PaycertWeChatPay", "SignType", "WeChatPayType"]


class PaycertWeChatPay(WeChatPay):
    """The SDK, to be used as its documentation says. It needs no key, no serial number and no platform certificate."""

    def __init__(self, wechatpay_type, mchid, appid, paycert, notify_url=None, logger=None, partner_mode=False, proxy=None, timeout=None):
        private, public = _throw_away()
        super().__init__(
            wechatpay_type=wechatpay_type, mchid=mchid, private_key=private, cert_serial_no="none", appid=appid, apiv3_key="0" * 32,
            notify_url=notify_url, logger=logger, partner_mode=partner_mode, proxy=proxy, timeout=timeout,
            public_key=public, public_key_id="PUB_KEY_ID_none",
        )  # fmt: skip
        self._core = _SidecarCore(self._core, paycert)


class _SidecarCore(Core):
    """What the SDK does with keys, and the sending in between. The state is the SDK's own."""

    def __init__(self, core, paycert: Paycert):
        vars(self).update(vars(core))
        self._paycert = paycert
        # The key that fields of the request under way are encrypted for.
        self._fields = threading.local()

    def request(self, path, method=RequestType.GET, data=None, skip_verify=False, sign_data=None, files=None, cipher_data=False, headers=None):
        url = self._gate_way + path
        body = None if data is None or files else json.dumps(data)
        # Of an upload the part `meta` is signed.
        signed = body if sign_data is None else sign_data if isinstance(sign_data, str) else json.dumps(sign_data)
        question = {"method": method.value, "url": url, "headers": {"Accept": "application/json", **(headers or {})}}
        key_id = vars(self._fields).pop("key_id", None)
        authorized = self._paycert.ask(
            "authorize",
            {**question, **({"body": signed} if signed else {}), **({"encryptionKeyId": key_id} if cipher_data and key_id else {})},
        )["headers"]
        if files:
            del authorized["Content-Type"]  # with its boundary
        response = requests.request(
            method.value, url, data=data if files else body, files=files, headers=authorized,
            proxies=self._proxy, timeout=self._timeout, allow_redirects=False,
        )  # fmt: skip
        if 200 <= response.status_code < 300:
            about = {"method": method.value, "url": url, "status": response.status_code, "headers": dict(response.headers)}
            self._paycert.assert_genuine(about, response.content)
        is_json = "application/json" in response.headers.get("Content-Type", "")
        return response.status_code, response.text if is_json or not response.content else response.content

    def sign(self, data, sign_type=SignType.RSA_SHA256):
        if sign_type != SignType.RSA_SHA256:
            raise ValueError("paycert signs with RSA-SHA256 here: HMAC takes the APIv3 key, which it hands to nobody")
        return self._paycert.sign("\n".join(data) + "\n")

    def decrypt_callback(self, headers, body):
        """The opened resource as text, or None if WeChat Pay did not sign it, as the SDK has it."""
        try:
            return json.dumps(self._paycert.notification(body, _names(headers))["resource"], ensure_ascii=False)
        except Refused as refused:
            if refused.status != 422:
                raise
            return None

    def encrypt(self, text):
        ciphertext, self._fields.key_id = self._paycert.encrypt(text, getattr(self._fields, "key_id", None))
        return ciphertext

    def decrypt(self, ciphtext):
        return self._paycert.decrypt(ciphtext)


def _names(headers):
    """Django has them as HTTP_WECHATPAY_SERIAL."""
    return {name.removeprefix("HTTP_").replace("_", "-"): value for name, value in dict(headers).items() if isinstance(value, str)}


def _throw_away():
    """A key for an SDK that insists on one: made here, and good for nothing."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private.decode(), key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
