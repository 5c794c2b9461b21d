"""Where the sidecar and its proxy are, and what makes the doubles of the platforms misbehave."""

import json
import os
import urllib.request

PROXY = os.environ["PAYCERT_PROXY"]
TOKEN = os.environ["PAYCERT_PROXY_TOKEN"]
MERCHANT = "1900000001"
APP = "2021000000000001"
DAY = "2026-01-01"


def proxied(credential):
    return f"{PROXY}/~{TOKEN}/{credential}"


def resigning(credential):
    """At a proxy that signs verified responses again, with the identity below."""
    return f"{os.environ['PAYCERT_RESIGNING_PROXY']}/{credential}"


def identity(name):
    with open(os.path.join(os.environ["PAYCERT_IDENTITY"], name)) as file:
        return file.read().strip()


def control(what):
    with urllib.request.urlopen(f"https://control.example/{what}", timeout=10) as answer:
        return json.load(answer)
