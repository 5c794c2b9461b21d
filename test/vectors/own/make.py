# Makes vectors.json and the files beside it: known answers of every family, computed by openssl and Python's cryptography alone.
#
#   pip install cryptography && python3 test/vectors/own/make.py
#
# Keys and certificates that are there are kept, so that what changes can be read in a diff; delete a file to have another
# one. The keys are for these vectors and nothing else. No line here calls paycert or Node.
import base64, datetime, hashlib, hmac, json, subprocess, tempfile
from pathlib import Path
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.x509.oid import NameOID

here = Path(__file__).parent
vectors = []


def add(protocol, kind, inputs, expected):
    number = sum(one["protocol"] == protocol for one in vectors) + 1
    vectors.append({"id": f"own-{protocol}-{number}", "protocol": protocol, "kind": kind, "inputs": inputs, "expected": expected})


def openssl(*words, stdin=b""):
    return subprocess.run(["openssl", *words], input=stdin, capture_output=True, check=True).stdout


def b64(data):
    return base64.b64encode(data).decode()


# Keys and certificates

PKCS8, PKCS1 = serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL


def keep(name, make):
    path = here / name
    if not path.exists():
        path.write_bytes(make())
    return path.read_bytes()


def pem(key, form=PKCS8):
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def key(name):
    made = keep(name, lambda: pem(rsa.generate_private_key(65537, 2048)))
    return serialization.load_pem_private_key(made, None)


def spki(public, form=serialization.PublicFormat.SubjectPublicKeyInfo, encoding=serialization.Encoding.PEM):
    return public.public_bytes(encoding, form)


def name(*pairs):
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in pairs])


