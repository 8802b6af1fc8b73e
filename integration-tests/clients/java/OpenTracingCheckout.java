import io.jaegertracing.internal.JaegerSpan;
import io.jaegertracing.internal.JaegerTracer;
import io.jaegertracing.internal.metrics.InMemoryMetricsFactory;
import io.jaegertracing.internal.metrics.Metrics;
import io.jaegertracing.internal.reporters.RemoteReporter;
import io.jaegertracing.internal.samplers.ConstSampler;
import io.jaegertracing.spi.Sender;
import io.jaegertracing.thrift.internal.senders.HttpSender;
import io.jaegertracing.thrift.internal.senders.UdpSender;
import io.opentracing.References;
import io.opentracing.tag.Tags;
import java.util.LinkedHashMap;
import java.util.Map;

/** The checkout trace with jaeger-client for Java. */
final class OpenTracingCheckout {
  private static Sender sender(String client, String endpoint) throws Exception {
    if (client.equals("jaeger-http")) return new HttpSender.Builder(endpoint).build();
    String[] address = endpoint.split(":");
    return new UdpSender(address[0], Integer.parseInt(address[1]), 0);
  }

  static Checkout.Sent send(String client, String endpoint, String service, long start) throws Exception {
    InMemoryMetricsFactory counters = new InMemoryMetricsFactory();
    JaegerTracer tracer = new JaegerTracer.Builder(service)
        .withReporter(new RemoteReporter.Builder()
            .withSender(sender(client, endpoint)).withMetrics(new Metrics(counters)).withCloseEnqueueTimeout(30000).build())
        .withSampler(new ConstSampler(true))
        .withTraceId128Bit()
        .withTag("service.version", "1.2.3")
        .withTag("replica", 3)
        .build();

    JaegerSpan checkout = tracer.buildSpan("checkout").withStartTimestamp(start)
        .withTag(Tags.SPAN_KIND.getKey(), Tags.SPAN_KIND_SERVER).start();
    checkout.setTag(Tags.SAMPLING_PRIORITY, 1);
    checkout.setTag("text", "Señal ✓").setTag("flag", true).setTag("count", 42).setTag("ratio", 0.25);
    checkout.setBaggageItem("user", "ada");
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("key", "basket");
    fields.put("event", "cache miss");
    fields.put("size", 3);
    checkout.log(start + 1000, fields);

    JaegerSpan charge = tracer.buildSpan("charge").asChildOf(checkout).withStartTimestamp(start + 2000)
        .withTag(Tags.SPAN_KIND.getKey(), Tags.SPAN_KIND_CLIENT).withTag(Tags.PEER_SERVICE.getKey(), "payments").withTag(Tags.ERROR.getKey(), true)
        .start();
    charge.log(start + 4000, Map.of("event", "error", "message", "card refused"));
    charge.finish(start + 5000);

    JaegerSpan receipt = tracer.buildSpan("receipt").withStartTimestamp(start + 6000)
        .addReference(References.FOLLOWS_FROM, charge.context()).addReference(References.CHILD_OF, checkout.context())
        .withTag(Tags.SPAN_KIND.getKey(), Tags.SPAN_KIND_PRODUCER).start();
    receipt.finish(start + 8000);
    JaegerSpan archive = tracer.buildSpan("archive").withStartTimestamp(start + 7000)
        .addReference(References.FOLLOWS_FROM, charge.context()).start();
    archive.finish(start + 9000);
    checkout.finish(start + 10000);
    tracer.close();

    Map<String, String> ids = new LinkedHashMap<>();
    for (JaegerSpan span : new JaegerSpan[] {checkout, charge, receipt, archive}) {
      ids.put(span.getOperationName(), span.context().toSpanId());
    }
    long delivered = counters.getCounter("jaeger_tracer_reporter_spans", "result=ok");
    if (delivered != ids.size()) throw new IllegalStateException("only " + delivered + " spans were sent");
    return new Checkout.Sent(checkout.context().toTraceId(), ids);
  }
}
