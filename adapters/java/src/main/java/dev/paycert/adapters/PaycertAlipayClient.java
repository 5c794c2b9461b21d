// alipay-sdk-java without a key: its signer and its checker of signatures ask the sidecar.
package dev.paycert.adapters;

import com.alipay.api.AbstractAlipayClient;
import com.alipay.api.AlipayConstants;
import com.alipay.api.Decryptor;
import com.alipay.api.Encryptor;
import com.alipay.api.SignChecker;
import com.alipay.api.Signer;
import java.nio.charset.Charset;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;

/** The SDK, to be used as its documentation says: execute, pageExecute, sdkExecute. For applications in key mode. */
public final class PaycertAlipayClient extends AbstractAlipayClient {
  private final Paycert paycert;

  public PaycertAlipayClient(String serverUrl, String appId, Paycert paycert) {
    super(serverUrl, appId, AlipayConstants.FORMAT_JSON, AlipayConstants.CHARSET_UTF8, AlipayConstants.SIGN_TYPE_RSA2);
    this.paycert = paycert;
  }

  @Override
  public Signer getSigner() {
    return (content, signType, charset) ->
        Paycert.text(paycert.ask("sign", Map.of("messageBase64", encoded(content, charset))), "signature");
  }

  @Override
  public SignChecker getSignChecker() {
    return new SignChecker() {
      @Override
      public boolean check(String content, String signature, String signType, String charset) {
        return platformKeyIds().stream().anyMatch(keyId -> isSigned(content, signature, charset, keyId));
      }

      /** The certificate that the SDK has is not asked: the sidecar knows which are Alipay's now. */
      @Override
      public boolean checkCert(String content, String signature, String signType, String charset, String certificate) {
        return check(content, signature, signType, charset);
      }
    };
  }

  private boolean isSigned(String content, String signature, String charset, String keyId) {
    try {
      paycert.ask("verify", Map.of("messageBase64", encoded(content, charset), "signature", signature, "keyId", keyId));
      return true;
    } catch (Paycert.Refused refused) {
      if (refused.status == 422) return false;
      throw refused;
    }
  }

  /** Contents are encrypted by the sidecar, or by nobody. */
  @Override
  public Encryptor getEncryptor() {
    return null;
  }

  @Override
  public Decryptor getDecryptor() {
    return (content, encryptType, charset) ->
        Paycert.text(paycert.ask("decrypt", Map.of("algorithm", encryptType, "ciphertext", content)), "plaintext");
  }

  /** The SDK does not say which key a signature names. Most applications have one, two around its replacement. */
  private List<String> platformKeyIds() {
    var ids = new ArrayList<String>();
    for (var key : paycert.status().getAsJsonArray("keys")) {
      var facts = key.getAsJsonObject();
      if (List.of("platform", "public-key").contains(Paycert.text(facts, "role"))) ids.add(Paycert.text(facts, "keyId"));
    }
    return ids;
  }

  private static String encoded(String content, String charset) {
    return Base64.getEncoder().encodeToString(content.getBytes(Charset.forName(charset)));
  }
}