def certificate(file, subject, public, issuer, signer, serial, is_ca=False):
    start = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public).serial_number(serial)
        .not_valid_before(start).not_valid_after(start.replace(year=2124))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
    )
    made = keep(file, lambda: builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return x509.load_pem_x509_certificate(made)


merchant, platform, published = key("merchant.pem"), key("platform_key.pem"), key("published_key.pem")
app, alipay, authority, stranger = key("app.pem"), key("alipay_key.pem"), key("authority_key.pem"), key("stranger_key.pem")
keep("merchant_pkcs1.pem", lambda: pem(merchant, PKCS1))
keep("merchant_public.pem", lambda: spki(merchant.public_key()))
keep("published.pem", lambda: spki(published.public_key()))
keep("published_pkcs1.pem", lambda: spki(published.public_key(), serialization.PublicFormat.PKCS1))

ca = name((NameOID.COUNTRY_NAME, "CN"), (NameOID.ORGANIZATION_NAME, "Vectors"), (NameOID.COMMON_NAME, "Vectors Root"))
other_ca = name((NameOID.COUNTRY_NAME, "CN"), (NameOID.COMMON_NAME, "Another Root"))
# Leading zeros and a high bit: what serial numbers are got wrong by.
merchant_cert = certificate("merchant_cert.pem", name((NameOID.ORGANIZATION_NAME, "M"), (NameOID.COMMON_NAME, "1900000001")), merchant.public_key(), ca, authority, 0x0A1B2C3D4E5F60718293A4B5C6D7E8F901)
platform_cert = certificate("platform_cert.pem", name((NameOID.COMMON_NAME, "Tenpay.com sign")), platform.public_key(), ca, authority, 0x5FAB00000000000000000000000000000000CAFE)
root = certificate("root.pem", ca, authority.public_key(), ca, authority, 0x00D1, True)
certificate("other_root.pem", other_ca, stranger.public_key(), other_ca, stranger, 0x02, True)
app_cert = certificate("app_cert.pem", name((NameOID.COMMON_NAME, "2021000000000009")), app.public_key(), ca, authority, 20240101000000123456789)
alipay_cert = certificate("alipay_cert.pem", name((NameOID.COMMON_NAME, "Alipay")), alipay.public_key(), ca, authority, 0x0102030405060708)

MERCHANT, API_V3_KEY, API_V2_KEY = "1900000001", "own-vectors-APIv3-key-32-bytes-00", "ownvectorsAPIv2key32characters000"
API_V3_KEY, API_V2_KEY = API_V3_KEY[:32], API_V2_KEY[:32]
TIME, NONCE = 1767225600, "593BEC0C930BF1AFEB40B4A08C8FB242"


def serial_of(cert):
    digits = f"{cert.serial_number:X}"
    return digits if len(digits) % 2 == 0 else f"0{digits}"


def sign(private, text, algorithm=hashes.SHA256()):
    """RSASSA-PKCS1-v1_5, by openssl; cryptography has to agree."""
    data = text if isinstance(text, bytes) else text.encode()
    with tempfile.NamedTemporaryFile() as file:
        file.write(pem(private)), file.flush()
        made = openssl("dgst", f"-{algorithm.name}", "-sign", file.name, stdin=data)
    assert made == private.sign(data, padding.PKCS1v15(), algorithm)
    return b64(made)


def seal(text, nonce="own-nonce-12", associated="transaction", secret=API_V3_KEY):
    return {
        "algorithm": "AEAD_AES_256_GCM", "nonce": nonce, "associated_data": associated,
        "ciphertext": b64(AESGCM(secret.encode()).encrypt(nonce.encode(), text.encode(), associated.encode())),
    }


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# WeChat Pay APIv3

body = compact({"description": "测试 \"订单\"", "amount": {"total": 1}})
for method, url, text in [("POST", "/v3/pay/transactions/jsapi?a=%20b&c=", body), ("GET", "/v3/certificates", "")]:
    message = f"{method}\n{url}\n{TIME}\n{NONCE}\n{text}\n"
    signature = sign(merchant, message)
    add("wechat-v3", "request-sign",
        {"private_key": "merchant_pkcs1.pem", "method": method, "url": url, "timestamp": str(TIME), "nonce": NONCE, "body": text, "mchid": MERCHANT, "serial_no": serial_of(merchant_cert)},
        {"message": message, "signature": signature, "authorization": f'WECHATPAY2-SHA256-RSA2048 mchid="{MERCHANT}",nonce_str="{NONCE}",signature="{signature}",timestamp="{TIME}",serial_no="{serial_of(merchant_cert)}"'})
add("wechat-v3", "rsa-sha256-sign", {"private_key": "merchant.pem", "message": body}, {"signature": sign(merchant, body)})
for trusted, private in [({"certificate": "platform_cert.pem", "serial": serial_of(platform_cert)}, platform), ({"public_key": "published.pem", "public_key_id": "PUB_KEY_ID_0119000000012024010100000000000000"}, published)]:
    good = sign(private, "good")
    add("wechat-v3", "rsa-sha256-verify", {**trusted, "cases": [{"message": "good", "signature": good}, {"message": "bad", "signature": good}, {"message": "good", "signature": sign(merchant, "good")}]}, {"valid": [True, False, False]})


def headers(text, private=platform, serial=serial_of(platform_cert)):
    return {"Wechatpay-Timestamp": str(TIME), "Wechatpay-Nonce": NONCE, "Wechatpay-Serial": serial, "Wechatpay-Signature": sign(private, f"{TIME}\n{NONCE}\n{text}\n")}


answer = compact({"prepay_id": "wx2016 张三"})
add("wechat-v3", "response-verify", {"certificate": "platform_cert.pem", "headers": headers(answer), "body": answer, "now_unix": TIME, "tampered_body": answer + " ", "wrong_now_unix": TIME + 3600}, {"valid": True, "tampered": False})
add("wechat-v3", "response-verify", {"certificate": "platform_cert.pem", "headers": headers(""), "body": "", "now_unix": TIME}, {"valid": True})
add("wechat-v3", "response-message", {"timestamp": str(TIME), "nonce": NONCE, "body": ""}, {"message": f"{TIME}\n{NONCE}\n\n"})
paid = compact({"mchid": MERCHANT, "out_trade_no": "1", "trade_state": "SUCCESS", "payer": {"openid": "o张"}})
notification = compact({"id": "EV-1", "create_time": "2026-01-01T08:00:00+08:00", "event_type": "TRANSACTION.SUCCESS", "resource_type": "encrypt-resource", "summary": "支付成功", "resource": {"original_type": "transaction", **seal(paid)}})
add("wechat-v3", "notify-verify-and-decrypt", {"trusted": {serial_of(platform_cert): "platform_cert.pem"}, "headers": headers(notification), "body": notification, "now_unix": TIME, "api_v3_key": API_V3_KEY}, {"signature_valid": True, "event_type": "TRANSACTION.SUCCESS", "plaintext": paid})
add("wechat-v3", "signtest-probe", {"certificate": "platform_cert.pem", "headers": {**headers(notification), "Wechatpay-Signature": "WECHATPAY/SIGNTEST/" + sign(platform, "x")[19:]}, "body": notification, "now_unix": TIME}, {"valid": False, "probe": True})
add("wechat-v3", "aead-aes-256-gcm", {"key": API_V3_KEY, **seal(paid), "wrong_key": "x" * 32, "short_ciphertext": "AAAA", "tampered_associated_data": "certificate"}, {"plaintext": paid})
add("wechat-v3", "aead-aes-256-gcm", {"key": API_V3_KEY, **seal("", associated="")}, {"plaintext": ""})
add("wechat-v3", "apiv3-key-length", {"cases": [{"key": API_V3_KEY}, {"key": API_V3_KEY[:16]}, {"key": API_V3_KEY + "0"}]}, {"valid": [True, False, False]})
pem_text = (here / "platform_cert.pem").read_text()
listed = compact({"data": [{"serial_no": serial_of(platform_cert), "effective_time": "2024-01-01T08:00:00+08:00", "expire_time": "2124-01-01T08:00:00+08:00", "encrypt_certificate": seal(pem_text, associated="certificate")}]})
add("wechat-v3", "platform-certificates-decrypt", {"response_body": listed, "headers": headers(listed), "api_v3_key": API_V3_KEY, "wrong_key": "x" * 32}, {"signature_valid": True, "serial_no": [serial_of(platform_cert)], "certificate": "platform_cert.pem", "effective_time": "2024-01-01T08:00:00+08:00", "expire_time": "2124-01-01T08:00:00+08:00"})


def sealed_for(public, text, how):
    """Random, so what an earlier run made is kept."""
    return keep(how + ".field", lambda: b64(public.encrypt(text.encode(), padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None) if how == "oaep" else padding.PKCS1v15())).encode()).decode()


