"""The SDKs as they are, through the signing proxy: with another base URL and a key that was made here."""

import hashlib
import json
import os
import unittest

from alibabacloud_dysmsapi20170525.client import Client as SmsClient
from alibabacloud_dysmsapi20170525.models import SendSmsRequest
from alibabacloud_tea_openapi.models import Config
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from wechatpayv3 import WeChatPay, WeChatPayType

from .world import DAY, MERCHANT, PROXY, TOKEN, control, proxied

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def throw_away(form):
    return KEY.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


class WeChatTest(unittest.TestCase):
    """It verifies each response again, with platform certificates from a folder: public ones."""

    def setUp(self):
        self.pay = WeChatPay(
            wechatpay_type=WeChatPayType.NATIVE, mchid=MERCHANT, private_key=throw_away(PrivateFormat.PKCS8), cert_serial_no="ABCDEF",
            appid="wx1", apiv3_key="0" * 32, notify_url="https://shop.example/paid", cert_dir=os.environ["WECHAT_PLATFORM_CERTIFICATES"],
        )  # fmt: skip
        self.pay._core._gate_way = proxied("wechat-main")  # the only place where it has its base URL

    def ok(self, answer, code=200):
        self.assertEqual(answer[0], code, answer[1])
        return json.loads(answer[1]) if answer[1] else {}

    def test_orders_queries_refunds_closes_and_downloads(self):
        amount = {"total": 1, "currency": "CNY"}
        for number in ("Q1", "Q2"):
            self.ok(self.pay.pay(description="手机", out_trade_no=number, amount=amount))
        control("pay/Q1")
        self.assertEqual(self.ok(self.pay.query(out_trade_no="Q1"))["trade_state"], "SUCCESS")
        self.ok(self.pay.refund(out_refund_no="RQ1", out_trade_no="Q1", amount={"refund": 1, **amount}))
        self.ok(self.pay.close("Q2"), 204)
        self.assertTrue(self.ok(self.pay._core.request("/v3/certificates"))["data"])
        bill = self.ok(self.pay.trade_bill(DAY))
        path = bill["download_url"].replace("https://api.mch.weixin.qq.com", "")
        code, content = self.pay._core.request(path, skip_verify=True)
        self.assertEqual((code, hashlib.sha1(content).hexdigest()), (200, bill["hash_value"]))


class SmsTest(unittest.TestCase):
    def test_sends_by_the_platforms_own_address(self):
        host = PROXY.replace("http://", "")
        client = SmsClient(Config(
            access_key_id="paycert", access_key_secret="paycert", endpoint="dysmsapi.aliyuncs.com", protocol="HTTP",
            http_proxy=f"http://paycert:{TOKEN}@{host}",
        ))  # fmt: skip
        request = SendSmsRequest(phone_numbers="13800000000", sign_name="店", template_code="SMS_1", template_param='{"code":"1"}')
        self.assertEqual(client.send_sms(request).body.code, "OK")
