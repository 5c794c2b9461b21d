// Handlers as the SDKs have them, behind `deliver: raw`: they verify and open again what was handed on, over the bytes that came.
package dev.paycert.adapters;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.alipay.api.AlipayApiException;
import com.alipay.api.internal.util.AlipaySignature;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.wechat.pay.java.core.exception.ValidationException;
import com.wechat.pay.java.core.notification.NotificationParser;
import com.wechat.pay.java.core.notification.RSANotificationConfig;
import com.wechat.pay.java.core.notification.RequestParam;
import com.wechat.pay.java.service.payments.model.Transaction;
import java.io.File;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import org.junit.jupiter.api.Test;

final class HandlerTest {
  /** What the application has acted on. */
  private final List<String> handled = new ArrayList<>();

  private interface Handler {
    int statusOf(HttpExchange exchange, byte[] body) throws IOException;
  }

  /** Runs while the application listens where notifications are handed on to. */
  private void whileListening(Handler handler, String... notifications) throws Exception {
    var server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(World.env("APPLICATION_PORT"))), 0);
    server.createContext("/notified", exchange -> {
      var body = exchange.getRequestBody().readAllBytes();
      exchange.sendResponseHeaders(handler.statusOf(exchange, body), -1);
      exchange.close();
    });
    server.start();
    try {
      for (var notification : notifications) {
        var answer = World.control("notify/" + notification);
        assertEquals(notification.startsWith("A") ? 200 : 204, answer.get("status").getAsInt(), answer.toString());
      }
    } finally {
      server.stop(0);
    }
  }

  @Test
  void wechatpayJavaVerifiesAndOpensANotification() throws Exception {
    var paths = Arrays.stream(new File(World.env("WECHAT_PLATFORM_CERTIFICATES")).listFiles()).map(File::getPath).toArray(String[]::new);
    var config = new RSANotificationConfig.Builder().apiV3Key(World.env("WECHAT_APIV3_KEY")).certificatesFromPath(paths).build();
    var parser = new NotificationParser(config);
    whileListening((exchange, body) -> {
      var headers = exchange.getRequestHeaders();
      var request = new RequestParam.Builder()
        .serialNumber(headers.getFirst("Wechatpay-Serial"))
        .nonce(headers.getFirst("Wechatpay-Nonce"))
        .signature(headers.getFirst("Wechatpay-Signature"))
        .timestamp(headers.getFirst("Wechatpay-Timestamp"))
        .body(new String(body, StandardCharsets.UTF_8))
        .build();
      try {
        var paid = parser.parse(request, Transaction.class);
        handled.add(paid.getOutTradeNo() + " " + paid.getAttach());
        return 204;
      } catch (ValidationException error) {
        return 401;
      }
    }, "W1", "W1", "W2");
    assertEquals(List.of("W1 支付", "W2 支付"), handled);
  }

  @Test
  void alipaySdkJavaVerifiesANotification() throws Exception {
    var key = World.env("ALIPAY_PUBLIC_KEY").replaceAll("-----[^-]+-----|\\s", "");
    whileListening((exchange, body) -> {
      var parameters = new HashMap<String, String>();
      for (var pair : new String(body, StandardCharsets.US_ASCII).split("&")) {
        var parts = pair.split("=", 2);
        parameters.put(parts[0], URLDecoder.decode(parts[1], StandardCharsets.UTF_8));
      }
      try {
        if (!AlipaySignature.rsaCheckV1(parameters, key, "UTF-8", "RSA2")) return 401;
      } catch (AlipayApiException error) {
        return 401;
      }
      handled.add(parameters.get("out_trade_no") + " " + parameters.get("subject"));
      return 200;
    }, "A1", "A1");
    assertEquals(List.of("A1 手机 +%&="), handled);
  }
}