add("wechat-v3", "sensitive-field-rsa-oaep-sha1", {"private_key": "merchant.pem", "ciphertext": sealed_for(merchant.public_key(), "张三 6222", "oaep")}, {"plaintext": "张三 6222"})
add("wechat-v3", "sensitive-field-rsa-pkcs1v15", {"private_key": "merchant.pem", "ciphertext": sealed_for(merchant.public_key(), "李四 6222", "pkcs1")}, {"plaintext": "李四 6222"})
add("wechat-v3", "sensitive-field-encrypt", {"certificate": "merchant_cert.pem", "private_key": "merchant.pem", "plaintext": "王五"}, {"plaintext": "王五", "ciphertext_length": 256})
package = f"wx1\n{TIME}\n{NONCE}\nprepay_id=wx201\n"
add("wechat-v3", "jsapi-paysign", {"private_key": "merchant.pem", "appid": "wx1", "timestamp": str(TIME), "nonce_str": NONCE, "package": "prepay_id=wx201"}, {"message": package, "paySign": sign(merchant, package), "signType": "RSA"})
package = f"wx1\n{TIME}\n{NONCE}\nwx201\n"
add("wechat-v3", "app-paysign", {"private_key": "merchant.pem", "appid": "wx1", "timestamp": str(TIME), "noncestr": NONCE, "prepayid": "wx201"}, {"message": package, "sign": sign(merchant, package)})
serials = [openssl("x509", "-in", str(here / file), "-noout", "-serial").decode().strip().removeprefix("serial=") for file in ("merchant_cert.pem", "platform_cert.pem")]
add("wechat-v3", "x509-serial-hex", {"certificates": ["merchant_cert.pem", "platform_cert.pem"]}, {"serial_hex_upper": serials, "decimal": [str(int(one, 16)) for one in serials], "sha256": [one.fingerprint(hashes.SHA256()).hex() for one in (merchant_cert, platform_cert)]})
add("wechat-v3", "key-format", {"private_key": "merchant_pkcs1.pem", "public_key": "published_pkcs1.pem"}, {"private_format": "PKCS#1", "public_format": "PKCS#1", "pair_matches": False})
add("wechat-v3", "key-format", {"private_key": "merchant.pem", "public_key": "merchant_public.pem"}, {"private_format": "PKCS#8", "public_format": "SPKI", "pair_matches": True})

