// The SDKs as they are, through the signing proxy: with another base URL and a key that was made here.
package dev.paycert.adapters;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.alipay.api.AlipayRequest;
import com.alipay.api.AlipayResponse;
import com.alipay.api.DefaultAlipayClient;
import com.alipay.api.request.AlipayTradeCloseRequest;
import com.alipay.api.request.AlipayTradePayRequest;
import com.alipay.api.request.AlipayTradeQueryRequest;
import com.alipay.api.request.AlipayTradeRefundRequest;
import com.aliyun.dysmsapi20170525.Client;
import com.aliyun.dysmsapi20170525.models.SendSmsRequest;
import com.google.gson.JsonObject;
import com.wechat.pay.java.core.RSAConfig;
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

  private static String throwAwayKey() throws Exception {
    var generator = KeyPairGenerator.getInstance("RSA");
    generator.initialize(2048);
    return Base64.getEncoder().encodeToString(generator.generateKeyPair().getPrivate().getEncoded());
  }

  /** The SDK has its hosts in an enum; what it takes is an OkHttpClient, which may send elsewhere. */
  private static HttpClient wechatPay() throws Exception {
    var builder = new RSAConfig.Builder().merchantId(World.MERCHANT).merchantSerialNumber("ABCDEF").privateKey(throwAwayKey());
    try (var files = Files.list(Path.of(World.env("WECHAT_PLATFORM_CERTIFICATES")))) {
      var certificates = files.map(ProxyTest::read).toArray(String[]::new);
      var config = builder.wechatPayCertificates(certificates).build();
      var sender = new OkHttpClient.Builder().addInterceptor(chain -> {
        var request = chain.request();
        String target = request.url().toString().replace(PLATFORM, World.proxied("wechat-main") + "/");
        return chain.proceed(request.newBuilder().url(target).build());
      });
      return new DefaultHttpClientBuilder().config(config).okHttpClient(sender.build()).build();
    }
  }

  private static String read(Path path) {
    try {
      return Files.readString(path);
    } catch (java.io.IOException cause) {
      throw new java.io.UncheckedIOException(cause);
    }
  }

  @Test
  void wechatPayOrdersQueriesRefundsClosesUploadsAndDownloads() throws Exception {
    var client = wechatPay();
    var service = new NativePayService.Builder().httpClient(client).build();
    for (String number : List.of("K1", "K2")) {
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
    World.control("pay/K1");
    var query = new QueryOrderByOutTradeNoRequest();
    query.setMchid(World.MERCHANT);
    query.setOutTradeNo("K1");
    assertEquals(Transaction.TradeStateEnum.SUCCESS, service.queryOrderByOutTradeNo(query).getTradeState());
    var amount = new AmountReq();
    amount.setRefund(1L);
    amount.setTotal(1L);
    amount.setCurrency("CNY");
    var refund = new CreateRequest();
    refund.setOutTradeNo("K1");
    refund.setOutRefundNo("RK1");
    refund.setAmount(amount);
    assertEquals("RK1", new RefundService.Builder().httpClient(client).build().create(refund).getOutRefundNo());
    var close = new CloseOrderRequest();
    close.setMchid(World.MERCHANT);
    close.setOutTradeNo("K2");
    service.closeOrder(close);

    byte[] picture = {(byte) 0xff, (byte) 0xd8, 0, 13, 10, (byte) 0xff, (byte) 0xd9};
    String digest = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(picture));
    String meta = "{\"filename\":\"a.jpg\",\"sha256\":\"" + digest + "\"}";
    var files = new FileUploadService.Builder().httpClient(client).build();
    assertFalse(files.uploadImage(PLATFORM + "v3/merchant/media/upload", meta, "a.jpg", picture).getMediaId().isEmpty());

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
  void alipayPaysQueriesRefundsAndCloses() throws Exception {
    String key = World.env("ALIPAY_PUBLIC_KEY").replaceAll("-----[^-]+-----|\\s", "");
    var client = new DefaultAlipayClient(
        World.proxied("alipay-main") + "/gateway.do", World.APP, throwAwayKey(), "json", "UTF-8", key, "RSA2");
    String order = "{\"out_trade_no\":\"20260101003\",\"total_amount\":\"9.00\",\"subject\":\"手机 +%&=\"}";
    var pay = new AlipayTradePayRequest();
    pay.setBizContent(order);
    var query = new AlipayTradeQueryRequest();
    query.setBizContent(order);
    var refund = new AlipayTradeRefundRequest();
    refund.setBizContent(order);
    var close = new AlipayTradeCloseRequest();
    close.setBizContent(order);
    for (AlipayRequest<? extends AlipayResponse> request : List.of(pay, query, refund, close))
      assertEquals("10000", client.execute(request).getCode(), request.getApiMethodName());
  }

  @Test
  void aliyunSendsAMessageByThePlatformsOwnAddress() throws Exception {
    String proxy = World.env("PAYCERT_PROXY").replace("http://", "http://paycert:" + World.env("PAYCERT_PROXY_TOKEN") + "@");
    var config = new com.aliyun.teaopenapi.models.Config()
        .setAccessKeyId("paycert").setAccessKeySecret("paycert")
        .setEndpoint("dysmsapi.aliyuncs.com").setProtocol("HTTP").setHttpProxy(proxy);
    var request = new SendSmsRequest().setPhoneNumbers("13800000000").setSignName("店").setTemplateCode("SMS_1");
    assertEquals("OK", new Client(config).sendSms(request).getBody().getCode());
  }
}
