package peer;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import org.bson.Document;

/** JSON as what the driver of MongoDB writes. */
final class Plain {
  static Object of(JsonNode value) {
    return switch (value.getNodeType()) {
      case STRING -> value.textValue();
      case BOOLEAN -> value.booleanValue();
      case NUMBER -> value.isIntegralNumber() ? (Object) value.longValue() : (Object) value.doubleValue();
      case ARRAY -> list(value);
      case OBJECT -> document(value);
      default -> null;
    };
  }

  static Document document(JsonNode object) {
    Document made = new Document();
    object.properties().forEach(field -> made.append(field.getKey(), of(field.getValue())));
    return made;
  }

  private static List<Object> list(JsonNode array) {
    List<Object> made = new ArrayList<>(array.size());
    array.forEach(each -> made.add(of(each)));
    return made;
  }

  private Plain() {}
}
