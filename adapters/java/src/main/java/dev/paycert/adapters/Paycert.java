// One credential of a paycert sidecar, over its Unix socket: what the adapters beside it are made of.
package dev.paycert.adapters;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** Safe for any number of threads. */
public final class Paycert {
  private static final int SECONDS = 10;
  private static final Gson GSON = new Gson();

  private static final ScheduledExecutorService DEADLINES = Executors.newSingleThreadScheduledExecutor(work -> {
    var thread = new Thread(work, "paycert deadlines");
    thread.setDaemon(true);
    return thread;
  });

  private final String credential;
  private final String socket;

  /** At the socket that PAYCERT_SOCKET names, or /run/paycert/paycert.sock. */
  public Paycert(String credential) {
    this(credential, System.getenv().getOrDefault("PAYCERT_SOCKET", "/run/paycert/paycert.sock"));
  }

  public Paycert(String credential, String socket) {
    this.credential = credential;
    this.socket = socket;
  }

  /** Anything but a 200: status 422 means no, 503 means later. The code is one of docs/errors.md, the hint says what to do. */
  public static final class Refused extends RuntimeException {
    public final String code;
    public final String hint;
    public final int status;

    Refused(String operation, JsonObject problem) {
      super(operation + ": " + text(problem, "title") + ": " + text(problem, "detail") + " (" + text(problem, "hint") + ")");
      code = text(problem, "title");
      hint = text(problem, "hint");
      status = problem.get("status").getAsInt();
    }
  }

  /** There was no answer: the sidecar is being restarted, or is not there. */
  public static final class Unreachable extends RuntimeException {
    Unreachable(String operation, IOException cause) {
      super(operation + ": no answer of the sidecar", cause);
    }
  }

  /**
   * Any call of the local API (docs/api.md).
   *
   * @throws Refused unless it is a 200
   * @throws Unreachable without an answer
   */
  public JsonObject ask(String operation, Map<String, ?> question) {
    return call("POST", operation, "/" + operation, GSON.toJson(question));
  }

  /** What is known of the credential and of its keys; no secret is in it. */
  JsonObject status() {
    return call("GET", "status", "", "");
  }

  static String text(JsonObject object, String name) {
    var member = object.get(name);
    return member == null ? "" : member.getAsString();
  }

  private JsonObject call(String method, String operation, String path, String question) {
    byte[] body = question.getBytes(StandardCharsets.UTF_8);
    // java.net.http has no Unix sockets: one connection for each call, which the sidecar closes after its answer.
    String head = method + " /v1/credentials/" + credential + path + " HTTP/1.1\r\nHost: paycert\r\nConnection: close\r\n"
        + (body.length == 0 ? "" : "Content-Type: application/json\r\nContent-Length: " + body.length + "\r\n") + "\r\n";
    String response;
    try (var channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      // A channel has no timeout of its own: closing it ends a read that nobody answers.
      var deadline = DEADLINES.schedule(() -> { channel.close(); return null; }, SECONDS, TimeUnit.SECONDS);
      channel.connect(UnixDomainSocketAddress.of(socket));
      var out = Channels.newOutputStream(channel);
      out.write(head.getBytes(StandardCharsets.US_ASCII));
      out.write(body);
      response = new String(Channels.newInputStream(channel).readAllBytes(), StandardCharsets.UTF_8);
      deadline.cancel(false);
    } catch (IOException cause) {
      throw new Unreachable(operation, cause);
    }
    int end = response.indexOf("\r\n\r\n"); // a status line, headers, an empty line, JSON
    if (end < 0) throw new Unreachable(operation, new IOException("it hung up"));
    var result = GSON.fromJson(response.substring(end + 4), JsonObject.class);
    if (!response.startsWith("HTTP/1.1 200 ")) throw new Refused(operation, result);
    return result;
  }
}
