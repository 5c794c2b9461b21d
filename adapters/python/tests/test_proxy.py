"""The SDKs as they are, through the signing proxy: with another base URL and a key that was made here."""

import hashlib
import json
import os
import tempfile
import unittest

from alibabacloud_dysmsapi20170525.client import Client as SmsClient
from alibabacloud_dysmsapi20170525.models import QuerySendDetailsRequest, SendSmsRequest
from alibabacloud_tea_openapi.models import Config
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from wechatpayv3 import WeChatPay, WeChatPayType

from .world import DAY, MERCHANT, PROXY, TOKEN, control, identity, proxied, resigning

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def throw_away(form):
    return KEY.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


def wechat_pay(**verifying):
    """`verifying`: what it verifies responses with."""
    return WeChatPay(
        wechatpay_type=WeChatPayType.NATIVE, mchid=MERCHANT, private_key=throw_away(PrivateFormat.PKCS8), cert_serial_no="ABCDEF",
        appid="wx1", apiv3_key="0" * 32, notify_url="https://shop.example/paid", **verifying,
    )  # fmt: skip


class WeChatTest(unittest.TestCase):
    def ok(self, answer, code=200):
        self.assertEqual(answer[0], code, answer[1])
        return json.loads(answer[1]) if answer[1] else {}

    def every_call(self, pay, prefix):
        amount = {"total": 1, "currency": "CNY"}
        paid, closed = prefix + "1", prefix + "2"
        for number in (paid, closed):
            self.ok(pay.pay(description="手机", out_trade_no=number, amount=amount))
        control("pay/" + paid)
        self.assertEqual(self.ok(pay.query(out_trade_no=paid))["trade_state"], "SUCCESS")
        self.ok(pay.refund(out_refund_no="R" + paid, out_trade_no=paid, amount={"refund": 1, **amount}))
        self.ok(pay.close(closed), 204)
        self.assertTrue(self.ok(pay._core.request("/v3/certificates"))["data"])
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a.jpg")
            with open(path, "wb") as file:
                file.write(b"\xff\xd8\x00\r\n\xff\xd9")
            self.assertTrue(self.ok(pay.image_upload(path))["media_id"])
        bill = self.ok(pay.trade_bill(DAY))
        path = bill["download_url"].replace("https://api.mch.weixin.qq.com", "")
        code, content = pay._core.request(path, skip_verify=True)
        self.assertEqual((code, hashlib.sha1(content).hexdigest()), (200, bill["hash_value"]))

    def test_every_call_verified_again_with_platform_certificates(self):
        pay = wechat_pay(cert_dir=os.environ["WECHAT_PLATFORM_CERTIFICATES"])
        pay._core._gate_way = proxied("wechat-main")  # the only place where it has its base URL
        self.every_call(pay, "Q")

    def test_every_call_verified_again_with_a_throw_away_identity(self):
        pay = wechat_pay(public_key=identity("pub_key.pem"), public_key_id=identity("pub_key_id"))
        pay._core._gate_way = resigning("wechat-main")
        self.every_call(pay, "V")


class SmsTest(unittest.TestCase):
    def test_sends_by_the_platforms_own_address(self):
        host = PROXY.replace("http://", "")
        client = SmsClient(Config(
            access_key_id="paycert", access_key_secret="paycert", endpoint="dysmsapi.aliyuncs.com", protocol="HTTP",
            http_proxy=f"http://paycert:{TOKEN}@{host}",
        ))  # fmt: skip
        request = SendSmsRequest(phone_numbers="13800000000", sign_name="店", template_code="SMS_1", template_param='{"code":"1"}')
        self.assertEqual(client.send_sms(request).body.code, "OK")
        query = QuerySendDetailsRequest(phone_number="13800000000", send_date="20260101", page_size=1, current_page=1)
        self.assertTrue(client.query_send_details(query).body.request_id)
