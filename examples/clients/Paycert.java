// Asks paycert's sidecar, the same way for every platform. Java 17, nothing else: put it and Json.java beside your program.
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnixDomainSocketAddress;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

final class Paycert {
  private static final String SOCKET =
      System.getenv().getOrDefault("PAYCERT_SOCKET", "/run/paycert/paycert.sock");
  // It follows no redirect: a signature is good for one address.
  private static final HttpClient PLATFORMS = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();

  private static final ScheduledExecutorService DEADLINES = Executors.newSingleThreadScheduledExecutor(work -> {
    var thread = new Thread(work, "paycert deadlines");
    thread.setDaemon(true);
    return thread;
  });

  /** Anything but a 200: status 422 means no, 503 means later. The code is one of docs/errors.md, the hint says what to do. */
  static final class Refused extends IOException {
    final String code;
    final String hint;
    final int status;

    Refused(String operation, Map<String, ?> problem) {
      super(operation + ": " + problem.get("title") + ": " + problem.get("detail") + " (" + problem.get("hint") + ")");
      code = (String) problem.get("title");
      hint = (String) problem.get("hint");
      status = ((Number) problem.get("status")).intValue();
    }
  }

  /** What paycert answers. Throws Refused unless that is a 200. */
  static Map<String, Object> ask(String credential, String operation, Map<String, ?> question) throws IOException {
    byte[] body = Json.write(question).getBytes(StandardCharsets.UTF_8);
    // java.net.http has no Unix sockets: one connection for each call, which the sidecar closes after its answer.
    String head = "POST /v1/credentials/" + credential + "/" + operation + " HTTP/1.1\r\nHost: paycert\r\n"
        + "Content-Type: application/json\r\nContent-Length: " + body.length + "\r\nConnection: close\r\n\r\n";
    String response;
    try (var channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      // A channel has no timeout of its own: closing it ends a read that nobody answers.
      var deadline = DEADLINES.schedule(() -> { channel.close(); return null; }, 10, TimeUnit.SECONDS);
      channel.connect(UnixDomainSocketAddress.of(SOCKET));
      var out = Channels.newOutputStream(channel);
      out.write(head.getBytes(StandardCharsets.US_ASCII));
      out.write(body);
      response = new String(Channels.newInputStream(channel).readAllBytes(), StandardCharsets.UTF_8);
      deadline.cancel(false);
    }
    int end = response.indexOf("\r\n\r\n"); // a status line, headers, an empty line, JSON
    if (end < 0) throw new IOException(operation + ": the sidecar hung up");
    Map<String, Object> result = Json.read(response.substring(end + 4));
    if (!response.startsWith("HTTP/1.1 200 ")) throw new Refused(operation, result);
    return result;
  }

  /** Has the request signed, sends exactly what was signed, and returns the response as verify takes it. */
  static Map<String, Object> send(String credential, Map<String, ?> request) throws IOException, InterruptedException {
    var signed = ask(credential, "authorize", request);
    byte[] body = contentOf(contentOf(null, request), signed);
    var outgoing = HttpRequest.newBuilder(addressOf((String) signed.get("url"))).timeout(Duration.ofSeconds(10))
        .method((String) signed.get("method"), body == null ? BodyPublishers.noBody() : BodyPublishers.ofByteArray(body));
    ((Map<?, ?>) signed.get("headers")).forEach((name, value) -> outgoing.header((String) name, (String) value));
    var incoming = PLATFORMS.send(outgoing.build(), BodyHandlers.ofByteArray());
    if (incoming.statusCode() < 200) throw new IOException("the platform sent " + incoming.statusCode() + " before its response");

    Map<String, String> headers = new LinkedHashMap<>();
    incoming.headers().map().forEach((name, values) -> headers.put(name, values.get(0)));
    headers.remove(":status"); // of HTTP/2
    Map<String, Object> response = new LinkedHashMap<>();
    response.put("kind", "response");
    response.put("method", signed.get("method"));
    response.put("url", signed.get("url"));
    if (request.containsKey("apiMethod")) response.put("apiMethod", request.get("apiMethod"));
    response.put("status", incoming.statusCode());
    response.put("headers", headers);
    response.put("bodyBase64", Base64.getEncoder().encodeToString(incoming.body()));
    return response;
  }

  /** The body of a request: paycert returns it where another one was signed than was given. */
  private static byte[] contentOf(byte[] otherwise, Map<String, ?> message) {
    if (message.get("bodyBase64") instanceof String encoded) return Base64.getDecoder().decode(encoded);
    return message.get("body") instanceof String text ? text.getBytes(StandardCharsets.UTF_8) : otherwise;
  }

  /** java.net.http drops a final question mark and takes no {, }, ", < or >: better no request than one that was not signed. */
  private static URI addressOf(String url) throws IOException {
    try {
      if (url.indexOf('?') != url.length() - 1) return new URI(url);
    } catch (URISyntaxException refused) {
      throw new IOException("java.net.http cannot send this address as it was signed: percent-encode it", refused);
    }
    throw new IOException("java.net.http cannot send this address as it was signed: drop its final question mark");
  }

  /** Its body, proven or not. */
  static String body(Map<String, ?> response) {
    return new String(Base64.getDecoder().decode((String) response.get("bodyBase64")), StandardCharsets.UTF_8);
  }

  /** The response's body if the platform has signed it. Throws otherwise. */
  static String verify(String credential, Map<String, ?> response) throws IOException {
    ask(credential, "verify", response);
    return body(response);
  }
}
