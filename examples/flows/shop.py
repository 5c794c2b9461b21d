"""What a shop asks the platforms, each step a command. Beside paycert.py: python3 shop.py order 20260101001"""

import json, sys
from paycert import Refused, ask, body, send, verify

SHOP = "https://shop.example"
WECHAT_PAY = "https://api.mch.weixin.qq.com"
PAYER = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
MERCHANT = {"appid": "wx8888888888888888", "mchid": "1900000001"}


def wechat(method, path, content=None):
    """A request to WeChat Pay, and its response once WeChat Pay has proven to have signed it."""
    request = {"method": method, "url": f"{WECHAT_PAY}/v3{path}"}
    if content is not None:
        request["body"] = json.dumps(content)
    response = send("wechat-main", request)
    if response["status"] >= 300:
        raise RuntimeError(f"{response['status']} {body(response).decode()}: query before you repeat")
    return json.loads(verify("wechat-main", response))


def wechat_v2(path, parameters):
    """The same for v2: the parameters of its response, read by what has verified it."""
    response = send("wechat-v2", {"url": WECHAT_PAY + path, "parameters": parameters})
    verify("wechat-v2", response)
    result = ask("wechat-v2", "notification", {"bodyBase64": response["bodyBase64"]})["resource"]
    if result["result_code"] != "SUCCESS":
        raise RuntimeError(f"{result['err_code']}: {result['err_code_des']}")
    return result


def alipay(api_method, content):
    """The same for Alipay, whose response has one member that counts."""
    response = send("alipay-main", {"apiMethod": api_method, "bizContent": json.dumps(content)})
    result = json.loads(verify("alipay-main", response))[api_method.replace(".", "_") + "_response"]
    if result["code"] != "10000":
        raise RuntimeError(f"{result['sub_code']}: {result['sub_msg']}")
    return result


def alipay_payment(api_method, number):
    return ask("alipay-main", "payment-parameters", {
        "apiMethod": api_method,
        "bizContent": json.dumps({"out_trade_no": number, "total_amount": "1.00", "subject": "tea"}),
        "parameters": {"notify_url": f"{SHOP}/alipay", "return_url": f"{SHOP}/thanks"},
    })


def order(number):
    """What the mini program of the payer hands to wx.requestPayment."""
    prepaid = wechat("POST", "/pay/transactions/jsapi", {
        **MERCHANT,
        "description": "tea",
        "out_trade_no": number,
        "notify_url": f"{SHOP}/wechatpay",
        "amount": {"total": 100, "currency": "CNY"},
        "payer": {"openid": PAYER},
    })
    client = {"type": "jsapi", "appId": MERCHANT["appid"], "prepayId": prepaid["prepay_id"]}
    return ask("wechat-main", "payment-parameters", client)


def refund(number):
    """The same number is the same refund, however often it is asked for."""
    return wechat("POST", "/refund/domestic/refunds", {
        "out_trade_no": number,
        "out_refund_no": f"R{number}",
        "notify_url": f"{SHOP}/wechatpay",
        "amount": {"refund": 100, "total": 100, "currency": "CNY"},
    })


def v2_order(number):
    """As order, over v2."""
    prepaid = wechat_v2("/pay/unifiedorder", {
        "body": "tea", "out_trade_no": number, "total_fee": "100", "trade_type": "JSAPI", "sign_type": "HMAC-SHA256",
        "openid": PAYER, "notify_url": f"{SHOP}/wechatpay-v2", "spbill_create_ip": "127.0.0.1",
    })
    client = {"type": "jsapi", "prepayId": prepaid["prepay_id"], "signType": "HMAC-SHA256"}
    return ask("wechat-v2", "payment-parameters", client)


def alipay_refund(number):
    again = {"out_trade_no": number, "out_request_no": f"R{number}", "refund_amount": "1.00"}
    return alipay("alipay.trade.refund", again)


def sms(phone):
    """Aliyun signs no responses: TLS proves them."""
    parameters = {
        "Version": "2017-05-25", "PhoneNumbers": phone, "SignName": "shop",
        "TemplateCode": "SMS_1", "TemplateParam": json.dumps({"code": "1234"}),
    }
    request = {"url": "https://dysmsapi.aliyuncs.com/", "apiMethod": "SendSms", "parameters": parameters}
    result = json.loads(body(send("sms", request)))
    if result["Code"] != "OK":
        raise RuntimeError(f"{result['Code']}: {result['Message']}")
    return result


commands = {
    "order": order,
    "query": lambda number: wechat("GET", f"/pay/transactions/out-trade-no/{number}?mchid={MERCHANT['mchid']}"),
    "refund": refund,
    "query-refund": lambda number: wechat("GET", f"/refund/domestic/refunds/R{number}"),
    "v2-order": v2_order,
    "v2-query": lambda number: wechat_v2("/pay/orderquery", {"out_trade_no": number}),
    "v2-query-refund": lambda number: wechat_v2("/pay/refundquery", {"out_refund_no": f"R{number}"}),
    "page": lambda number: alipay_payment("alipay.trade.page.pay", number),  # where the payer's browser goes
    "app": lambda number: alipay_payment("alipay.trade.app.pay", number),  # what the app hands to Alipay's SDK
    "alipay-query": lambda number: alipay("alipay.trade.query", {"out_trade_no": number}),
    "alipay-refund": alipay_refund,
    "sms": sms,
}

try:
    print(json.dumps(commands[sys.argv[1]](sys.argv[2])))
except Exception as error:
    # 75: try again later. 1: look at what it says.
    print(error, file=sys.stderr)
    sys.exit(75 if isinstance(error, Refused) and error.status == 503 else 1)
