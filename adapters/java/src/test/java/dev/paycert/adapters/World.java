// Where the sidecar and its proxy are, and what makes the doubles of the platforms misbehave.
package dev.paycert.adapters;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;

final class World {
  static final String MERCHANT = "1900000001";
  static final String APP = "2021000000000001";
  static final String DAY = "2026-01-01";

  static String env(String name) {
    String value = System.getenv(name);
    if (value == null) throw new IllegalStateException(name + " is not set: node --test test/adapters/java.test.ts sets it");
    return value;
  }

  /** The base URL of a credential at the signing proxy, with the token in its path. */
  static String proxied(String credential) {
    return env("PAYCERT_PROXY") + "/~" + env("PAYCERT_PROXY_TOKEN") + "/" + credential;
  }

  /** At a proxy that signs verified responses again, with the identity below. */
  static String resigning(String credential) {
    return env("PAYCERT_RESIGNING_PROXY") + "/" + credential;
  }

  static String identity(String name) throws Exception {
    return Files.readString(Path.of(env("PAYCERT_IDENTITY"), name)).strip();
  }

  static JsonObject control(String what) throws Exception {
    var request = HttpRequest.newBuilder(URI.create("https://control.example/" + what)).build();
    var answer = HttpClient.newBuilder().proxy(java.net.ProxySelector.getDefault()).build().send(request, BodyHandlers.ofString());
    return new Gson().fromJson(answer.body(), JsonObject.class);
  }

  private World() {}
}
