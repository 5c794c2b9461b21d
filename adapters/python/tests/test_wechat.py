"""wechatpayv3 through the adapter: to the platform's own address, without a key."""

import base64
import hashlib
import json
import os
import tempfile
import unittest

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from paycert_adapters import Paycert, Refused
from paycert_adapters.wechat import PaycertWeChatPay, WeChatPayType

from .world import DAY, MERCHANT, control

AMOUNT = {"total": 1, "currency": "CNY"}


class WeChatTest(unittest.TestCase):
    def setUp(self):
        self.paycert = Paycert("wechat-main")
        self.pay = PaycertWeChatPay(WeChatPayType.NATIVE, MERCHANT, "wx1", self.paycert, notify_url="https://shop.example/paid")

    def order(self, number):
        code, message = self.pay.pay(description="手机 +%&=", out_trade_no=number, amount=AMOUNT)
        self.assertEqual(code, 200, message)
        self.assertIn("code_url", json.loads(message))

    def test_orders_queries_refunds_closes(self):
        self.order("P1")
        control("pay/P1")
        code, message = self.pay.query(out_trade_no="P1")
        self.assertEqual((code, json.loads(message)["trade_state"]), (200, "SUCCESS"))
        code, message = self.pay.refund(out_refund_no="RP1", out_trade_no="P1", amount={"refund": 1, **AMOUNT})
        self.assertEqual((code, json.loads(message)["out_refund_no"]), (200, "RP1"))
        self.order("P2")
        self.assertEqual(self.pay.close("P2")[0], 204)
        self.assertEqual(self.pay.refund(out_refund_no="RX", out_trade_no="none", amount={"refund": 1, **AMOUNT})[0], 404)

    def test_uploads_and_downloads(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a.jpg")
            with open(path, "wb") as file:
                file.write(b"\xff\xd8\x00\r\n\xff\xd9")
            code, message = self.pay.image_upload(path)
        self.assertEqual(code, 200, message)
        self.assertTrue(json.loads(message)["media_id"])
        code, message = self.pay.trade_bill(DAY)
        bill = json.loads(message)
        code, content = self.pay.download_bill(bill["download_url"])
        self.assertEqual((code, hashlib.sha1(content).hexdigest()), (200, bill["hash_value"]))

    def test_hands_on_no_success_that_the_platform_did_not_sign(self):
        control("stranger")
        self.addCleanup(control, "genuine")
        with self.assertRaises(Refused) as raised:
            self.pay.query(out_trade_no="P1")
        self.assertEqual((raised.exception.code, raised.exception.status), ("key-id-unknown", 422))

    def test_signs_what_goes_to_the_client(self):
        parts = ["wx1", "1414561699", "5K8264ILTKCH16CQ2502S", "prepay_id=wx1"]
        key = load_pem_public_key(os.environ["MERCHANT_PUBLIC_KEY"].encode())
        key.verify(base64.b64decode(self.pay.sign(parts)), ("\n".join(parts) + "\n").encode(), PKCS1v15(), SHA256())

    def test_opens_notifications_and_nothing_forged(self):
        self.order("P3")
        posted = control("pay/P3")
        opened = self.pay.callback(posted["headers"], posted["body"])
        self.assertEqual(opened["resource"]["out_trade_no"], "P3")
        self.assertIsNone(self.pay.callback(posted["headers"], posted["body"].replace("ciphertext", "ciphertexu")))
        django = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in posted["headers"].items()}
        self.assertEqual(self.pay.callback(django, posted["body"].encode())["resource"]["out_trade_no"], "P3")

    def test_encrypts_fields_for_one_key(self):
        first, second = self.pay._core.encrypt("张三"), self.pay._core.encrypt("李四")
        self.assertNotEqual(first, second)
        self.assertRegex(self.pay._core._fields.key_id, "^[0-9A-F]{40}$|^PUB_KEY_ID_")


if __name__ == "__main__":
    unittest.main()
