"""alipay-sdk-python through the adapter: to the platform's own address, without a key."""

import json
import os
import unittest
import urllib.error
import urllib.request
from unittest import mock
from urllib.parse import urlsplit

from alipay.aop.api.AlipayClientConfig import AlipayClientConfig
from alipay.aop.api.FileItem import FileItem
from alipay.aop.api.domain.AlipayDataDataserviceBillDownloadurlQueryModel import AlipayDataDataserviceBillDownloadurlQueryModel
from alipay.aop.api.domain.AlipayOpenAppAlipaycertDownloadModel import AlipayOpenAppAlipaycertDownloadModel
from alipay.aop.api.domain.AlipayTradeCloseModel import AlipayTradeCloseModel
from alipay.aop.api.domain.AlipayTradePagePayModel import AlipayTradePagePayModel
from alipay.aop.api.domain.AlipayTradePayModel import AlipayTradePayModel
from alipay.aop.api.domain.AlipayTradeQueryModel import AlipayTradeQueryModel
from alipay.aop.api.domain.AlipayTradeRefundModel import AlipayTradeRefundModel
from alipay.aop.api.request.AlipayDataDataserviceBillDownloadurlQueryRequest import AlipayDataDataserviceBillDownloadurlQueryRequest
from alipay.aop.api.request.AlipayOfflineMaterialImageUploadRequest import AlipayOfflineMaterialImageUploadRequest
from alipay.aop.api.request.AlipayOpenAppAlipaycertDownloadRequest import AlipayOpenAppAlipaycertDownloadRequest
from alipay.aop.api.request.AlipayTradeCloseRequest import AlipayTradeCloseRequest
from alipay.aop.api.request.AlipayTradePagePayRequest import AlipayTradePagePayRequest
from alipay.aop.api.request.AlipayTradePayRequest import AlipayTradePayRequest
from alipay.aop.api.request.AlipayTradeQueryRequest import AlipayTradeQueryRequest
from alipay.aop.api.request.AlipayTradeRefundRequest import AlipayTradeRefundRequest
from alipay.aop.api.util import WebUtils

from paycert_adapters import Paycert
from paycert_adapters.alipay import PaycertAlipayClient

from .world import APP, DAY


def model_of(kind, **members):
    model = kind()
    for name, value in members.items():
        setattr(model, name, value)
    return model


def through_the_proxy_of_the_tests(url, query_string, timeout, connect=WebUtils.get_http_connection):
    """The SDK asks the environment for no proxy: without one it would look for Alipay itself."""
    address, connection = connect(url, query_string, timeout)
    proxy = urlsplit(os.environ["HTTPS_PROXY"])
    connection.set_tunnel(connection.host, connection.port)
    connection.host, connection.port = proxy.hostname, proxy.port
    return address, connection


class AlipayTest(unittest.TestCase):
    def setUp(self):
        patched = mock.patch.object(WebUtils, "get_http_connection", through_the_proxy_of_the_tests)
        patched.start()
        self.addCleanup(patched.stop)
        config = AlipayClientConfig()
        config.server_url = "https://openapi.alipay.com/gateway.do"
        config.app_id = APP
        self.client = PaycertAlipayClient(config, Paycert("alipay-main"))

    def call(self, request, **members):
        content = json.loads(self.client.execute(request(biz_model=model_of(**members))))
        self.assertEqual(content["code"], "10000", content)
        return content

    def test_pays_queries_refunds_closes_and_downloads(self):
        paid = {"out_trade_no": "B1", "total_amount": "9.00", "subject": "手机 +%&="}
        self.assertEqual(self.call(AlipayTradePayRequest, kind=AlipayTradePayModel, **paid)["out_trade_no"], "B1")
        self.call(AlipayTradeQueryRequest, kind=AlipayTradeQueryModel, out_trade_no="B1")
        self.call(AlipayTradeRefundRequest, kind=AlipayTradeRefundModel, out_trade_no="B1", refund_amount="9.00")
        self.call(AlipayTradeCloseRequest, kind=AlipayTradeCloseModel, out_trade_no="B1")
        self.call(AlipayOpenAppAlipaycertDownloadRequest, kind=AlipayOpenAppAlipaycertDownloadModel, alipay_cert_sn=os.environ["ALIPAY_CERT_SN"])
        bill = {"bill_type": "trade", "bill_date": DAY}
        self.call(AlipayDataDataserviceBillDownloadurlQueryRequest, kind=AlipayDataDataserviceBillDownloadurlQueryModel, **bill)

    def test_uploads(self):
        request = AlipayOfflineMaterialImageUploadRequest()
        request.image_type, request.image_name = "jpg", "海底捞"
        request.image_content = FileItem("a.jpg", b"\xff\xd8\x00\r\n\xff\xd9")
        self.assertEqual(json.loads(self.client.execute(request))["code"], "10000")

    def test_signs_pages_and_strings_for_apps(self):
        model = model_of(AlipayTradePagePayModel, out_trade_no="B2", total_amount="9.00", subject="手机")
        request = AlipayTradePagePayRequest(biz_model=model)
        request.return_url = "https://shop.example/back?a=1&b=2"
        page = self.client.page_execute(request, http_method="GET")
        self.assertTrue(page.startswith("https://openapi.alipay.com/gateway.do?"), page)
        self.assertIn("sign=", self.client.sdk_execute(request))

        class Stop(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *_):
                return None

        with self.assertRaises(urllib.error.HTTPError) as raised:
            urllib.request.build_opener(Stop).open(page, timeout=10)
        self.assertEqual(raised.exception.code, 302)
