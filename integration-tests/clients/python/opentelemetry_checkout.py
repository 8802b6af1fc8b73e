"""The checkout trace with the OpenTelemetry SDK for Python."""

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanKind, Status, StatusCode, set_span_in_context
from send import Witness, exporter


def send(client, endpoint, service, start):
    """Sends the trace with OTLP's exporter for `client`, and gives its ids. `start` is in microseconds."""
    witness = Witness(exporter("grpc" if client == "otlp-grpc" else "http", endpoint))
    resource = Resource({
        "service.name": service, "service.version": "1.2.3", "replica": 3, "deployment.zones": ["a", "b"]})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(witness))
    tracer = provider.get_tracer("skua.integration-tests", "1.0")

    def at(micros):
        return (start + micros) * 1000

    attributes = {"text": "Señal ✓", "flag": True, "count": 42, "ratio": 0.25, "texts": ["a", "b"]}
    checkout = tracer.start_span("checkout", kind=SpanKind.SERVER, attributes=attributes, start_time=at(0))
    checkout.add_event("cache miss", {"key": "basket", "size": 3}, timestamp=at(1000))
    inside = set_span_in_context(checkout)

    charge = tracer.start_span("charge", inside, SpanKind.CLIENT, {"peer.service": "payments"}, start_time=at(2000))
    charge.set_status(Status(StatusCode.ERROR, "card refused"))
    charge.end(at(5000))

    links = [Link(charge.get_span_context(), {"why": "paid"})]
    receipt = tracer.start_span("receipt", inside, SpanKind.PRODUCER, links=links, start_time=at(6000))
    receipt.end(at(8000))
    checkout.end(at(10000))

    provider.shutdown()
    if witness.failed:
        raise RuntimeError("the collector did not accept every span")
    return {
        "traceID": format(checkout.get_span_context().trace_id, "032x"),
        "spans": {span.name: format(span.get_span_context().span_id, "016x") for span in (checkout, charge, receipt)},
    }
