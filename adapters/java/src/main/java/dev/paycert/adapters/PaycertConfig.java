// wechatpay-java without a key: its Config and its NotificationConfig, whose every part asks the sidecar.
package dev.paycert.adapters;

import com.wechat.pay.java.core.Config;
import com.wechat.pay.java.core.auth.Credential;
import com.wechat.pay.java.core.auth.Validator;
import com.wechat.pay.java.core.auth.WechatPay2Credential;
import com.wechat.pay.java.core.auth.WechatPay2Validator;
import com.wechat.pay.java.core.cipher.AeadCipher;
import com.wechat.pay.java.core.cipher.PrivacyDecryptor;
import com.wechat.pay.java.core.cipher.PrivacyEncryptor;
import com.wechat.pay.java.core.cipher.SignatureResult;
import com.wechat.pay.java.core.cipher.Signer;
import com.wechat.pay.java.core.cipher.Verifier;
import com.wechat.pay.java.core.notification.NotificationConfig;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;

/** For services: {@code new JsapiService.Builder().config(config)}. For notifications: {@code new NotificationParser(config)}. */
public final class PaycertConfig implements Config, NotificationConfig {
  private static final String ALGORITHM = "SHA256-RSA2048";
  private static final String CIPHER = "AEAD_AES_256_GCM";

  private final String merchantId;
  private final Paycert paycert;

  public PaycertConfig(String merchantId, Paycert paycert) {
    this.merchantId = merchantId;
    this.paycert = paycert;
  }

  @Override
  public Credential createCredential() {
    return new WechatPay2Credential(merchantId, createSigner());
  }

  @Override
  public Validator createValidator() {
    return new WechatPay2Validator(createVerifier());
  }

  @Override
  public Signer createSigner() {
    return new Signer() {
      /** Signature and serial number are of one answer: a rotation in between changes both. */
      @Override
      public SignatureResult sign(String message) {
        var answer = paycert.ask("sign", Map.of("message", message));
        return new SignatureResult(Paycert.text(answer, "signature"), Paycert.text(answer, "keyId"));
      }

      @Override
      public String getAlgorithm() {
        return ALGORITHM;
      }
    };
  }

  @Override
  public Verifier createVerifier() {
    return new Verifier() {
      @Override
      public boolean verify(String serialNumber, String message, String signature) {
        // What lacks them is signed by nobody.
        if (serialNumber == null || signature == null) return false;
        try {
          paycert.ask("verify", Map.of("message", message, "signature", signature, "keyId", serialNumber));
          return true;
        } catch (Paycert.Refused refused) {
          if (refused.status == 422) return false;
          throw refused;
        }
      }

      @Override
      public String getSerialNumber() {
        return encryptionKeyId(paycert, null);
      }
    };
  }

  @Override
  public PrivacyEncryptor createEncryptor() {
    return new Encryptor(paycert);
  }

  @Override
  public PrivacyDecryptor createDecryptor() {
    return ciphertext -> Paycert.text(paycert.ask("decrypt", Map.of("ciphertext", ciphertext)), "plaintext");
  }

  @Override
  public String getSignType() {
    return WechatPay2Credential.SCHEMA_PREFIX + ALGORITHM;
  }

  @Override
  public String getCipherType() {
    return CIPHER;
  }

  @Override
  public AeadCipher createAeadCipher() {
    return new AeadCipher() {
      @Override
      public String encrypt(byte[] associatedData, byte[] nonce, byte[] plaintext) {
        throw new UnsupportedOperationException("the APIv3 key encrypts nothing that is sent to WeChat Pay");
      }

      @Override
      public String decrypt(byte[] associatedData, byte[] nonce, byte[] ciphertext) {
        Map<String, String> question = new HashMap<>();
        question.put("algorithm", CIPHER);
        question.put("ciphertext", Base64.getEncoder().encodeToString(ciphertext));
        question.put("nonce", new String(nonce, StandardCharsets.UTF_8));
        if (associatedData != null) question.put("associatedData", new String(associatedData, StandardCharsets.UTF_8));
        return Paycert.text(paycert.ask("decrypt", question), "plaintext");
      }
    };
  }

  private static String encryptionKeyId(Paycert paycert, String preferred) {
    if (preferred != null) return preferred;
    return Paycert.text(paycert.ask("encrypt", Map.of("plaintext", "")), "keyId");
  }

  /** A service encrypts the fields of a request, and then asks for the id of the key, all in one thread: so it is one key. */
  private static final class Encryptor implements PrivacyEncryptor {
    private final Paycert paycert;
    private final ThreadLocal<String> keyId = new ThreadLocal<>();

    Encryptor(Paycert paycert) {
      this.paycert = paycert;
    }

    @Override
    public String encrypt(String plaintext) {
      Map<String, String> question = new HashMap<>(Map.of("plaintext", plaintext));
      if (keyId.get() != null) question.put("keyId", keyId.get());
      try {
        var answer = paycert.ask("encrypt", question);
        keyId.set(Paycert.text(answer, "keyId"));
        return Paycert.text(answer, "ciphertext");
      } catch (Paycert.Refused refused) {
        // The key of an earlier request, which nobody asked for: the next request begins with a new one.
        keyId.remove();
        throw refused;
      }
    }

    @Override
    public String getWechatpaySerial() {
      String used = keyId.get();
      keyId.remove();
      return encryptionKeyId(paycert, used);
    }
  }
}