# PKCS#12, as the platform makes it and as openssl does today

for how, options in [("rc2-40", ["-legacy"]), ("3des", ["-legacy", "-certpbe", "PBE-SHA1-3DES"]), ("aes", [])]:
    for password in [MERCHANT] if how != "rc2-40" else [MERCHANT, ""]:
        made = keep(f"{how}{'' if password else '-empty'}.p12", lambda: openssl("pkcs12", "-export", *options, "-inkey", str(here / "merchant.pem"), "-in", str(here / "merchant_cert.pem"), "-certfile", str(here / "root.pem"), "-passout", f"pass:{password}"))
        add("pkcs12", "p12-parse", {"p12_base64": b64(made), "password": password, "wrong_password": password + "x"}, {"certificates": [{"subject_cn": MERCHANT, "serial_hex": serial_of(merchant_cert)}, {"subject_cn": "Vectors Root", "serial_hex": serial_of(root)}], "private_key_type": "RSA", "leaf_sha256": merchant_cert.fingerprint(hashes.SHA256()).hex(), "wrong_password": "error"})

# WeChat Pay v2

parameters = {"body": "测试", "appid": "wx1", "empty": "", "mch_id": MERCHANT, "nonce_str": NONCE}
joined = "&".join(f"{k}={v}" for k, v in sorted(parameters.items()) if v != "")
text = f"{joined}&key={API_V2_KEY}"
md5 = hashlib.md5(text.encode()).hexdigest().upper()
add("wechat-v2", "md5-sorted-params", {"params": parameters, "key": API_V2_KEY}, {"string": text, "sign": md5})
add("generic-hmac", "hmac-sha256-sorted-params", {"params": parameters, "key": API_V2_KEY, "rule": "sorted, then &key="}, {"string": text, "sign": hmac.new(API_V2_KEY.encode(), text.encode(), "sha256").hexdigest().upper()})
xml = "<xml>" + "".join(f"<{k}><![CDATA[{v}]]></{k}>" for k, v in parameters.items()) + f"<sign>{md5}</sign></xml>"
add("wechat-v2", "notification-verify", {"key": API_V2_KEY, "cases": [{"xml": xml}, {"xml": xml.replace("wx1", "wx2")}]}, {"valid": [True, False]})
refund = "<root><refund_id>50000408942018111907145868882</refund_id></root>"
ecb = Cipher(algorithms.AES(hashlib.md5(API_V2_KEY.encode()).hexdigest().encode()), modes.ECB()).encryptor()
padded = refund.encode() + bytes([16 - len(refund.encode()) % 16]) * (16 - len(refund.encode()) % 16)
add("wechat-v2", "refund-req-info", {"key": API_V2_KEY, "req_info": b64(ecb.update(padded) + ecb.finalize()), "wrong_key": "x" * 32}, {"plaintext": refund, "fields": {"refund_id": "50000408942018111907145868882"}, "wrong_key": "error"})

