import java.util.HashMap;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Sends the checkout trace of ../README.md with a published Java client and prints its ids, or prints what a remote
 * sampler decides, whenever that changes.
 *
 * <pre>
 * Checkout --client jaeger-udp --endpoint 127.0.0.1:6831 --service shop --start 1700000000000000
 * Checkout --client follow-sampler --endpoint http://127.0.0.1:14250 --service shop
 * </pre>
 */
public final class Checkout {
  /** The ids of a trace, in hexadecimal. */
  record Sent(String trace, Map<String, String> spans) {
    String json() {
      String ids = spans.entrySet().stream()
          .map(span -> "\"" + span.getKey() + "\":\"" + span.getValue() + "\"")
          .collect(Collectors.joining(","));
      return "{\"traceID\":\"" + trace + "\",\"spans\":{" + ids + "}}";
    }
  }

  public static void main(String[] arguments) throws Exception {
    Map<String, String> options = new HashMap<>();
    for (int i = 0; i + 1 < arguments.length; i += 2) options.put(arguments[i], arguments[i + 1]);
    String client = options.get("--client");
    String endpoint = options.get("--endpoint");
    String service = options.get("--service");
    long start = Long.parseLong(options.getOrDefault("--start", "0")); // microseconds since 1970

    Sent sent = switch (client) {
      case "jaeger-udp", "jaeger-http" -> OpenTracingCheckout.send(client, endpoint, service, start);
      case "otlp-grpc", "otlp-http-proto" -> OpenTelemetryCheckout.send(client, endpoint, service, start);
      case "zipkin-v1-json", "zipkin-v1-thrift", "zipkin-v2-json", "zipkin-v2-proto", "kafka-json", "kafka-thrift",
              "kafka-proto" ->
          ZipkinCheckout.send(client, endpoint, options.get("--topic"), service, start);
      case "follow-sampler" -> FollowSampler.follow(endpoint, service);
      default -> throw new IllegalArgumentException("unknown client " + client);
    };
    System.out.println(sent.json());
    // The clients' threads do not all end by themselves.
    System.exit(0);
  }
}
