// The SDKs as they are, through the signing proxy: with another base URL and a key that was made here.
package dev.paycert.adapters;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.alipay.api.AlipayRequest;
import com.alipay.api.AlipayResponse;
import com.alipay.api.DefaultAlipayClient;
import com.alipay.api.FileItem;
import com.alipay.api.request.AlipayDataDataserviceBillDownloadurlQueryRequest;
import com.alipay.api.request.AlipayOfflineMaterialImageUploadRequest;
import com.alipay.api.request.AlipayOpenAppAlipaycertDownloadRequest;
import com.alipay.api.request.AlipayTradeCloseRequest;
import com.alipay.api.request.AlipayTradePayRequest;
import com.alipay.api.request.AlipayTradeQueryRequest;
import com.alipay.api.request.AlipayTradeRefundRequest;
import com.aliyun.dysmsapi20170525.Client;
import com.aliyun.dysmsapi20170525.models.QuerySendDetailsRequest;
import com.aliyun.dysmsapi20170525.models.SendSmsRequest;
import com.google.gson.JsonObject;
import com.wechat.pay.java.core.Config;
import com.wechat.pay.java.core.RSAConfig;
import com.wechat.pay.java.core.RSAPublicKeyConfig;
import com.wechat.pay.java.core.http.DefaultHttpClientBuilder;
import com.wechat.pay.java.core.http.HttpClient;
import com.wechat.pay.java.core.http.HttpHeaders;
import com.wechat.pay.java.service.billdownload.model.QueryBillEntity;
import com.wechat.pay.java.service.file.FileUploadService;
import com.wechat.pay.java.service.payments.nativepay.NativePayService;
import com.wechat.pay.java.service.payments.nativepay.model.Amount;
import com.wechat.pay.java.service.payments.nativepay.model.CloseOrderRequest;
import com.wechat.pay.java.service.payments.nativepay.model.PrepayRequest;
import com.wechat.pay.java.service.payments.nativepay.model.QueryOrderByOutTradeNoRequest;
import com.wechat.pay.java.service.payments.model.Transaction;
import com.wechat.pay.java.service.refund.RefundService;
import com.wechat.pay.java.service.refund.model.AmountReq;
import com.wechat.pay.java.service.refund.model.CreateRequest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import okhttp3.OkHttpClient;
import org.junit.jupiter.api.Test;

final class ProxyTest {
  private static final String PLATFORM = "https://api.mch.weixin.qq.com/";
  static final byte[] PICTURE = {(byte) 0xff, (byte) 0xd8, 0, 13, 10, (byte) 0xff, (byte) 0xd9};

  static String throwAwayKey() throws Exception {
    var generator = KeyPairGenerator.getInstance("RSA");
    generator.initialize(2048);
    return Base64.getEncoder().encodeToString(generator.generateKeyPair().getPrivate().getEncoded());
  }

  /** The SDK has its hosts in an enum; what it takes is an OkHttpClient, which may send elsewhere. */
  private static HttpClient wechatPay(Config config, String address) {
    var sender = new OkHttpClient.Builder().addInterceptor(chain -> {
      var request = chain.request();
      String target = request.url().toString().replace(PLATFORM, address + "/");
      return chain.proceed(request.newBuilder().url(target).build());
    });
    return new DefaultHttpClientBuilder().config(config).okHttpClient(sender.build()).build();
  }

  private static Config withPlatformCertificates() throws Exception {
    try (var files = Files.list(Path.of(World.env("WECHAT_PLATFORM_CERTIFICATES")))) {
      return new RSAConfig.Builder().merchantId(World.MERCHANT).merchantSerialNumber("ABCDEF").privateKey(throwAwayKey())
          .wechatPayCertificates(files.map(ProxyTest::read).toArray(String[]::new)).build();
    }
  }

  private static Config withThrowAwayIdentity() throws Exception {
    return new RSAPublicKeyConfig.Builder().merchantId(World.MERCHANT).merchantSerialNumber("ABCDEF").privateKey(throwAwayKey())
        .publicKey(World.identity("pub_key.pem")).publicKeyId(World.identity("pub_key_id")).apiV3Key("0".repeat(32)).build();
  }

  private static String read(Path path) {
    try {
      return Files.readString(path);
    } catch (java.io.IOException cause) {
      throw new java.io.UncheckedIOException(cause);
    }
  }

  @Test
  void wechatPayMakesEveryCallAndVerifiesWithPlatformCertificates() throws Exception {
    everyCallOfWechatPay(wechatPay(withPlatformCertificates(), World.proxied("wechat-main")), "K");
  }

  @Test
  void wechatPayMakesEveryCallAndVerifiesWithAThrowAwayIdentity() throws Exception {
    everyCallOfWechatPay(wechatPay(withThrowAwayIdentity(), World.resigning("wechat-main")), "W");
  }

