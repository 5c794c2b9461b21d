"""Handlers as the SDKs have them, behind `deliver: raw`: they verify and open again what was handed on, over the bytes that came."""

import os
import threading
import unittest
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qsl

from alipay.aop.api.util.SignatureUtils import get_sign_content, verify_with_rsa
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from wechatpayv3 import WeChatPay, WeChatPayType

from .world import MERCHANT, control


def listening(status_of):
    """The application, where notifications are handed on to."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status_of(self.headers, body))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", int(os.environ["APPLICATION_PORT"])), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class HandlerTest(unittest.TestCase):
    def listen(self, status_of):
        server = listening(status_of)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)

    def test_wechatpayv3_verifies_and_opens_a_notification(self):
        # Its own, which a handler of notifications never uses.
        key = generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        pay = WeChatPay(
            wechatpay_type=WeChatPayType.NATIVE,
            mchid=MERCHANT,
            private_key=key.decode(),
            cert_serial_no="5A01",
            appid="wx1",
            apiv3_key=os.environ["WECHAT_APIV3_KEY"],
            cert_dir=os.environ["WECHAT_PLATFORM_CERTIFICATES"],
        )
        handled = []

        def status_of(headers, body):
            notification = pay.callback(headers, body)
            if notification is None:
                return 401
            handled.append((notification["resource"]["out_trade_no"], notification["resource"]["attach"]))
            return 204

        self.listen(status_of)
        for number in ["WP1", "WP1", "WP2"]:
            self.assertEqual(control(f"notify/{number}")["status"], 204)
        self.assertEqual(handled, [("WP1", "支付"), ("WP2", "支付")])

    def test_alipay_sdk_python_verifies_a_notification(self):
        handled = []

        def status_of(_, body):
            parameters = dict(parse_qsl(body.decode("ascii")))
            sign = parameters.pop("sign")
            parameters.pop("sign_type")
            if not verify_with_rsa(os.environ["ALIPAY_PUBLIC_KEY"], get_sign_content(parameters).encode(), sign):
                return 401
            handled.append((parameters["out_trade_no"], parameters["subject"]))
            return 200

        self.listen(status_of)
        for number in ["AP1", "AP1"]:
            self.assertEqual(control(f"notify/{number}")["text"], "success")
        self.assertEqual(handled, [("AP1", "手机 +%&=")])
