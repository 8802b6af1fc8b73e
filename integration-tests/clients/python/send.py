"""Sends traces with the OpenTelemetry Python SDK and prints, as JSON, every span that the collector acknowledged.

The number and the content of the spans are fixed by the arguments; the ids are the SDK's own. Exit code 1 when the
exporter reported a failure, so that whoever reads the output knows that each printed span was accepted.
"""

import argparse
import json
import sys

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Link, SpanKind, Status, StatusCode

KINDS = [SpanKind.INTERNAL, SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.CONSUMER]

# One of each type of attribute value. send.cjs sends the same.
ATTRIBUTES = {
    "text": "Skua maccormicki",
    "text.unicode": "señal ✓ 追跡 🦆",
    "text.empty": "",
    "flag": True,
    "count": -42,
    "count.large": 9007199254740991,
    "ratio": 0.5,
    "texts": ["a", "b"],
    "flags": [True, False],
    "counts": [1, 2, 3],
    "ratios": [0.25, 0.75],
}


class Witness(SpanExporter):
    """Passes spans on and remembers whether every export succeeded."""

    def __init__(self, exporter):
        self.exporter = exporter
        self.failed = False

    def export(self, spans):
        result = self.exporter.export(spans)
        self.failed |= result is not SpanExportResult.SUCCESS
        return result

    def shutdown(self):
        self.exporter.shutdown()

    def force_flush(self, timeout_millis=30000):
        return self.exporter.force_flush(timeout_millis)


def exporter(protocol, endpoint):
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

        return OTLPSpanExporter(endpoint=endpoint, insecure=True, timeout=60)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter(endpoint=endpoint + "/v1/traces", timeout=60)


def send(tracer, traces, spans):
    """Makes `traces` traces of `spans` spans each: one server span, the others its children; the last child fails."""
    made = []

    def note(span, parent):
        context = span.get_span_context()
        made.append(
            {
                "traceID": format(context.trace_id, "032x"),
                "spanID": format(context.span_id, "016x"),
                "parentSpanID": format(parent.span_id, "016x") if parent else "",
                "operationName": span.name,
                "kind": span.kind.name.lower(),
            }
        )
        return context

    previous = None
    for number in range(traces):
        links = [Link(previous, {"why": "previous trace"})] if previous else []
        with tracer.start_as_current_span(
            "checkout", kind=SpanKind.SERVER, attributes={**ATTRIBUTES, "number": number}, links=links
        ) as root:
            previous = note(root, None)
            for child in range(1, spans):
                kind = KINDS[child % len(KINDS)]
                with tracer.start_as_current_span(f"step-{child}", kind=kind, attributes={"step": child}) as span:
                    note(span, previous)
                    span.add_event("cache miss", {"key": "basket", "size": 3})
                    if child == spans - 1:
                        span.record_exception(ValueError("card refused"))
                        span.set_status(Status(StatusCode.ERROR, "card refused"))
    return made


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--protocol", choices=["grpc", "http"], required=True)
    arguments.add_argument("--endpoint", required=True, help="http://host:port of the collector")
    arguments.add_argument("--service", required=True)
    arguments.add_argument("--traces", type=int, default=10)
    arguments.add_argument("--spans", type=int, default=5, help="spans in each trace")
    options = arguments.parse_args()

    witness = Witness(exporter(options.protocol, options.endpoint))
    total = options.traces * options.spans
    resource = Resource.create({"service.name": options.service, "service.version": "1.2.3", "deployment.zones": ["a", "b"]})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(witness, max_queue_size=max(total, 512), max_export_batch_size=512))
    made = send(provider.get_tracer("skua.integration-tests", "1.0"), options.traces, options.spans)
    flushed = provider.force_flush(120000)
    provider.shutdown()
    if witness.failed or not flushed:
        sys.exit("the collector did not accept every span")
    json.dump({"service": options.service, "spans": made}, sys.stdout)


if __name__ == "__main__":
    main()