  private static void everyCallOfWechatPay(HttpClient client, String prefix) throws Exception {
    String paid = prefix + "1";
    String closed = prefix + "2";
    var service = new NativePayService.Builder().httpClient(client).build();
    for (String number : List.of(paid, closed)) {
      var amount = new Amount();
      amount.setTotal(1);
      var order = new PrepayRequest();
      order.setAppid("wx1");
      order.setMchid(World.MERCHANT);
      order.setDescription("手机");
      order.setOutTradeNo(number);
      order.setNotifyUrl("https://shop.example/paid");
      order.setAmount(amount);
      assertTrue(service.prepay(order).getCodeUrl().startsWith("weixin://"));
    }
    World.control("pay/" + paid);
    var query = new QueryOrderByOutTradeNoRequest();
    query.setMchid(World.MERCHANT);
    query.setOutTradeNo(paid);
    assertEquals(Transaction.TradeStateEnum.SUCCESS, service.queryOrderByOutTradeNo(query).getTradeState());
    var amount = new AmountReq();
    amount.setRefund(1L);
    amount.setTotal(1L);
    amount.setCurrency("CNY");
    var refund = new CreateRequest();
    refund.setOutTradeNo(paid);
    refund.setOutRefundNo("R" + paid);
    refund.setAmount(amount);
    assertEquals("R" + paid, new RefundService.Builder().httpClient(client).build().create(refund).getOutRefundNo());
    var close = new CloseOrderRequest();
    close.setMchid(World.MERCHANT);
    close.setOutTradeNo(closed);
    service.closeOrder(close);

    String digest = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(PICTURE));
    String meta = "{\"filename\":\"a.jpg\",\"sha256\":\"" + digest + "\"}";
    var files = new FileUploadService.Builder().httpClient(client).build();
    assertFalse(files.uploadImage(PLATFORM + "v3/merchant/media/upload", meta, "a.jpg", PICTURE).getMediaId().isEmpty());

    var headers = new HttpHeaders();
    headers.addHeader("Accept", "application/json");
    var certificates = client.get(headers, PLATFORM + "v3/certificates", JsonObject.class);
    assertFalse(certificates.getServiceResponse().getAsJsonArray("data").isEmpty());

    var bill = client.get(headers, PLATFORM + "v3/bill/tradebill?bill_date=" + World.DAY, QueryBillEntity.class).getServiceResponse();
    try (var stream = client.download(bill.getDownloadUrl())) {
      assertTrue(new String(stream.readAllBytes(), StandardCharsets.UTF_8).contains(World.DAY));
    }
  }

  @Test
  void alipayMakesEveryCallAndVerifiesWithThePlatformsKey() throws Exception {
    String key = World.env("ALIPAY_PUBLIC_KEY").replaceAll("-----[^-]+-----|\\s", "");
    everyCallOfAlipay(World.proxied("alipay-main"), key, "20260101003");
  }

  @Test
  void alipayMakesEveryCallAndVerifiesWithAThrowAwayIdentity() throws Exception {
    everyCallOfAlipay(World.resigning("alipay-main"), World.identity("alipay_public_key"), "20260101004");
  }

  private static void everyCallOfAlipay(String address, String key, String number) throws Exception {
    var client = new DefaultAlipayClient(address + "/gateway.do", World.APP, throwAwayKey(), "json", "UTF-8", key, "RSA2");
    String order = "{\"out_trade_no\":\"" + number + "\",\"total_amount\":\"9.00\",\"subject\":\"手机 +%&=\"}";
    var pay = new AlipayTradePayRequest();
    pay.setBizContent(order);
    var query = new AlipayTradeQueryRequest();
    query.setBizContent(order);
    var refund = new AlipayTradeRefundRequest();
    refund.setBizContent(order);
    var close = new AlipayTradeCloseRequest();
    close.setBizContent(order);
    var certificate = new AlipayOpenAppAlipaycertDownloadRequest();
    certificate.setBizContent("{\"alipay_cert_sn\":\"" + World.env("ALIPAY_CERT_SN") + "\"}");
    var upload = new AlipayOfflineMaterialImageUploadRequest();
    upload.setImageType("jpg");
    upload.setImageName("海底捞");
    upload.setImageContent(new FileItem("a.jpg", PICTURE));
    var bill = new AlipayDataDataserviceBillDownloadurlQueryRequest();
    bill.setBizContent("{\"bill_type\":\"trade\",\"bill_date\":\"" + World.DAY + "\"}");
    for (AlipayRequest<? extends AlipayResponse> request : List.of(pay, query, refund, close, certificate, upload, bill))
      assertEquals("10000", client.execute(request).getCode(), request.getApiMethodName());
  }

  @Test
  void aliyunSendsAMessageAndQueriesItByThePlatformsOwnAddress() throws Exception {
    String proxy = World.env("PAYCERT_PROXY").replace("http://", "http://paycert:" + World.env("PAYCERT_PROXY_TOKEN") + "@");
    var config = new com.aliyun.teaopenapi.models.Config()
        .setAccessKeyId("paycert").setAccessKeySecret("paycert")
        .setEndpoint("dysmsapi.aliyuncs.com").setProtocol("HTTP").setHttpProxy(proxy);
    var request = new SendSmsRequest().setPhoneNumbers("13800000000").setSignName("店").setTemplateCode("SMS_1");
    var client = new Client(config);
    assertEquals("OK", client.sendSms(request).getBody().getCode());
    var query = new QuerySendDetailsRequest().setPhoneNumber("13800000000").setSendDate("20260101").setPageSize(1L).setCurrentPage(1L);
    assertFalse(client.querySendDetails(query).getBody().getRequestId().isEmpty());
  }
}
