package peer;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.bson.Document;

/** What a call costs: its duration in started seconds, and the usage of each product. */
final class Cost {
  private static final Map<String, BigDecimal> MINUTE =
      Map.of(
          "inbound_call", new BigDecimal("0.02"),
          "outbound_call", new BigDecimal("0.02"),
          "phone_call", new BigDecimal("0.02"),
          "web_call", new BigDecimal("0.01"));
  private static final Map<String, BigDecimal> UNIT =
      Map.of(
          "llm_usage", new BigDecimal("0.001"),
          "tts_usage", new BigDecimal("0.00015"),
          "stt_usage", new BigDecimal("0.0001"));

  static Document of(List<Event> events, String type, String direction, long durationMs) {
    BigDecimal seconds = BigDecimal.valueOf(durationMs, 3).setScale(0, RoundingMode.CEILING);
    String product = product(type, direction);
    BigDecimal price = MINUTE.get(product);
    BigDecimal talked = seconds.multiply(price).divide(BigDecimal.valueOf(60), 6, RoundingMode.HALF_EVEN);
    List<Document> lines = new ArrayList<>(List.of(line(product, talked, price)));
    BigDecimal used = BigDecimal.ZERO;
    for (var usage : usage(events).entrySet()) {
      BigDecimal unit = UNIT.get(usage.getKey());
      BigDecimal cost = unit == null ? BigDecimal.ZERO : usage.getValue().multiply(unit);
      cost = cost.setScale(6, RoundingMode.HALF_EVEN);
      lines.add(line(usage.getKey(), cost, unit));
      used = used.add(cost);
    }
    return new Document("combined_cost", talked.add(used).doubleValue())
        .append("product_costs", lines)
        .append("total_duration_seconds", seconds.doubleValue())
        .append("total_duration_unit_price", price.doubleValue())
        .append("total_one_time_price", used.doubleValue());
  }

  private static Map<String, BigDecimal> usage(List<Event> events) {
    Map<String, BigDecimal> quantities = new TreeMap<>();
    for (Event each : events) {
      if (each.is("usage.reported")) {
        quantities.merge(each.text("product"), new BigDecimal(each.text("quantity")), BigDecimal::add);
      }
    }
    return quantities;
  }

  private static String product(String type, String direction) {
    if ("WEB_CALL".equals(type)) {
      return "web_call";
    }
    return direction == null ? "phone_call" : direction.toLowerCase() + "_call";
  }

  private static Document line(String product, BigDecimal cost, BigDecimal price) {
    return new Document("product", product)
        .append("cost", cost.doubleValue())
        .append("unit_price", price == null ? null : price.doubleValue());
  }

  private Cost() {}
}
