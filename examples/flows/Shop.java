// What a shop asks the platforms, each step a command: javac *.java && java Shop order 20260101001
import java.io.IOException;
import java.util.Map;

public class Shop {
  private static final String SHOP = "https://shop.example";
  private static final String WECHAT_PAY = "https://api.mch.weixin.qq.com";
  private static final String APP_ID = "wx8888888888888888";
  private static final String MCH_ID = "1900000001";
  private static final String PAYER = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o";

  /** A request to WeChat Pay, and its response once WeChat Pay has proven to have signed it. */
  static Map<String, Object> wechat(String method, String path, Map<String, ?> content) throws Exception {
    var url = WECHAT_PAY + "/v3" + path;
    var response = Paycert.send("wechat-main", content == null
        ? Map.of("method", method, "url", url)
        : Map.of("method", method, "url", url, "body", Json.write(content)));
    int status = (int) response.get("status");
    if (status >= 300) throw new IOException(status + " " + Paycert.body(response) + ": query before you repeat");
    return Json.read(Paycert.verify("wechat-main", response));
  }

  /** The same for v2: the parameters of its response, read by what has verified it. */
  @SuppressWarnings("unchecked")
  static Map<String, Object> wechatV2(String path, Map<String, String> parameters) throws Exception {
    var response = Paycert.send("wechat-v2", Map.of("url", WECHAT_PAY + path, "parameters", parameters));
    Paycert.verify("wechat-v2", response);
    var body = Map.of("bodyBase64", response.get("bodyBase64"));
    var result = (Map<String, Object>) Paycert.ask("wechat-v2", "notification", body).get("resource");
    if (!"SUCCESS".equals(result.get("result_code")))
      throw new IOException(result.get("err_code") + ": " + result.get("err_code_des"));
    return result;
  }

  /** The same for Alipay, whose response has one member that counts. */
  @SuppressWarnings("unchecked")
  static Map<String, Object> alipay(String apiMethod, Map<String, ?> content) throws Exception {
    var response = Paycert.send("alipay-main", Map.of("apiMethod", apiMethod, "bizContent", Json.write(content)));
    var members = Json.read(Paycert.verify("alipay-main", response));
    var result = (Map<String, Object>) members.get(apiMethod.replace('.', '_') + "_response");
    if (!"10000".equals(result.get("code"))) throw new IOException(result.get("sub_code") + ": " + result.get("sub_msg"));
    return result;
  }

  static Map<String, Object> alipayPayment(String apiMethod, String number) throws IOException {
    return Paycert.ask("alipay-main", "payment-parameters", Map.of(
        "apiMethod", apiMethod,
        "bizContent", Json.write(Map.of("out_trade_no", number, "total_amount", "1.00", "subject", "tea")),
        "parameters", Map.of("notify_url", SHOP + "/alipay", "return_url", SHOP + "/thanks")));
  }

  /** What the mini program of the payer hands to wx.requestPayment. */
  static Map<String, Object> order(String number) throws Exception {
    var prepaid = wechat("POST", "/pay/transactions/jsapi", Map.of(
        "appid", APP_ID, "mchid", MCH_ID, "description", "tea", "out_trade_no", number,
        "notify_url", SHOP + "/wechatpay",
        "amount", Map.of("total", 100, "currency", "CNY"),
        "payer", Map.of("openid", PAYER)));
    return Paycert.ask("wechat-main", "payment-parameters",
        Map.of("type", "jsapi", "appId", APP_ID, "prepayId", prepaid.get("prepay_id")));
  }

  /** The same number is the same refund, however often it is asked for. */
  static Map<String, Object> refund(String number) throws Exception {
    return wechat("POST", "/refund/domestic/refunds", Map.of(
        "out_trade_no", number, "out_refund_no", "R" + number, "notify_url", SHOP + "/wechatpay",
        "amount", Map.of("refund", 100, "total", 100, "currency", "CNY")));
  }

  /** As order, over v2. */
  static Map<String, Object> v2Order(String number) throws Exception {
    var prepaid = wechatV2("/pay/unifiedorder", Map.of(
        "body", "tea", "out_trade_no", number, "total_fee", "100", "trade_type", "JSAPI", "sign_type", "HMAC-SHA256",
        "openid", PAYER, "notify_url", SHOP + "/wechatpay-v2", "spbill_create_ip", "127.0.0.1"));
    return Paycert.ask("wechat-v2", "payment-parameters",
        Map.of("type", "jsapi", "prepayId", prepaid.get("prepay_id"), "signType", "HMAC-SHA256"));
  }

  /** Aliyun signs no responses: TLS proves them. */
  static Map<String, Object> sms(String phone) throws Exception {
    var response = Paycert.send("sms", Map.of(
        "url", "https://dysmsapi.aliyuncs.com/",
        "apiMethod", "SendSms",
        "parameters", Map.of(
            "Version", "2017-05-25", "PhoneNumbers", phone, "SignName", "shop",
            "TemplateCode", "SMS_1", "TemplateParam", Json.write(Map.of("code", "1234")))));
    var result = Json.read(Paycert.body(response));
    if (!"OK".equals(result.get("Code"))) throw new IOException(result.get("Code") + ": " + result.get("Message"));
    return result;
  }

  static Map<String, Object> run(String command, String argument) throws Exception {
    return switch (command) {
      case "order" -> order(argument);
      case "query" -> wechat("GET", "/pay/transactions/out-trade-no/" + argument + "?mchid=" + MCH_ID, null);
      case "refund" -> refund(argument);
      case "query-refund" -> wechat("GET", "/refund/domestic/refunds/R" + argument, null);
      case "v2-order" -> v2Order(argument);
      case "v2-query" -> wechatV2("/pay/orderquery", Map.of("out_trade_no", argument));
      case "v2-query-refund" -> wechatV2("/pay/refundquery", Map.of("out_refund_no", "R" + argument));
      case "page" -> alipayPayment("alipay.trade.page.pay", argument); // where the payer's browser goes
      case "app" -> alipayPayment("alipay.trade.app.pay", argument); // what the app hands to Alipay's SDK
      case "alipay-query" -> alipay("alipay.trade.query", Map.of("out_trade_no", argument));
      case "alipay-refund" -> alipay("alipay.trade.refund",
          Map.of("out_trade_no", argument, "out_request_no", "R" + argument, "refund_amount", "1.00"));
      case "sms" -> sms(argument);
      default -> throw new IllegalArgumentException(command);
    };
  }

  public static void main(String[] args) {
    try {
      System.out.println(Json.write(run(args[0], args[1])));
    } catch (Exception error) {
      // 75: try again later. 1: look at what it says.
      System.err.println(error.getMessage());
      System.exit(error instanceof Paycert.Refused refused && refused.status == 503 ? 75 : 1);
    }
  }
}
