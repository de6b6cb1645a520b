import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.utils.AppInfoParser;

/** Follows the steps on standard input with Kafka's own Java client; see ../steps.py. */
public class Publish {
    private final Properties settings = new Properties();
    private final Map<Integer, KafkaProducer<String, String>> producers = new HashMap<>();
    private final List<Future<?>> sent = new ArrayList<>();

    private Publish(String bootstrap, JsonNode options) {
        settings.put("bootstrap.servers", bootstrap);
        settings.put("key.serializer", StringSerializer.class.getName());
        settings.put("value.serializer", StringSerializer.class.getName());
        settings.put("compression.type", options.get("compression").asText());
        options.get("settings").fields().forEachRemaining(each -> settings.put(each.getKey(), each.getValue().asText()));
        if (options.hasNonNull("transactional_id")) {
            settings.put("transactional.id", options.get("transactional_id").asText());
        }
    }

    public static void main(String[] arguments) throws Exception {
        ObjectMapper json = new ObjectMapper();
        Publish publish = new Publish(arguments[0], json.readTree(arguments[1]));
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            publish.follow(json.readTree(line));
        }
        publish.flush();
        long finished = System.currentTimeMillis();
        publish.producers.values().forEach(KafkaProducer::close);
        System.out.println(json.writeValueAsString(Map.of("version", AppInfoParser.getVersion(), "finished", finished)));
    }

    private void follow(JsonNode step) throws Exception {
        KafkaProducer<String, String> producer = producer(step.get("producer").asInt());
        switch (step.get("do").asText()) {
            case "begin" -> producer.beginTransaction();
            case "send" -> sent.add(producer.send(record(step)));
            case "flush" -> flush();
            case "commit" -> producer.commitTransaction();
            case "abort" -> producer.abortTransaction();
            default -> throw new IllegalArgumentException(step.toString());
        }
    }

    private KafkaProducer<String, String> producer(int number) {
        return producers.computeIfAbsent(number, unused -> {
            Properties own = new Properties();
            own.putAll(settings);
            own.computeIfPresent("transactional.id", (name, id) -> id + "-" + number);
            KafkaProducer<String, String> made = new KafkaProducer<>(own);
            if (own.containsKey("transactional.id")) {
                made.initTransactions();
            }
            return made;
        });
    }

    private void flush() throws Exception {
        producers.values().forEach(KafkaProducer::flush);
        for (Future<?> each : sent) {
            each.get();
        }
        sent.clear();
    }

    private static ProducerRecord<String, String> record(JsonNode step) throws Exception {
        ProducerRecord<String, String> made =
            new ProducerRecord<>(step.get("topic").asText(), step.get("key").asText(), step.get("value").asText());
        for (Map.Entry<String, JsonNode> header : step.get("headers").properties()) {
            made.headers().add(header.getKey(), header.getValue().asText().getBytes("UTF-8"));
        }
        return made;
    }
}
