#!/usr/bin/env bash
# Receives what the platforms post, and answers each as it wants to be answered. A CGI program: STORE names the directory of the order book.
cd "$(dirname "$0")" && . ./paycert.sh

xml() { printf '<xml><return_code>%s</return_code></xml>' "$1"; }

# answer STATUS TEXT
answer() { printf 'Status: %s\r\nContent-Type: text/plain\r\n\r\n%s' "$1" "$2"; exit; }

case $PATH_INFO in
/wechatpay) credential=wechat-main accepted=204 success='' failure='{"code":"FAIL"}' ;;
/wechatpay-v2) credential=wechat-v2 accepted=200 success=$(xml SUCCESS) failure=$(xml FAIL) ;;
/alipay) credential=alipay-main accepted=200 success=success failure=fail ;;
*) answer 404 '' ;;
esac
[ "${CONTENT_LENGTH:-0}" -le 524288 ] || answer 413 "$failure"

# The bytes as they came: parsed and written again they would not verify.
question=$(head -c "${CONTENT_LENGTH:-0}" | base64 | tr -d '\n' | jq -Rs '{bodyBase64: ., headers: ($ENV |
  with_entries(select(.key | startswith("HTTP_")) | .key |= (.[5:] | gsub("_"; "-"))) + {"Content-Type": ($ENV.CONTENT_TYPE // "")})}')

# Yours: act once for each id, and only then answer. Here a file is the order book.
store() { jq '{eventType, resource}' <<<"$1" >"$STORE/$(jq -r '.id | @uri' <<<"$1").json"; }

# 401: it is forged. 500: it may be genuine, and the fault is here. 503: paycert is not ready. All three make the platform send it again.
notification=$(ask "$credential" notification "$question" 2>&1) || {
  problem=$(jq -rR 'fromjson? | "\(.status) \(.title)"' <<<"$notification")
  printf '%s\n' "$notification" >&2
  case $problem in
  '4'*\ signature-* | '4'*\ timestamp-* | '4'*\ message-*) answer 401 "$failure" ;;
  '4'*) answer 500 "$failure" ;;
  *) answer 503 "$failure" ;;
  esac
}
store "$notification" || answer 500 "$failure"
answer "$accepted" "$success"
