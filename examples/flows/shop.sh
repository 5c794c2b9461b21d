#!/usr/bin/env bash
# What a shop asks the platforms, each step a command. Beside paycert.sh: bash shop.sh order 20260101001
. ./paycert.sh

shop=https://shop.example
wechat_pay=https://api.mch.weixin.qq.com
appid=wx8888888888888888 mchid=1900000001 payer=oUpF8uMuAJO_M2pxb1Q9zNjWeS6o

fail() { printf '%s\n' "$*" >&2; return 1; }

# wechat METHOD PATH [CONTENT]: prints the response once WeChat Pay has proven to have signed it.
wechat() {
  local response status
  response=$(send wechat-main "$(jq -n --arg method "$1" --arg url "$wechat_pay/v3$2" --arg body "${3:-}" \
    '{$method, $url} + (if $body == "" then {} else {$body} end)')") || return
  status=$(jq .status <<<"$response")
  [ "$status" -lt 300 ] || fail "$status $(body "$response"): query before you repeat" || return
  verify wechat-main "$response"
}

# wechat_v2 PATH PARAMETERS: the same for v2, the parameters of its response, read by what has verified it.
wechat_v2() {
  local response
  response=$(send wechat-v2 "$(jq -n --arg url "$wechat_pay$1" --argjson parameters "$2" '{$url, $parameters}')") || return
  verify wechat-v2 "$response" >/dev/null || return
  ask wechat-v2 notification "$(jq '{bodyBase64}' <<<"$response")" |
    jq -ce '.resource | if .result_code == "SUCCESS" then . else error("\(.err_code): \(.err_code_des)") end'
}

# alipay METHOD CONTENT: the same for Alipay, whose response has one member that counts.
alipay() {
  local response
  response=$(send alipay-main "$(jq -n --arg apiMethod "$1" --arg bizContent "$2" '{$apiMethod, $bizContent}')") || return
  verify alipay-main "$response" | jq -ce --arg member "${1//./_}_response" \
    '.[$member] | if .code == "10000" then . else error("\(.sub_code): \(.sub_msg)") end'
}

alipay_payment() {
  ask alipay-main payment-parameters "$(jq -n --arg apiMethod "$1" --arg number "$2" --arg shop "$shop" '{$apiMethod,
    bizContent: ({out_trade_no: $number, total_amount: "1.00", subject: "tea"} | tojson),
    parameters: {notify_url: "\($shop)/alipay", return_url: "\($shop)/thanks"}}')"
}

# What the mini program of the payer hands to wx.requestPayment.
order() {
  local prepaid
  prepaid=$(wechat POST /pay/transactions/jsapi "$(jq -nc --arg number "$1" --arg shop "$shop" --arg appid "$appid" \
    --arg mchid "$mchid" --arg openid "$payer" '{$appid, $mchid, description: "tea", out_trade_no: $number, notify_url: "\($shop)/wechatpay",
    amount: {total: 100, currency: "CNY"}, payer: {$openid}}')") || return
  ask wechat-main payment-parameters "$(jq --arg appId "$appid" '{type: "jsapi", $appId, prepayId: .prepay_id}' <<<"$prepaid")"
}

# The same number is the same refund, however often it is asked for.
refund() {
  wechat POST /refund/domestic/refunds "$(jq -nc --arg number "$1" --arg shop "$shop" '{out_trade_no: $number,
    out_refund_no: "R\($number)", notify_url: "\($shop)/wechatpay", amount: {refund: 100, total: 100, currency: "CNY"}}')"
}

# As order, over v2.
v2_order() {
  local prepaid
  prepaid=$(wechat_v2 /pay/unifiedorder "$(jq -n --arg number "$1" --arg shop "$shop" --arg openid "$payer" '{body: "tea",
    out_trade_no: $number, total_fee: "100", trade_type: "JSAPI", sign_type: "HMAC-SHA256", $openid,
    notify_url: "\($shop)/wechatpay-v2", spbill_create_ip: "127.0.0.1"}')") || return
  ask wechat-v2 payment-parameters "$(jq '{type: "jsapi", prepayId: .prepay_id, signType: "HMAC-SHA256"}' <<<"$prepaid")"
}

# Aliyun signs no responses: TLS proves them.
sms() {
  local response
  response=$(send sms "$(jq -n --arg phone "$1" '{url: "https://dysmsapi.aliyuncs.com/", apiMethod: "SendSms", parameters: {
    Version: "2017-05-25", PhoneNumbers: $phone, SignName: "shop", TemplateCode: "SMS_1", TemplateParam: "{\"code\":\"1234\"}"}}')") || return
  body "$response" | jq -ce 'if .Code == "OK" then . else error("\(.Code): \(.Message)") end'
}

case $1 in
order | refund | sms) "$1" "$2" ;;
query) wechat GET "/pay/transactions/out-trade-no/$2?mchid=$mchid" ;;
query-refund) wechat GET "/refund/domestic/refunds/R$2" ;;
v2-order) v2_order "$2" ;;
v2-query) wechat_v2 /pay/orderquery "{\"out_trade_no\":\"$2\"}" ;;
v2-query-refund) wechat_v2 /pay/refundquery "{\"out_refund_no\":\"R$2\"}" ;;
page) alipay_payment alipay.trade.page.pay "$2" ;; # where the payer's browser goes
app) alipay_payment alipay.trade.app.pay "$2" ;;   # what the app hands to Alipay's SDK
alipay-query) alipay alipay.trade.query "{\"out_trade_no\":\"$2\"}" ;;
alipay-refund) alipay alipay.trade.refund "{\"out_trade_no\":\"$2\",\"out_request_no\":\"R$2\",\"refund_amount\":\"1.00\"}" ;;
*) fail 'order, query, refund, query-refund, v2-order, v2-query, v2-query-refund, page, app, alipay-query, alipay-refund or sms' ;;
esac
