import java.io.BufferedReader;
import java.io.InputStreamReader;
import org.apache.kafka.tools.consumer.group.ConsumerGroupCommand;

/** Runs `kafka-consumer-groups` once for each line of standard input, without starting Java anew; `answered` ends each. */
public class Groups {
    public static void main(String[] arguments) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        while (lines.readLine() != null) {
            ConsumerGroupCommand.main(arguments);
            System.out.println("answered");
            System.out.flush();
        }
    }
}
