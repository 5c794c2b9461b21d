// wechatpay-go on the adapter: to the platform's own address, without a key.
package adapters

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/wechatpay-apiv3/wechatpay-go/core"
	"github.com/wechatpay-apiv3/wechatpay-go/core/option"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments/jsapi"
	"github.com/wechatpay-apiv3/wechatpay-go/services/refunddomestic"
)

const merchant = "1900000001"

// control pays an order, or changes how the double of WeChat Pay signs.
func control(t *testing.T, what string) (posted struct {
	Headers map[string]string
	Body    string
}) {
	t.Helper()
	answer, err := http.Get("https://control.example/" + what)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(&posted); err != nil {
		t.Fatal(err)
	}
	return posted
}

func start(t *testing.T) (*core.Client, *Paycert, *WechatPay) {
	t.Helper()
	if os.Getenv("PAYCERT_SOCKET") == "" {
		t.Skip("no sidecar: node --test test/adapters/go.test.ts starts one")
	}
	paycert := New("wechat-main")
	adapter := NewWechatPay(merchant, paycert)
	client, err := core.NewClient(context.Background(),
		option.WithSigner(adapter), option.WithVerifier(adapter), option.WithWechatPayCipher(adapter, adapter))
	if err != nil {
		t.Fatal(err)
	}
	return client, paycert, adapter
}

func order(t *testing.T, client *core.Client, number string) *jsapi.PrepayWithRequestPaymentResponse {
	t.Helper()
	service := jsapi.JsapiApiService{Client: client}
	paid, _, err := service.PrepayWithRequestPayment(context.Background(), jsapi.PrepayRequest{
		Appid: core.String("wx1"), Mchid: core.String(merchant), Description: core.String("手机 +%&="), OutTradeNo: core.String(number),
		NotifyUrl: core.String("https://shop.example/paid"), Amount: &jsapi.Amount{Total: core.Int64(1)}, Payer: &jsapi.Payer{Openid: core.String("o1")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return paid
}

func query(client *core.Client, number string) (*payments.Transaction, error) {
	service := jsapi.JsapiApiService{Client: client}
	request := jsapi.QueryOrderByOutTradeNoRequest{Mchid: core.String(merchant), OutTradeNo: core.String(number)}
	found, _, err := service.QueryOrderByOutTradeNo(context.Background(), request)
	return found, err
}

func TestOrdersQueriesRefundsAndCloses(t *testing.T) {
	client, _, _ := start(t)
	paid := order(t, client, "G1")
	text := strings.Join([]string{"wx1", *paid.TimeStamp, *paid.NonceStr, *paid.Package, ""}, "\n")
	block, _ := pem.Decode([]byte(os.Getenv("MERCHANT_PUBLIC_KEY")))
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := base64.StdEncoding.DecodeString(*paid.PaySign)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte(text))
	if err := rsa.VerifyPKCS1v15(key.(*rsa.PublicKey), crypto.SHA256, digest[:], signature); err != nil {
		t.Fatal(err)
	}
	control(t, "pay/G1")
	found, err := query(client, "G1")
	if err != nil || *found.TradeState != "SUCCESS" {
		t.Fatal(found, err)
	}
	refunds := refunddomestic.RefundsApiService{Client: client}
	amount := &refunddomestic.AmountReq{Refund: core.Int64(1), Total: core.Int64(1), Currency: core.String("CNY")}
	refund := refunddomestic.CreateRequest{OutTradeNo: core.String("G1"), OutRefundNo: core.String("RG1"), Amount: amount}
	if _, _, err := refunds.Create(context.Background(), refund); err != nil {
		t.Fatal(err)
	}
	order(t, client, "G2")
	service := jsapi.JsapiApiService{Client: client}
	closing := jsapi.CloseOrderRequest{OutTradeNo: core.String("G2"), Mchid: core.String(merchant)}
	if _, err := service.CloseOrder(context.Background(), closing); err != nil {
		t.Fatal(err)
	}
}

func TestHandsOnNoSuccessThatThePlatformDidNotSign(t *testing.T) {
	client, _, _ := start(t)
	order(t, client, "G3")
	control(t, "stranger")
	defer control(t, "genuine")
	if found, err := query(client, "G3"); err == nil || !strings.Contains(err.Error(), "key-id-unknown") {
		t.Fatal(found, err)
	}
}

func TestOpensNotificationsAndNothingForged(t *testing.T) {
	client, paycert, _ := start(t)
	order(t, client, "G4")
	posted := control(t, "pay/G4")
	header := http.Header{}
	for name, value := range posted.Headers {
		header.Set(name, value)
	}
	opened, err := paycert.Notification(context.Background(), header, []byte(posted.Body))
	if err != nil || !strings.Contains(string(opened.Resource), "G4") {
		t.Fatal(string(opened.Resource), err)
	}
	forged := strings.Replace(posted.Body, "ciphertext", "ciphertexu", 1)
	_, err = paycert.Notification(context.Background(), header, []byte(forged))
	var refused Refused
	if !errors.As(err, &refused) || refused.Status != 422 || refused.Title != "signature-invalid" {
		t.Fatal(err)
	}
}

func TestEncryptsFieldsForTheKeyThatItNames(t *testing.T) {
	_, _, adapter := start(t)
	serial, err := adapter.SelectCertificate(context.Background())
	if err != nil || serial == "" {
		t.Fatal(serial, err)
	}
	if ciphertext, err := adapter.Encrypt(context.Background(), serial, "张三"); err != nil || len(ciphertext) < 300 {
		t.Fatal(ciphertext, err)
	}
	if _, err := adapter.Encrypt(context.Background(), "PUB_KEY_ID_0000000000000000", "x"); err == nil {
		t.Fatal("a key that is not there encrypts nothing")
	}
}
