// What a shop asks the platforms, each step a command: go run paycert.go shop.go order 20260101001
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"
)

const (
	shop      = "https://shop.example"
	wechatPay = "https://api.mch.weixin.qq.com"
	appID     = "wx8888888888888888"
	mchID     = "1900000001"
	payer     = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
)

type object = map[string]any

func text(value any) string {
	content, err := json.Marshal(value)
	if err != nil {
		log.Fatal(err)
	}
	return string(content)
}

// wechat sends a request to WeChat Pay, and returns its response once WeChat Pay has proven to have signed it.
func wechat(method, path string, content any) (result object, err error) {
	request := Request{Method: method, URL: wechatPay + "/v3" + path}
	if content != nil {
		request.Body = text(content)
	}
	response, err := Send("wechat-main", request)
	if err != nil {
		return nil, err
	}
	if response.Status >= 300 {
		return nil, fmt.Errorf("%d %s: query before you repeat", response.Status, response.Body)
	}
	if err = Verify("wechat-main", response); err != nil {
		return nil, err
	}
	err = json.Unmarshal(response.Body, &result)
	return result, err
}

// wechatV2 does the same for v2: the parameters of its response, read by what has verified it.
func wechatV2(path string, parameters map[string]string) (object, error) {
	response, err := Send("wechat-v2", Request{URL: wechatPay + path, Parameters: parameters})
	if err != nil {
		return nil, err
	}
	if err = Verify("wechat-v2", response); err != nil {
		return nil, err
	}
	var opened struct{ Resource object }
	if err = Ask("wechat-v2", "notification", object{"bodyBase64": response.Body}, &opened); err != nil {
		return nil, err
	}
	if opened.Resource["result_code"] != "SUCCESS" {
		return nil, fmt.Errorf("%v: %v", opened.Resource["err_code"], opened.Resource["err_code_des"])
	}
	return opened.Resource, nil
}

// alipay does the same for Alipay, whose response has one member that counts.
func alipay(apiMethod string, content any) (object, error) {
	response, err := Send("alipay-main", Request{APIMethod: apiMethod, BizContent: text(content)})
	if err != nil {
		return nil, err
	}
	if err = Verify("alipay-main", response); err != nil {
		return nil, err
	}
	var members map[string]json.RawMessage
	if err = json.Unmarshal(response.Body, &members); err != nil {
		return nil, err
	}
	var result object
	if err = json.Unmarshal(members[strings.ReplaceAll(apiMethod, ".", "_")+"_response"], &result); err != nil {
		return nil, err
	}
	if result["code"] != "10000" {
		return nil, fmt.Errorf("%v: %v", result["sub_code"], result["sub_msg"])
	}
	return result, nil
}

func alipayPayment(apiMethod, number string) (result object, err error) {
	err = Ask("alipay-main", "payment-parameters", object{
		"apiMethod":  apiMethod,
		"bizContent": text(object{"out_trade_no": number, "total_amount": "1.00", "subject": "tea"}),
		"parameters": object{"notify_url": shop + "/alipay", "return_url": shop + "/thanks"},
	}, &result)
	return result, err
}

// order returns what the mini program of the payer hands to wx.requestPayment.
func order(number string) (result object, err error) {
	prepaid, err := wechat("POST", "/pay/transactions/jsapi", object{
		"appid": appID, "mchid": mchID, "description": "tea", "out_trade_no": number,
		"notify_url": shop + "/wechatpay",
		"amount":     object{"total": 100, "currency": "CNY"},
		"payer":      object{"openid": payer},
	})
	if err != nil {
		return nil, err
	}
	client := object{"type": "jsapi", "appId": appID, "prepayId": prepaid["prepay_id"]}
	err = Ask("wechat-main", "payment-parameters", client, &result)
	return result, err
}

// refund may be repeated: the same number is the same refund.
func refund(number string) (object, error) {
	return wechat("POST", "/refund/domestic/refunds", object{
		"out_trade_no": number, "out_refund_no": "R" + number, "notify_url": shop + "/wechatpay",
		"amount": object{"refund": 100, "total": 100, "currency": "CNY"},
	})
}

// v2Order does as order does, over v2.
func v2Order(number string) (result object, err error) {
	prepaid, err := wechatV2("/pay/unifiedorder", map[string]string{
		"body": "tea", "out_trade_no": number, "total_fee": "100", "trade_type": "JSAPI", "sign_type": "HMAC-SHA256",
		"openid": payer, "notify_url": shop + "/wechatpay-v2", "spbill_create_ip": "127.0.0.1",
	})
	if err != nil {
		return nil, err
	}
	client := object{"type": "jsapi", "prepayId": prepaid["prepay_id"], "signType": "HMAC-SHA256"}
	err = Ask("wechat-v2", "payment-parameters", client, &result)
	return result, err
}

// sms sends a text message. Aliyun signs no responses: TLS proves them.
func sms(phone string) (result object, err error) {
	response, err := Send("sms", Request{
		URL: "https://dysmsapi.aliyuncs.com/", APIMethod: "SendSms",
		Parameters: map[string]string{
			"Version": "2017-05-25", "PhoneNumbers": phone, "SignName": "shop",
			"TemplateCode": "SMS_1", "TemplateParam": `{"code":"1234"}`,
		},
	})
	if err != nil {
		return nil, err
	}
	if err = json.Unmarshal(response.Body, &result); err == nil && result["Code"] != "OK" {
		err = fmt.Errorf("%v: %v", result["Code"], result["Message"])
	}
	return result, err
}

var commands = map[string]func(string) (object, error){
	"order":  order,
	"refund": refund,
	"query": func(number string) (object, error) {
		return wechat("GET", "/pay/transactions/out-trade-no/"+number+"?mchid="+mchID, nil)
	},
	"query-refund": func(number string) (object, error) {
		return wechat("GET", "/refund/domestic/refunds/R"+number, nil)
	},
	"v2-order": v2Order,
	"v2-query": func(number string) (object, error) {
		return wechatV2("/pay/orderquery", map[string]string{"out_trade_no": number})
	},
	"v2-query-refund": func(number string) (object, error) {
		return wechatV2("/pay/refundquery", map[string]string{"out_refund_no": "R" + number})
	},
	// Where the payer's browser goes, and what the app hands to Alipay's SDK.
	"page": func(number string) (object, error) { return alipayPayment("alipay.trade.page.pay", number) },
	"app":  func(number string) (object, error) { return alipayPayment("alipay.trade.app.pay", number) },
	"alipay-query": func(number string) (object, error) {
		return alipay("alipay.trade.query", object{"out_trade_no": number})
	},
	"alipay-refund": func(number string) (object, error) {
		return alipay("alipay.trade.refund",
			object{"out_trade_no": number, "out_request_no": "R" + number, "refund_amount": "1.00"})
	},
	"sms": sms,
}

func main() {
	result, err := commands[os.Args[1]](os.Args[2])
	if err == nil {
		fmt.Println(text(result))
		return
	}
	fmt.Fprintln(os.Stderr, err)
	var problem Problem
	if errors.As(err, &problem) && problem.Status == 503 {
		os.Exit(75) // try again later
	}
	os.Exit(1)
}