# Alipay


def sn(cert):
    """MD5 of the issuer's RFC 2253 name, as openssl writes it, and the serial number as a decimal."""
    path = next(file for file in here.glob("*.pem") if file.read_bytes().strip() == cert.public_bytes(serialization.Encoding.PEM).strip())
    issuer = openssl("x509", "-in", str(path), "-noout", "-issuer", "-nameopt", "RFC2253").decode().strip().removeprefix("issuer=")
    return hashlib.md5(f"{issuer}{cert.serial_number}".encode()).hexdigest()


APP = "2021000000000009"
add("alipay-v2", "cert-sn", {"app_certificate": "app_cert.pem", "alipay_certificate": "alipay_cert.pem", "root": "root.pem"}, {"app_cert_sn": sn(app_cert), "alipay_cert_sn": sn(alipay_cert), "alipay_root_cert_sn": sn(root)})
add("alipay-v2", "root-cert-sn", {"certificates": "root.pem"}, {"alipay_root_cert_sn": sn(root), "per_certificate": [{"included": True, "md5": sn(root)}]})
add("alipay-v2", "cert-chain-verify", {"certificate": "alipay_cert.pem", "root": "root.pem"}, {"trusted": True})
add("alipay-v2", "cert-chain-verify", {"certificate": "alipay_cert.pem", "root": "other_root.pem"}, {"trusted": False})
add("alipay-v2", "public-key-from-cert", {"certificate": "alipay_cert.pem"}, {"spki_base64": b64(spki(alipay.public_key(), encoding=serialization.Encoding.DER))})
content = '{"code":"10000","msg":"Success","subject":"a } \\" b","notes":"https:\\/\\/example.org"}'
response = f'{{"alipay_trade_query_response":{content},"alipay_cert_sn":"{sn(alipay_cert)}","sign":"{sign(alipay, content)}"}}'
node = {"response_key": "alipay_trade_query_response"}
add("alipay-v2", "sync-response-extract-content", {"cases": [{"response_body": response, **node}, {"response_body": response.replace(":{", " :\n {", 1), **node}]}, {"content": [content, content]})
add("alipay-v2", "sync-response-verify", {"response_body": response, **node, "certificate": "alipay_cert.pem"}, {"content": content, "valid": True})
add("alipay-v2", "sync-response-verify", {"content": content, "sign": sign(alipay, content), "tampered_sign": sign(app, content), "certificate": "alipay_cert.pem"}, {"valid": True, "valid_tampered": False})
notify = {"app_id": APP, "charset": "utf-8", "subject": "a+b 手机 50%", "fund_bill_list": '[{"amount":"0.01"}]', "trade_status": "TRADE_SUCCESS", "version": "1.0"}
for rule, kind, signed in [("V1", "async-notify-verify", notify), ("V2", "notify-verify-keep-sign-type", {**notify, "sign_type": "RSA2"})]:
    text = "&".join(f"{k}={v}" for k, v in sorted(signed.items()))
    add("alipay-v2", kind, {"params": {**notify, "sign_type": "RSA2", "sign": sign(alipay, text)}, "certificate": "alipay_cert.pem", "tampered": {"subject": "x"}}, {"string_to_verify": text, "mode": rule, "valid": True, "valid_without_sign_type": rule == "V1", "tampered_valid": False})
