// Alipay's SDK for v3 as it is, through the signing proxy: with another base URL and a key that was made here.
package dev.paycert.adapters;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.alipay.v3.ApiClient;
import com.alipay.v3.ApiException;
import com.alipay.v3.api.AlipayDataDataserviceBillDownloadurlApi;
import com.alipay.v3.api.AlipayOfflineMaterialImageApi;
import com.alipay.v3.api.AlipayTradeApi;
import com.alipay.v3.model.AlipayOfflineMaterialImageUploadModel;
import com.alipay.v3.model.AlipayTradeCloseModel;
import com.alipay.v3.model.AlipayTradePayModel;
import com.alipay.v3.model.AlipayTradeQueryModel;
import com.alipay.v3.model.AlipayTradeRefundModel;
import com.alipay.v3.util.model.AlipayConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class AlipayV3Test {
  private static ApiClient client(String address, String key) throws Exception {
    var config = new AlipayConfig();
    config.setServerUrl(address);
    config.setAppId(World.APP);
    config.setPrivateKey(ProxyTest.throwAwayKey());
    config.setAlipayPublicKey(key);
    var client = new ApiClient();
    client.setAlipayConfig(config);
    return client;
  }

  private static String alipaysKey() {
    return World.env("ALIPAY_PUBLIC_KEY").replaceAll("-----[^-]+-----|\\s", "");
  }

  @Test
  void makesEveryCallAndVerifiesWithThePlatformsKey() throws Exception {
    everyCall(client(World.proxied("alipay-main"), alipaysKey()));
  }

  @Test
  void makesEveryCallAndVerifiesWithAThrowAwayIdentity() throws Exception {
    everyCall(client(World.resigning("alipay-main"), World.identity("alipay_public_key")));
  }

  /** It verifies what the proxy hands on, with the key that it was given. */
  @Test
  void refusesAResponseOfAnotherKey() throws Exception {
    var trades = new AlipayTradeApi(client(World.proxied("alipay-main"), World.identity("alipay_public_key")));
    var query = new AlipayTradeQueryModel();
    query.setOutTradeNo("20260101005");
    assertThrows(ApiException.class, () -> trades.query(query));
  }

  /** The double gives back the address that was called. */
  private static void everyCall(ApiClient client) throws Exception {
    var trades = new AlipayTradeApi(client);
    var pay = new AlipayTradePayModel();
    pay.setOutTradeNo("20260101005");
    pay.setTotalAmount("9.00");
    pay.setSubject("手机 +%&=");
    assertCalled("/v3/alipay/trade/pay", trades.pay(pay).getAdditionalProperties());
    var query = new AlipayTradeQueryModel();
    query.setOutTradeNo("20260101005");
    assertCalled("/v3/alipay/trade/query", trades.query(query).getAdditionalProperties());
    var refund = new AlipayTradeRefundModel();
    refund.setOutTradeNo("20260101005");
    refund.setRefundAmount("9.00");
    assertCalled("/v3/alipay/trade/refund", trades.refund(refund).getAdditionalProperties());
    var close = new AlipayTradeCloseModel();
    close.setOutTradeNo("20260101005");
    assertCalled("/v3/alipay/trade/close", trades.close(close).getAdditionalProperties());

    Path picture = Files.createTempFile("paycert", ".jpg");
    Files.write(picture, ProxyTest.PICTURE);
    var upload = new AlipayOfflineMaterialImageUploadModel();
    upload.setImageType("jpg");
    upload.setImageName("海底捞");
    var uploaded = new AlipayOfflineMaterialImageApi(client).upload(upload, picture.toFile());
    assertCalled("/v3/alipay/offline/material/image/upload", uploaded.getAdditionalProperties());
    Files.delete(picture);

    var bill = new AlipayDataDataserviceBillDownloadurlApi(client).query("trade", World.DAY, null);
    var called = String.valueOf(bill.getAdditionalProperties().get("path"));
    assertTrue(called.startsWith("/v3/alipay/data/dataservice/bill/downloadurl/query?"), called);
  }

  private static void assertCalled(String path, Map<String, Object> answered) {
    assertEquals(path, answered.get("path"));
  }
}
