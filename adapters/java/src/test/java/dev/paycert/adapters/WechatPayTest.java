// wechatpay-java through the adapter: to the platform's own address, without a key.
package dev.paycert.adapters;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.wechat.pay.java.core.exception.ServiceException;
import com.wechat.pay.java.core.exception.ValidationException;
import com.wechat.pay.java.core.http.DefaultHttpClientBuilder;
import com.wechat.pay.java.core.notification.NotificationParser;
import com.wechat.pay.java.core.notification.RequestParam;
import com.wechat.pay.java.service.billdownload.BillDownloadService;
import com.wechat.pay.java.service.billdownload.model.GetTradeBillRequest;
import com.wechat.pay.java.service.file.FileUploadService;
import com.wechat.pay.java.service.payments.jsapi.JsapiServiceExtension;
import com.wechat.pay.java.service.payments.jsapi.model.Amount;
import com.wechat.pay.java.service.payments.jsapi.model.CloseOrderRequest;
import com.wechat.pay.java.service.payments.jsapi.model.Payer;
import com.wechat.pay.java.service.payments.jsapi.model.PrepayRequest;
import com.wechat.pay.java.service.payments.jsapi.model.QueryOrderByOutTradeNoRequest;
import com.wechat.pay.java.service.payments.model.Transaction;
import com.wechat.pay.java.service.refund.RefundService;
import com.wechat.pay.java.service.refund.model.AmountReq;
import com.wechat.pay.java.service.refund.model.CreateRequest;
import java.nio.charset.StandardCharsets;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.HexFormat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class WechatPayTest {
  private final PaycertConfig config = new PaycertConfig(World.MERCHANT, new Paycert("wechat-main"));
  private final JsapiServiceExtension service = new JsapiServiceExtension.Builder().config(config).build();

  @AfterEach
  void signAgainWithKnownKeys() throws Exception {
    World.control("genuine");
  }

  private PrepayRequest order(String number) {
    var amount = new Amount();
    amount.setTotal(1);
    var payer = new Payer();
    payer.setOpenid("o1");
    var request = new PrepayRequest();
    request.setAppid("wx1");
    request.setMchid(World.MERCHANT);
    request.setDescription("手机 +%&=");
    request.setOutTradeNo(number);
    request.setNotifyUrl("https://shop.example/paid");
    request.setAmount(amount);
    request.setPayer(payer);
    return request;
  }

  private Transaction query(String number) {
    var request = new QueryOrderByOutTradeNoRequest();
    request.setMchid(World.MERCHANT);
    request.setOutTradeNo(number);
    return service.queryOrderByOutTradeNo(request);
  }

  private CreateRequest refund(String number) {
    var amount = new AmountReq();
    amount.setRefund(1L);
    amount.setTotal(1L);
    amount.setCurrency("CNY");
    var request = new CreateRequest();
    request.setOutTradeNo(number);
    request.setOutRefundNo("R" + number);
    request.setAmount(amount);
    return request;
  }

  @Test
  void ordersQueriesRefundsAndCloses() throws Exception {
    var parameters = service.prepayWithRequestPayment(order("J1"));
    String text = String.join("\n", "wx1", parameters.getTimeStamp(), parameters.getNonceStr(), parameters.getPackageVal(), "");
    assertTrue(isSignedByMerchant(text, parameters.getPaySign()));
    World.control("pay/J1");
    assertEquals(Transaction.TradeStateEnum.SUCCESS, query("J1").getTradeState());
    var refunds = new RefundService.Builder().config(config).build();
    assertEquals("RJ1", refunds.create(refund("J1")).getOutRefundNo());
    service.prepayWithRequestPayment(order("J2"));
    var close = new CloseOrderRequest();
    close.setMchid(World.MERCHANT);
    close.setOutTradeNo("J2");
    service.closeOrder(close);
    assertEquals(404, assertThrows(ServiceException.class, () -> refunds.create(refund("none"))).getHttpStatusCode());
  }

  @Test
  void uploadsAndDownloads() throws Exception {
    byte[] picture = {(byte) 0xff, (byte) 0xd8, 0, 13, 10, (byte) 0xff, (byte) 0xd9};
    String digest = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(picture));
    var files = new FileUploadService.Builder().config(config).build();
    String meta = "{\"filename\":\"a.jpg\",\"sha256\":\"" + digest + "\"}";
    assertFalse(files.uploadImage("https://api.mch.weixin.qq.com/v3/merchant/media/upload", meta, "a.jpg", picture).getMediaId().isEmpty());
    var bills = new BillDownloadService.Builder().config(config).build();
    var request = new GetTradeBillRequest();
    request.setBillDate(World.DAY);
    var bill = bills.getTradeBill(request);
    try (var stream = new DefaultHttpClientBuilder().config(config).build().download(bill.getDownloadUrl())) {
      assertTrue(new String(stream.readAllBytes(), StandardCharsets.UTF_8).contains(World.DAY));
    }
  }

  @Test
  void handsOnNoSuccessThatThePlatformDidNotSign() throws Exception {
    World.control("stranger");
    assertThrows(ValidationException.class, () -> query("J1"));
  }

  @Test
  void opensNotificationsAndNothingForged() throws Exception {
    service.prepayWithRequestPayment(order("J3"));
    var posted = World.control("pay/J3");
    var headers = posted.getAsJsonObject("headers");
    String body = Paycert.text(posted, "body");
    var parser = new NotificationParser(config);
    assertEquals("J3", parser.parse(param(headers, body), Transaction.class).getOutTradeNo());
    var forged = param(headers, body.replace("ciphertext", "ciphertexu"));
    assertThrows(ValidationException.class, () -> parser.parse(forged, Transaction.class));
  }

  private static RequestParam param(com.google.gson.JsonObject headers, String body) {
    return new RequestParam.Builder()
        .serialNumber(Paycert.text(headers, "Wechatpay-Serial"))
        .nonce(Paycert.text(headers, "Wechatpay-Nonce"))
        .signature(Paycert.text(headers, "Wechatpay-Signature"))
        .timestamp(Paycert.text(headers, "Wechatpay-Timestamp"))
        .body(body)
        .build();
  }

  @Test
  void encryptsFieldsOfARequestForTheKeyThatItNames() {
    var encryptor = config.createEncryptor();
    assertNotEquals(encryptor.encrypt("张三"), encryptor.encrypt("李四"));
    assertTrue(encryptor.getWechatpaySerial().matches("[0-9A-F]{40}|PUB_KEY_ID_.*"));
  }

  private static boolean isSignedByMerchant(String text, String signature) throws Exception {
    String pem = World.env("MERCHANT_PUBLIC_KEY").replaceAll("-----[^-]+-----|\\s", "");
    var verifier = Signature.getInstance("SHA256withRSA");
    verifier.initVerify(KeyFactory.getInstance("RSA").generatePublic(new X509EncodedKeySpec(Base64.getDecoder().decode(pem))));
    verifier.update(text.getBytes(StandardCharsets.UTF_8));
    return verifier.verify(Base64.getDecoder().decode(signature));
  }
}
