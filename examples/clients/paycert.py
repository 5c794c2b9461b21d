"""Asks paycert's sidecar, the same way for every platform. Python 3.9, standard library only: put it beside your program."""

import base64, http.client, json, os, socket, urllib.error, urllib.request


class Refused(RuntimeError):
    """Anything but a 200: `status` 422 means no, 503 means later. `code` is one of docs/errors.md, `hint` says what to do."""

    def __init__(self, operation, problem):
        super().__init__(f"{operation}: {problem['title']}: {problem['detail']} ({problem['hint']})")
        self.code, self.status, self.hint = problem["title"], problem["status"], problem["hint"]


class Unix(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(os.environ.get("PAYCERT_SOCKET", "/run/paycert/paycert.sock"))


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None  # a signature is good for one address


platforms = urllib.request.build_opener(NoRedirect)


def ask(credential, operation, question):
    """What paycert answers. Raises `Refused` unless that is a 200."""
    sidecar = Unix("paycert", timeout=10)
    try:
        path = f"/v1/credentials/{credential}/{operation}"
        sidecar.request("POST", path, json.dumps(question), {"Content-Type": "application/json"})
        answer = sidecar.getresponse()
        result = json.load(answer)
    finally:
        sidecar.close()
    if answer.status != 200:
        raise Refused(operation, result)
    return result


def send(credential, request):
    """Has the request signed, sends exactly what was signed, and returns the response as `verify` takes it."""
    signed = ask(credential, "authorize", request)
    content = content_of(signed) or content_of(request)
    outgoing = urllib.request.Request(signed["url"], content, signed["headers"], method=signed["method"])
    try:
        response = platforms.open(outgoing, timeout=10)
    except urllib.error.HTTPError as error:
        response = error  # a response too
    with response:
        if response.status < 200:
            raise RuntimeError(f"the platform sent {response.status} before its response")
        raw = base64.b64encode(response.read()).decode()
    return {
        "kind": "response",
        "method": signed["method"],
        "url": signed["url"],
        "status": response.status,
        "headers": dict(response.headers),
        "bodyBase64": raw,
        **({"apiMethod": request["apiMethod"]} if "apiMethod" in request else {}),
    }


def content_of(message):
    """The body of a request: paycert returns it where another one was signed than was given."""
    if "bodyBase64" in message:
        return base64.b64decode(message["bodyBase64"])
    return message.get("body", "").encode() or None


def body(response):
    """Its body as bytes, proven or not."""
    return base64.b64decode(response["bodyBase64"])


def verify(credential, response):
    """The response's body if the platform has signed it. Raises otherwise."""
    ask(credential, "verify", response)
    return body(response)