order = {"method": "alipay.trade.query", "app_id": APP, "biz_content": '{"out_trade_no":"1"}', "empty": "", "sign_type": "RSA2", "timestamp": "2026-01-01 08:00:00"}
text = "&".join(f"{k}={v}" for k, v in sorted(order.items()) if v != "")
add("alipay-v2", "request-sign", {"params": order, "private_key": "app.pem"}, {"string_to_sign": text, "sign": sign(app, text)})
aes = base64.b64decode("b3duLXZlY3RvcnMtYWVzMQ==")
cbc = Cipher(algorithms.AES(aes), modes.CBC(bytes(16))).encryptor()
plain = '{"out_trade_no":"1"}'.encode()
add("alipay-v2", "aes-cbc-zero-iv", {"key_base64": b64(aes), "plaintext": plain.decode(), "iv": "16 zero bytes"}, {"ciphertext": b64(cbc.update(plain + bytes([16 - len(plain) % 16]) * (16 - len(plain) % 16)) + cbc.finalize())})
fields = f"app_id={APP},app_cert_sn={sn(app_cert)},nonce={NONCE},timestamp={TIME}000"
for method, uri, text, token in [("POST", "/v3/alipay/trade/pay", '{"subject":"测试"}', None), ("GET", "/v3/alipay/trade/query?a=%E6%B5%8B", "", "2024token")]:
    message = f"{fields}\n{method}\n{uri}\n{text}\n" + (f"{token}\n" if token else "")
    signature = sign(app, message)
    add("alipay-v3", "request-sign", {"private_key": "app.pem", "certificate": "app_cert.pem", "auth_string": fields, "method": method, "uri": uri, "body": text, "app_auth_token": token}, {"string_to_sign": message, "signature": signature, "authorization": f"ALIPAY-SHA256withRSA {fields},sign={signature}"})
answer = '{"trade_no":"2026","buyer":"张"}'
rest = {"alipay-timestamp": f"{TIME}000", "alipay-nonce": NONCE, "alipay-sn": sn(alipay_cert), "alipay-signature": sign(alipay, f"{TIME}000\n{NONCE}\n{answer}\n")}
add("alipay-v3", "response-verify", {"headers": rest, "body": answer, "certificate": "alipay_cert.pem", "tampered_body": "{}"}, {"valid": True, "tampered": False})

# Aliyun


def percent(text):
    return quote(text, safe="-_.~")


SECRET = "own vectors access key secret"
awkward = "a b+c*d~e/f!'()测"
add("aliyun-rpc", "percent-encode", {"value": awkward}, {"percent_encoded": percent(awkward)})
call = {"AccessKeyId": "id", "Action": "SendSms", "Format": "JSON", "PhoneNumbers": "13800000000", "SignatureMethod": "HMAC-SHA1", "SignatureNonce": NONCE, "SignatureVersion": "1.0", "TemplateParam": compact({"code": awkward}), "Timestamp": "2026-01-01T00:00:00Z", "Version": "2017-05-25"}
query = "&".join(f"{percent(k)}={percent(v)}" for k, v in sorted(call.items()))
text = f"POST&{percent('/')}&{percent(query)}"
signature = b64(hmac.new(f"{SECRET}&".encode(), text.encode(), "sha1").digest())
add("aliyun-rpc", "hmac-sha1-rpc", {"method": "POST", "params": call, "access_key_secret": SECRET}, {"canonicalized_query": query, "string_to_sign": text, "signature": signature, "signature_encoded": percent(signature)})
body = compact({"a": awkward})
sha = hashlib.sha256(body.encode()).hexdigest()
signed = {"host": "dysmsapi.aliyuncs.com", "x-acs-action": "SendSms", "x-acs-content-sha256": sha, "x-acs-date": "2026-01-01T00:00:00Z", "x-acs-signature-nonce": NONCE, "x-acs-version": "2017-05-25"}
query = "&".join(f"{percent(k)}={percent(v)}" for k, v in sorted({"b": awkward, "a": ""}.items()))
canonical = "\n".join(["POST", "/", query, *(f"{k}:{v}" for k, v in sorted(signed.items())), "", ";".join(sorted(signed)), sha])
hashed = hashlib.sha256(canonical.encode()).hexdigest()
signature = hmac.new(SECRET.encode(), f"ACS3-HMAC-SHA256\n{hashed}".encode(), "sha256").hexdigest()
add("aliyun-acs3", "acs3-hmac-sha256", {"method": "POST", "canonical_uri": "/", "query": {"b": awkward, "a": ""}, "headers": signed, "body": body, "access_key_id": "id", "access_key_secret": SECRET}, {"canonical_request": canonical, "hashed_canonical_request": hashed, "signature": signature, "authorization": f"ACS3-HMAC-SHA256 Credential=id,SignedHeaders={';'.join(sorted(signed))},Signature={signature}"})
add("aliyun-acs3", "payload-hash", {"text": body}, {"sha256": sha})

