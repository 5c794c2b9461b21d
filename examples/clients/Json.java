// As much JSON as Paycert.java needs, since Java has none. If you have Jackson or Gson, let that write and read instead.
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

final class Json {
  private final String text;
  private int at;

  private Json(String text) {
    this.text = text;
  }

  static String write(Object value) {
    if (value instanceof Map<?, ?> map)
      return map.entrySet().stream().map(entry -> write(entry.getKey()) + ":" + write(entry.getValue()))
          .collect(Collectors.joining(",", "{", "}"));
    if (value instanceof List<?> list) return list.stream().map(Json::write).collect(Collectors.joining(",", "[", "]"));
    if (value instanceof String string)
      return string.chars().mapToObj(Json::escape).collect(Collectors.joining("", "\"", "\""));
    return String.valueOf(value);
  }

  private static String escape(int c) {
    return c < ' ' || c > '~' || c == '"' || c == '\\' ? String.format("\\u%04x", c) : String.valueOf((char) c);
  }

  /** The members of an object: String, BigInteger, BigDecimal, Boolean, null, List or Map. Numbers keep every digit. */
  @SuppressWarnings("unchecked")
  static Map<String, Object> read(String text) {
    return (Map<String, Object>) new Json(text).value();
  }

  private Object value() {
    char first = next();
    if (first == '"') return string();
    if (first == '{') {
      Map<String, Object> members = new LinkedHashMap<>();
      for (char c = next(); c != '}'; c = next()) {
        if (c == ',') next();
        String name = string();
        next(); // the colon
        members.put(name, value());
      }
      return members;
    }
    if (first == '[') {
      List<Object> items = new ArrayList<>();
      for (char c = next(); c != ']'; c = next()) {
        if (c != ',') at--;
        items.add(value());
      }
      return items;
    }
    int start = at - 1;
    while (at < text.length() && ",]} \t\r\n".indexOf(text.charAt(at)) < 0) at++;
    String word = text.substring(start, at);
    if (word.equals("null")) return null;
    if (word.equals("true") || word.equals("false")) return Boolean.valueOf(word);
    return word.matches("-?[0-9]+") ? (Number) new BigInteger(word) : new BigDecimal(word);
  }

  /** Behind its first quote. */
  private String string() {
    var result = new StringBuilder();
    for (char c = text.charAt(at++); c != '"'; c = text.charAt(at++)) {
      if (c == '\\') {
        c = text.charAt(at++);
        int control = "bfnrt".indexOf(c);
        if (control >= 0) c = "\b\f\n\r\t".charAt(control);
        if (c == 'u') {
          c = (char) Integer.parseInt(text.substring(at, at + 4), 16);
          at += 4;
        }
      }
      result.append(c);
    }
    return result.toString();
  }

  /** Passes over white space, and over the character that it returns. */
  private char next() {
    while (Character.isWhitespace(text.charAt(at))) at++;
    return text.charAt(at++);
  }
}
