package peer;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bson.Document;

/** Percentiles of each component, interpolated between closest ranks and rounded to six places. */
final class Latency {
  private static final Map<String, Double> RANKS = new LinkedHashMap<>();

  static {
    RANKS.put("p50", 0.5);
    RANKS.put("p90", 0.9);
    RANKS.put("p95", 0.95);
    RANKS.put("p99", 0.99);
  }

  static Document of(List<Event> events) {
    Map<String, List<Double>> components = new LinkedHashMap<>();
    for (Event each : events) {
      if (each.is("latency.sampled")) {
        double value = each.data().get("value_ms").doubleValue();
        components.computeIfAbsent(each.text("component"), name -> new ArrayList<>()).add(value);
      }
    }
    Document made = new Document();
    components.forEach((name, values) -> made.append(name, summary(values)));
    return made.isEmpty() ? null : made;
  }

  private static Document summary(List<Double> values) {
    double[] ranked = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    Document made =
        new Document("max", ranked[ranked.length - 1]).append("min", ranked[0]).append("num", ranked.length);
    RANKS.forEach((name, rank) -> made.append(name, quantile(ranked, rank)));
    return made.append("values", values);
  }

  private static double quantile(double[] ranked, double rank) {
    double place = (ranked.length - 1) * rank;
    int below = (int) place;
    double next = ranked[Math.min(below + 1, ranked.length - 1)];
    double value = ranked[below] + (place - below) * (next - ranked[below]);
    return new BigDecimal(value).setScale(6, RoundingMode.HALF_EVEN).doubleValue();
  }

  private Latency() {}
}
