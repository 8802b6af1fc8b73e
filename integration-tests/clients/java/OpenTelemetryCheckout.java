import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.exporter.otlp.trace.OtlpGrpcSpanExporter;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The checkout trace with the OpenTelemetry SDK for Java. Its spans are handed to the exporter at the end, so that its answer is known. */
final class OpenTelemetryCheckout {
  private static SpanExporter exporter(String client, String endpoint) {
    return client.equals("otlp-grpc")
        ? OtlpGrpcSpanExporter.builder().setEndpoint(endpoint).build()
        : OtlpHttpSpanExporter.builder().setEndpoint(endpoint + "/v1/traces").build();
  }

  static Checkout.Sent send(String client, String endpoint, String service, long start) {
    Resource resource = Resource.create(Attributes.builder()
        .put("service.name", service)
        .put("service.version", "1.2.3")
        .put("replica", 3)
        .put("deployment.zones", "a", "b")
        .build());
    Tracer tracer = SdkTracerProvider.builder().setResource(resource).build()
        .tracerBuilder("skua.integration-tests").setInstrumentationVersion("1.0").build();

    Span checkout = tracer.spanBuilder("checkout").setNoParent().setSpanKind(SpanKind.SERVER)
        .setStartTimestamp(start, TimeUnit.MICROSECONDS)
        .setAttribute("text", "Señal ✓").setAttribute("flag", true).setAttribute("count", 42).setAttribute("ratio", 0.25)
        .setAttribute(AttributeKey.stringArrayKey("texts"), List.of("a", "b"))
        .startSpan();
    checkout.addEvent("cache miss", Attributes.builder().put("key", "basket").put("size", 3).build(),
        start + 1000, TimeUnit.MICROSECONDS);
    Context inside = Context.root().with(checkout);

    Span charge = tracer.spanBuilder("charge").setParent(inside).setSpanKind(SpanKind.CLIENT)
        .setStartTimestamp(start + 2000, TimeUnit.MICROSECONDS).setAttribute("peer.service", "payments").startSpan();
    charge.setStatus(StatusCode.ERROR, "card refused");
    charge.end(start + 5000, TimeUnit.MICROSECONDS);

    Span receipt = tracer.spanBuilder("receipt").setParent(inside).setSpanKind(SpanKind.PRODUCER)
        .setStartTimestamp(start + 6000, TimeUnit.MICROSECONDS)
        .addLink(charge.getSpanContext(), Attributes.builder().put("why", "paid").build()).startSpan();
    receipt.end(start + 8000, TimeUnit.MICROSECONDS);
    checkout.end(start + 10000, TimeUnit.MICROSECONDS);

    List<SpanData> ended = new ArrayList<>();
    Map<String, String> ids = new LinkedHashMap<>();
    for (Span span : List.of(checkout, charge, receipt)) {
      ended.add(((ReadableSpan) span).toSpanData());
      ids.put(((ReadableSpan) span).getName(), span.getSpanContext().getSpanId());
    }
    if (!exporter(client, endpoint).export(ended).join(60, TimeUnit.SECONDS).isSuccess()) {
      throw new IllegalStateException("the collector did not accept every span");
    }
    return new Checkout.Sent(checkout.getSpanContext().getTraceId(), ids);
  }
}
