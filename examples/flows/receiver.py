"""Receives what the platforms post, and answers each as it wants to be answered. Beside paycert.py: PORT=8080 python3 receiver.py DIRECTORY"""

import base64, json, os, re, sys, urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from paycert import Refused, ask


def xml(code):
    return f"<xml><return_code>{code}</return_code></xml>"


PLATFORMS = {  # path: credential, (status, text) of a success, text of a failure
    "/wechatpay": ("wechat-main", (204, ""), '{"code":"FAIL"}'),
    "/wechatpay-v2": ("wechat-v2", (200, xml("SUCCESS")), xml("FAIL")),
    "/alipay": ("alipay-main", (200, "success"), "fail"),
}


def store(notification):
    """Yours: act once for each id, and only then return. Here a file is the order book."""
    name = urllib.parse.quote(notification["id"], safe="")
    with open(os.path.join(sys.argv[1], f"{name}.json"), "w") as file:
        json.dump({"eventType": notification["eventType"], "resource": notification["resource"]}, file)


def receive(credential, headers, raw):
    """401: it is forged. 500: it may be genuine, and the fault is here. 503: paycert is not ready. All three make the platform send it again."""
    try:
        notification = ask(credential, "notification", {"headers": headers, "bodyBase64": base64.b64encode(raw).decode()})
    except Refused as refused:
        print(refused.code, file=sys.stderr)
        if refused.status >= 500:
            return 503
        return 401 if re.match("(signature|timestamp|message)-", refused.code) else 500
    except Exception as error:
        print(error, file=sys.stderr)
        return 503
    try:
        store(notification)
    except Exception as error:
        print(error, file=sys.stderr)
        return 500
    return 200


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        if self.path not in PLATFORMS:
            return self.answer(404, "")
        credential, success, failure = PLATFORMS[self.path]
        length = int(self.headers.get("Content-Length", 0))
        if length > 1 << 19:
            return self.answer(413, failure)
        # The bytes as they came: parsed and written again they would not verify.
        status = receive(credential, dict(self.headers), self.rfile.read(length))
        self.answer(*(success if status == 200 else (status, failure)))

    def answer(self, status, text):
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass  # an address may hold a signature


server = ThreadingHTTPServer(("", int(os.environ["PORT"])), Receiver)
print(f":{server.server_port}", flush=True)
server.serve_forever()
