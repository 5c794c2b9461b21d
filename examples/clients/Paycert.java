// Asks paycert's sidecar, the same way for every platform. Java 17, nothing else: put it and Json.java beside your program.
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.URI;
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

final class Paycert {
  private static final String SOCKET =
      System.getenv().getOrDefault("PAYCERT_SOCKET", "/run/paycert/paycert.sock");
  // It follows no redirect: a signature is good for one address.
  private static final HttpClient PLATFORMS = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();

  /** Anything but a 200: status 422 means no, 503 means later. The code is one of docs/errors.md. */
  static final class Refused extends IOException {
    final String code;
    final int status;

    Refused(String operation, Map<String, ?> problem) {
      super(operation + ": " + problem.get("title") + ": " + problem.get("detail"));
      code = (String) problem.get("title");
      status = ((Number) problem.get("status")).intValue();
    }
  }

  /** What paycert answers. Throws Refused unless that is a 200. */
  static Map<String, Object> ask(String credential, String operation, Map<String, ?> question) throws IOException {
    byte[] body = Json.write(question).getBytes(StandardCharsets.UTF_8);
    // java.net.http has no Unix sockets: one connection for each call, which the sidecar closes after its answer.
    String head = "POST /v1/credentials/" + credential + "/" + operation + " HTTP/1.1\r\nHost: paycert\r\n"
        + "Content-Type: application/json\r\nContent-Length: " + body.length + "\r\nConnection: close\r\n\r\n";
    String answer;
    try (var channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.connect(UnixDomainSocketAddress.of(SOCKET));
      var out = Channels.newOutputStream(channel);
      out.write(head.getBytes(StandardCharsets.US_ASCII));
      out.write(body);
      answer = new String(Channels.newInputStream(channel).readAllBytes(), StandardCharsets.UTF_8);
    }
    int end = answer.indexOf("\r\n\r\n"); // a status line, headers, an empty line, JSON
    if (end < 0) throw new IOException(operation + ": the sidecar hung up");
    Map<String, Object> result = Json.read(answer.substring(end + 4));
    if (!answer.startsWith("HTTP/1.1 200 ")) throw new Refused(operation, result);
    return result;
  }

  /** Has the request signed, sends what comes back to the letter, and returns the answer as verify takes it. */
  static Map<String, Object> send(String credential, Map<String, ?> request) throws IOException, InterruptedException {
    var signed = ask(credential, "authorize", request);
    Object body = signed.getOrDefault("body", request.get("body"));
    var outgoing = HttpRequest.newBuilder(URI.create((String) signed.get("url"))).timeout(Duration.ofSeconds(10))
        .method((String) signed.get("method"), body == null ? BodyPublishers.noBody() : BodyPublishers.ofString((String) body));
    ((Map<?, ?>) signed.get("headers")).forEach((name, value) -> outgoing.header((String) name, (String) value));
    var incoming = PLATFORMS.send(outgoing.build(), BodyHandlers.ofByteArray());

    Map<String, String> headers = new LinkedHashMap<>();
    incoming.headers().map().forEach((name, values) -> headers.put(name, values.get(0)));
    headers.remove(":status"); // of HTTP/2
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("kind", "response");
    answer.put("method", signed.get("method"));
    answer.put("url", signed.get("url"));
    if (request.containsKey("apiMethod")) answer.put("apiMethod", request.get("apiMethod"));
    answer.put("status", incoming.statusCode());
    answer.put("headers", headers);
    answer.put("bodyBase64", Base64.getEncoder().encodeToString(incoming.body()));
    return answer;
  }

  /** Its body, proven or not. */
  static String body(Map<String, ?> answer) {
    return new String(Base64.getDecoder().decode((String) answer.get("bodyBase64")), StandardCharsets.UTF_8);
  }

  /** The answer's body if the platform has signed it. Throws otherwise. */
  static String verify(String credential, Map<String, ?> answer) throws IOException {
    ask(credential, "verify", answer);
    return body(answer);
  }
}
