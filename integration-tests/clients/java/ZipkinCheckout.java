import brave.Span;
import brave.Tracing;
import brave.handler.SpanHandler;
import brave.propagation.TraceContextOrSamplingFlags;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import zipkin2.reporter.AsyncReporter;
import zipkin2.reporter.BytesMessageSender;
import zipkin2.reporter.Encoding;
import zipkin2.reporter.InMemoryReporterMetrics;
import zipkin2.reporter.SpanBytesEncoder;
import zipkin2.reporter.brave.ZipkinSpanHandler;
import zipkin2.reporter.kafka.KafkaSender;
import zipkin2.reporter.urlconnection.URLConnectionSender;

/** The checkout trace with Zipkin's brave, in each of Zipkin's encodings. Ids of traces have 128 bits, and the trace is for debugging. */
final class ZipkinCheckout {
  private static SpanBytesEncoder encoder(String client) {
    return switch (client) {
      case "zipkin-v1-json" -> SpanBytesEncoder.JSON_V1;
      case "zipkin-v1-thrift", "kafka-thrift" -> SpanBytesEncoder.THRIFT;
      case "zipkin-v2-json", "kafka-json" -> SpanBytesEncoder.JSON_V2;
      default -> SpanBytesEncoder.PROTO3;
    };
  }

  private static BytesMessageSender sender(String client, String endpoint, String topic, Encoding encoding) {
    return client.startsWith("kafka-")
        ? KafkaSender.newBuilder().bootstrapServers(endpoint).topic(topic).encoding(encoding).build()
        : URLConnectionSender.newBuilder().endpoint(endpoint).encoding(encoding).build();
  }

  private static Tracing tracing(SpanHandler handler, String service, String ip, int port) {
    return Tracing.newBuilder().addSpanHandler(handler).localServiceName(service).localIp(ip).localPort(port)
        .traceId128Bit(true).supportsJoin(true).build();
  }

  /** Sends to the URL `endpoint`, or to a topic of the broker there: all spans in one message. */
  static Checkout.Sent send(String client, String endpoint, String topic, String service, long start) {
    SpanBytesEncoder encoder = encoder(client);
    BytesMessageSender sender = sender(client, endpoint, topic, encoder.encoding());
    InMemoryReporterMetrics metrics = new InMemoryReporterMetrics();
    AsyncReporter<zipkin2.Span> reporter = AsyncReporter.builder(sender).metrics(metrics)
        .messageTimeout(0, TimeUnit.SECONDS).build(encoder);
    SpanHandler handler = ZipkinSpanHandler.create(reporter);
    Tracing shop = tracing(handler, service, "10.0.0.1", 80);
    Map<String, String> ids = new LinkedHashMap<>();

    Span checkout = shop.tracer().nextSpan(TraceContextOrSamplingFlags.DEBUG).name("checkout").kind(Span.Kind.SERVER)
        .start(start);
    checkout.tag("text", "Señal ✓").tag("count", "42").annotate(start + 1000, "cache miss");
    ids.put("checkout", checkout.context().spanIdString());

    Span charge = shop.tracer().newChild(checkout.context()).name("charge").kind(Span.Kind.CLIENT).start(start + 2000);
    charge.tag("error", "card refused").remoteServiceName("payments").remoteIpAndPort("10.0.0.9", 8080);
    ids.put("charge", charge.context().spanIdString());
    try (Tracing payments = tracing(handler, "payments", "10.0.0.9", 8080)) {
      Span served = payments.tracer().joinSpan(charge.context()).name("charge").kind(Span.Kind.SERVER).start(start + 3000);
      served.finish(start + 4000);
    }
    charge.finish(start + 5000);

    Span receipt = shop.tracer().newChild(checkout.context()).name("receipt").kind(Span.Kind.PRODUCER).start(start + 6000);
    receipt.finish(start + 8000);
    ids.put("receipt", receipt.context().spanIdString());
    Span archive = shop.tracer().newChild(checkout.context()).name("archive").start(start + 7000);
    archive.finish(start + 9000);
    ids.put("archive", archive.context().spanIdString());
    checkout.finish(start + 10000);

    reporter.flush();
    if (metrics.spansDropped() > 0 || metrics.messages() == 0) {
      throw new IllegalStateException("the collector did not accept every span: " + metrics.messagesDroppedByCause());
    }
    return new Checkout.Sent(checkout.context().traceIdString(), ids);
  }
}
