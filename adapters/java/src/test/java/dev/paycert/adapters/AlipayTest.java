// alipay-sdk-java through the adapter: to the gateway itself, without a key.
package dev.paycert.adapters;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.alipay.api.AlipayApiException;
import com.alipay.api.AlipayRequest;
import com.alipay.api.AlipayResponse;
import com.alipay.api.request.AlipayTradeAppPayRequest;
import com.alipay.api.request.AlipayTradeCloseRequest;
import com.alipay.api.request.AlipayTradePagePayRequest;
import com.alipay.api.request.AlipayTradePayRequest;
import com.alipay.api.request.AlipayTradeQueryRequest;
import com.alipay.api.request.AlipayTradeRefundRequest;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import org.junit.jupiter.api.Test;

final class AlipayTest {
  private static final String ORDER = "{\"out_trade_no\":\"20260101001\",\"total_amount\":\"9.00\",\"subject\":\"手机 +%&=\"}";
  private final String gateway = World.env("ALIPAY_KEYED_GATEWAY");
  private final Paycert paycert = new Paycert("alipay-keyed", World.env("PAYCERT_KEYED_SOCKET"));
  private final PaycertAlipayClient client = new PaycertAlipayClient(gateway, World.APP, paycert);

  @Test
  void paysQueriesRefundsAndCloses() throws Exception {
    var pay = new AlipayTradePayRequest();
    pay.setBizContent(ORDER);
    var query = new AlipayTradeQueryRequest();
    query.setBizContent(ORDER);
    var refund = new AlipayTradeRefundRequest();
    refund.setBizContent(ORDER);
    var close = new AlipayTradeCloseRequest();
    close.setBizContent(ORDER);
    for (AlipayRequest<? extends AlipayResponse> request : List.of(pay, query, refund, close))
      assertEquals("10000", client.execute(request).getCode(), request.getApiMethodName());
  }

  @Test
  void signsPagesAndStringsForApps() throws Exception {
    var page = new AlipayTradePagePayRequest();
    page.setBizContent(ORDER.replace("001", "002"));
    page.setReturnUrl("https://shop.example/back?a=1&b=2");
    var request = HttpRequest.newBuilder(URI.create(client.pageExecute(page, "GET").getBody())).build();
    assertEquals(302, HttpClient.newHttpClient().send(request, BodyHandlers.discarding()).statusCode());
    var app = new AlipayTradeAppPayRequest();
    app.setBizContent(ORDER);
    assertTrue(client.sdkExecute(app).getBody().contains("sign="));
  }

  @Test
  void handsOnNoSuccessThatThePlatformDidNotSign() {
    var stranger = new PaycertAlipayClient(World.env("ALIPAY_STRANGE_GATEWAY"), World.APP, paycert);
    var query = new AlipayTradeQueryRequest();
    query.setBizContent(ORDER);
    assertThrows(AlipayApiException.class, () -> stranger.execute(query));
  }
}
