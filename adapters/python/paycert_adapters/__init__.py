"""One credential of a paycert sidecar, over its Unix socket or over loopback: what the adapters beside it are made of."""

import base64
import http.client
import json
import os
import socket as sockets
from urllib.parse import urlsplit

SECONDS = 10


class Refused(RuntimeError):
    """Anything but a 200: `status` 422 means no, 503 means later. `code` is one of docs/errors.md, `hint` says what to do."""

    def __init__(self, operation, problem):
        super().__init__(f"{operation}: {problem['title']}: {problem['detail']} ({problem['hint']})")
        self.code, self.status, self.hint = problem["title"], problem["status"], problem["hint"]


class _Unix(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("paycert", timeout=SECONDS)
        self.path = path

    def connect(self):
        self.sock = sockets.socket(sockets.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Paycert:
    def __init__(self, credential, socket=None, url=None, token=None):
        """`socket`: default what `PAYCERT_SOCKET` says, or /run/paycert/paycert.sock. `url` with `token`, in its place."""
        self._credential = credential
        self._socket = socket or os.environ.get("PAYCERT_SOCKET", "/run/paycert/paycert.sock")
        self._url = url
        self._headers = {"Content-Type": "application/json"}
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"

    def ask(self, operation, question):
        """Any call of the local API (docs/api.md). Raises `Refused` unless it is a 200."""
        # A connection for each call costs little here, none is ever stale, and threads share nothing.
        sidecar = _Unix(self._socket) if self._url is None else http.client.HTTPConnection(urlsplit(self._url).netloc, timeout=SECONDS)
        try:
            path = f"/v1/credentials/{self._credential}/{operation}"
            sidecar.request("POST", path, json.dumps(question), self._headers)
            answer = sidecar.getresponse()
            result = json.load(answer)
        finally:
            sidecar.close()
        if answer.status != 200:
            raise Refused(operation, result)
        return result

    def sign(self, message):
        return self.ask("sign", {"message": message})["signature"]

    def notification(self, body, headers=None):
        """What the platform posted, verified and opened: a dict with `id`, `eventType`, `resource`. `body`: its raw bytes."""
        return self.ask("notification", {"headers": dict(headers or {}), "bodyBase64": _base64(body)})

    def encrypt(self, plaintext, key_id=None):
        """A field that only the platform can read, and the id of its key. Fields of one request take the same one."""
        question = {"plaintext": plaintext, **({"keyId": key_id} if key_id else {})}
        answer = self.ask("encrypt", question)
        return answer["ciphertext"], answer["keyId"]

    def decrypt(self, ciphertext, **members):
        """A field that only the merchant can read."""
        return self.ask("decrypt", {"ciphertext": ciphertext, **members})["plaintext"]

    def assert_genuine(self, response, body):
        """Returns if the platform has signed a success, or leaves it unsigned by design, as it does the download of a bill."""
        try:
            self.ask("verify", {"kind": "response", **response, "bodyBase64": _base64(body)})
        except Refused as refused:
            # Of a success it is said only where the platform signs none: what lacks its signature is `signature-missing`.
            if refused.code != "response-unsigned":
                raise


def _base64(body):
    return base64.b64encode(body.encode() if isinstance(body, str) else body).decode()
