"""alipay-sdk-python without a key: the sidecar signs calls, pages and strings for apps, and verifies each response."""

import json
import threading
from urllib.parse import parse_qsl, urlsplit

from alipay.aop.api.DefaultAlipayClient import DefaultAlipayClient
from alipay.aop.api.exception.Exception import ResponseException

from . import Paycert

# Whose they are: the sidecar writes its own.
OWN = frozenset([
    "app_id", "method", "charset", "format", "version", "sign_type", "timestamp", "sign", "biz_content", "app_auth_token",
    "app_cert_sn", "alipay_root_cert_sn",
])  # fmt: skip


class PaycertAlipayClient(DefaultAlipayClient):
    """The SDK, to be used as its documentation says: `execute`, `page_execute`, `sdk_execute`. Keys in the configuration are not used."""

    def __init__(self, alipay_client_config, paycert: Paycert, logger=None):
        super().__init__(alipay_client_config, logger)
        self._paycert = paycert
        self._called = threading.local()

    # The two places where the SDK has a key in its hand. It reaches them by these names, which Python made of `__…`.

    def _DefaultAlipayClient__prepare_request_params(self, request):
        params = request.get_params()
        self._called.method = params["method"]
        others = {name: _text(value) for name, value in params.items() if name not in OWN and value is not None}
        question = {"apiMethod": params["method"], "parameters": others}
        if params.get("biz_content") is not None:
            question["bizContent"] = _text(params["biz_content"])
        if params.get("app_auth_token"):
            question["appAuthToken"] = params["app_auth_token"]
        signed = self._paycert.ask("authorize", question)
        return _pairs(urlsplit(signed["url"]).query), _pairs(signed.get("body", ""))

    def _DefaultAlipayClient__parse_response(self, response):
        method = self._called.method
        self._paycert.assert_genuine({"apiMethod": method, "status": 200}, response)
        answer = json.loads(response)
        content = answer.get(method.replace(".", "_") + "_response", answer.get("error_response"))
        if content is None:
            raise ResponseException("the response has no member for " + method)
        if isinstance(content, str):
            return self._paycert.decrypt(content, algorithm="AES")
        return json.dumps(content, ensure_ascii=False)


def _text(value):
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _pairs(form):
    return dict(parse_qsl(form, keep_blank_values=True))
