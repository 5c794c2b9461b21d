// Receives what the platforms post, and answers each as it wants to be answered: javac *.java && PORT=8080 java Receiver DIRECTORY
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Executors;

public class Receiver {
  record Platform(String credential, int status, String success, String failure) {}

  private static final String XML = "<xml><return_code>%s</return_code></xml>";
  private static final Map<String, Platform> PLATFORMS = Map.of(
      "/wechatpay", new Platform("wechat-main", 204, "", "{\"code\":\"FAIL\"}"),
      "/wechatpay-v2", new Platform("wechat-v2", 200, XML.formatted("SUCCESS"), XML.formatted("FAIL")),
      "/alipay", new Platform("alipay-main", 200, "success", "fail"));

  /** Yours: act once for each id, and only then return. Here a file is the order book. */
  static void store(String directory, Map<String, Object> notification) throws IOException {
    var name = URLEncoder.encode((String) notification.get("id"), StandardCharsets.UTF_8) + ".json";
    Files.writeString(Path.of(directory, name), Json.write(notification));
  }

  /**
   * 401: it is forged. 500: it may be genuine, and the fault is here. 503: paycert is not ready. All three make the platform
   * send it again.
   */
  static int receive(String credential, HttpExchange exchange, byte[] raw, String directory) {
    var headers = new HashMap<String, String>();
    exchange.getRequestHeaders().forEach((name, values) -> headers.put(name, values.get(0)));
    Map<String, Object> notification;
    try {
      notification = Paycert.ask(credential, "notification",
          Map.of("headers", headers, "bodyBase64", Base64.getEncoder().encodeToString(raw)));
    } catch (Paycert.Refused refused) {
      System.err.println(refused.code);
      if (refused.status >= 500) return 503;
      return refused.code.matches("(signature|timestamp|message)-.*") ? 401 : 500;
    } catch (IOException unreachable) {
      System.err.println(unreachable);
      return 503;
    }
    try {
      store(directory, notification);
      return 200;
    } catch (IOException | RuntimeException failed) {
      System.err.println(failed);
      return 500;
    }
  }

  public static void main(String[] args) throws IOException {
    var server = HttpServer.create(new InetSocketAddress(Integer.parseInt(System.getenv("PORT"))), 0);
    server.setExecutor(Executors.newFixedThreadPool(16));
    server.createContext("/", exchange -> {
      var platform = PLATFORMS.get(exchange.getRequestURI().getPath());
      int status = 404;
      String text = "";
      if (platform != null) {
        // The bytes as they came: parsed and written again they would not verify.
        byte[] raw = exchange.getRequestBody().readNBytes((1 << 19) + 1);
        status = raw.length > 1 << 19 ? 413 : receive(platform.credential, exchange, raw, args[0]);
        text = status == 200 ? platform.success : platform.failure;
        if (status == 200) status = platform.status;
      }
      exchange.sendResponseHeaders(status, text.isEmpty() ? -1 : text.length());
      exchange.getResponseBody().write(text.getBytes(StandardCharsets.UTF_8));
      exchange.close();
    });
    server.start();
    System.out.println(server.getAddress());
  }
}
