package adapters

import (
	"context"

	"github.com/wechatpay-apiv3/wechatpay-go/core/auth"
)

// WechatPay is what wechatpay-go asks of its signer, verifier, encryptor and decryptor:
//
//	adapter := adapters.NewWechatPay("1900000001", adapters.New("wechat-main"))
//	client, err := core.NewClient(ctx,
//		option.WithSigner(adapter), option.WithVerifier(adapter), option.WithWechatPayCipher(adapter, adapter))
type WechatPay struct {
	merchantID string
	paycert    *Paycert
}

// NewWechatPay makes it for a merchant, whose credential paycert is.
func NewWechatPay(merchantID string, paycert *Paycert) *WechatPay {
	return &WechatPay{merchantID, paycert}
}

// Algorithm names how requests are signed.
func (w *WechatPay) Algorithm() string { return "SHA256-RSA2048" }

// Sign signs a request, or what the paying client is handed. Signature and serial number are of one answer: a rotation changes both.
func (w *WechatPay) Sign(ctx context.Context, message string) (*auth.SignatureResult, error) {
	var signed struct{ Signature, KeyID string }
	if err := w.paycert.Ask(ctx, "sign", map[string]string{"message": message}, &signed); err != nil {
		return nil, err
	}
	return &auth.SignatureResult{MchID: w.merchantID, CertificateSerialNo: signed.KeyID, Signature: signed.Signature}, nil
}

// Verify fails unless the key of that serial number has signed the message.
func (w *WechatPay) Verify(ctx context.Context, serial, message, signature string) error {
	question := map[string]string{"keyId": serial, "message": message, "signature": signature}
	return w.paycert.Ask(ctx, "verify", question, &struct{}{})
}

// GetSerial is the id of the key that fields are encrypted for.
func (w *WechatPay) GetSerial(ctx context.Context) (string, error) { return w.SelectCertificate(ctx) }

// SelectCertificate is the id of the key that fields of the next request are encrypted for.
func (w *WechatPay) SelectCertificate(ctx context.Context) (string, error) {
	var encrypted struct{ KeyID string }
	err := w.paycert.Ask(ctx, "encrypt", map[string]string{"plaintext": ""}, &encrypted)
	return encrypted.KeyID, err
}

// Encrypt makes a field that only WeChat Pay can read.
func (w *WechatPay) Encrypt(ctx context.Context, serial, plaintext string) (string, error) {
	var encrypted struct{ Ciphertext string }
	err := w.paycert.Ask(ctx, "encrypt", map[string]string{"plaintext": plaintext, "keyId": serial}, &encrypted)
	return encrypted.Ciphertext, err
}

// Decrypt reads a field that only the merchant can read.
func (w *WechatPay) Decrypt(ctx context.Context, ciphertext string) (string, error) {
	var decrypted struct{ Plaintext string }
	err := w.paycert.Ask(ctx, "decrypt", map[string]string{"ciphertext": ciphertext}, &decrypted)
	return decrypted.Plaintext, err
}
