package peer;

import com.mongodb.WriteConcern;
import com.mongodb.client.MongoClients;
import com.mongodb.client.MongoCollection;
import com.mongodb.client.model.BulkWriteOptions;
import com.mongodb.client.model.Filters;
import com.mongodb.client.model.ReplaceOneModel;
import com.mongodb.client.model.ReplaceOptions;
import java.util.List;
import org.bson.Document;

/** One document per call in MongoDB. */
final class Records {
  private static final BulkWriteOptions UNORDERED = new BulkWriteOptions().ordered(false);
  private static final ReplaceOptions UPSERT = new ReplaceOptions().upsert(true);

  private final MongoCollection<Document> calls;

  Records(String uri, String database) {
    calls =
        MongoClients.create(uri).getDatabase(database).getCollection("calls").withWriteConcern(WriteConcern.MAJORITY);
  }

  void write(List<Document> records) {
    calls.bulkWrite(
        records.stream().map(each -> new ReplaceOneModel<>(Filters.eq("_id", each.get("_id")), each, UPSERT)).toList(),
        UNORDERED);
  }
}