# Partners

tag = hmac.new(SECRET.encode(), b"hello", "sha256").hexdigest()
add("generic-hmac", "hmac-sha256-verify", {"key": SECRET, "cases": [{"message": "hello", "tag_hex": tag}, {"message": "other", "tag_hex": tag}, {"message": "hello", "tag_hex": tag[:-2]}]}, {"results": ["valid", "invalid", "invalid"]})
text = "a=&b=1 2&名=值"
add("generic-hmac", "hmac-sha256-sorted-params", {"params": {"b": "1 2", "a": "", "名": "值"}, "key": SECRET}, {"string": text, "signature": hmac.new(SECRET.encode(), text.encode(), "sha256").hexdigest()})


def pss(salt):
    made = keep(f"pss-{salt}.sig", lambda: published.sign(b"hello", padding.PSS(padding.MGF1(hashes.SHA256()), salt), hashes.SHA256()).hex().encode())
    return made.decode()


add("generic-pss", "rsa-pss-sha256-mgf1sha256-salt32-verify", {"public_key": "published.pem", "tests": [{"message": message, "sig_hex": pss(salt)} for message, salt in [("hello", 32), ("hello", 20), ("hello", 0), ("other", 32)]]}, {"results": ["valid", "invalid", "invalid", "invalid"]})

# SM2, SM3 and SM4, which the product refuses by name

add("sm", "sm3-hash", {"text": "test"}, {"sm3": openssl("dgst", "-sm3", stdin=b"test").decode().split()[-1], "sha256": hashlib.sha256(b"test").hexdigest()})
sm2 = keep("sm2_key.pem", lambda: openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:SM2"))
keep("sm2_cert.pem", lambda: openssl("req", "-x509", "-new", "-key", str(here / "sm2_key.pem"), "-sm3", "-sigopt", "distid:1234567812345678", "-subj", "/CN=SM2", "-days", "36500"))
made = keep("sm2.sig", lambda: b64(openssl("dgst", "-sm3", "-sigopt", "distid:1234567812345678", "-sign", str(here / "sm2_key.pem"), stdin=b"message")).encode()).decode()
add("wechat-v3-shangmi", "sm2-with-sm3-verify", {"certificate": "sm2_cert.pem", "user_id": "1234567812345678", "signature_der_base64": made, "cases": [{"message": "message", "valid": True}, {"message": "other", "valid": False}]}, {"valid": [True, False]})
sm4 = Cipher(algorithms.SM4(bytes.fromhex(openssl("dgst", "-sm3", stdin=API_V3_KEY.encode()).decode().split()[-1])[:16]), modes.GCM(b"own-nonce-12")).encryptor()
sm4.authenticate_additional_data(b"transaction")
add("wechat-v3-shangmi", "aead-sm4-gcm", {"api_v3_key": API_V3_KEY, "nonce": "own-nonce-12", "associated_data": "transaction", "ciphertext": b64(sm4.update(b"plaintext") + sm4.finalize() + sm4.tag)}, {"plaintext": "plaintext"})

about = {"source": "test/vectors/own/make.py", "licence": "Apache-2.0", "computed_by": "openssl and Python's cryptography"}
(here / "vectors.json").write_text(json.dumps({**about, "vectors": vectors}, ensure_ascii=False, indent=2) + "\n")
print(len(vectors), "vectors")
