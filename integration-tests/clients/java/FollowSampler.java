import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.extension.trace.jaeger.sampler.JaegerRemoteSampler;
import io.opentelemetry.sdk.trace.IdGenerator;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import io.opentelemetry.sdk.trace.samplers.SamplingDecision;
import java.time.Duration;
import java.util.List;

/**
 * Polls a collector's gRPC port with OpenTelemetry's sampler for Jaeger and prints what it decides for two operations
 * whenever that changes, until the process is ended.
 */
final class FollowSampler {
  static Checkout.Sent follow(String endpoint, String service) throws InterruptedException {
    Sampler sampler = JaegerRemoteSampler.builder().setServiceName(service).setEndpoint(endpoint)
        .setPollingInterval(Duration.ofMillis(200)).setInitialSampler(Sampler.alwaysOff()).build();
    String last = "";
    while (true) {
      String decisions = "checkout=" + sampled(sampler, "checkout") + " charge=" + sampled(sampler, "charge");
      if (!decisions.equals(last)) System.out.println(decisions);
      last = decisions;
      Thread.sleep(50);
    }
  }

  private static boolean sampled(Sampler sampler, String operation) {
    String trace = IdGenerator.random().generateTraceId();
    return sampler.shouldSample(Context.root(), trace, operation, SpanKind.SERVER, Attributes.empty(), List.of())
        .getDecision() == SamplingDecision.RECORD_AND_SAMPLE;
  }
}
