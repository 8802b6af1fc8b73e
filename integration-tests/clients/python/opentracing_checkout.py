"""The checkout trace with jaeger-client for Python."""

import time

import opentracing
from jaeger_client import Config
from opentracing.ext import tags


def new_tracer(service, host, port):
    config = Config(
        config={
            "sampler": {"type": "const", "param": 1},
            "local_agent": {"reporting_host": host, "reporting_port": port},
            "tags": {"service.version": "1.2.3", "replica": 3},
            "generate_128bit_trace_id": True,
        },
        service_name=service,
        validate=True,
    )
    return config.new_tracer()


def send(endpoint, service, start):
    """Sends the trace to host:port over UDP, and gives its ids. `start` is in seconds, as this API takes times."""
    host, port = endpoint.split(":")
    tracer = new_tracer(service, host, int(port))

    def at(micros):
        return start + micros / 1e6

    checkout = tracer.start_span("checkout", start_time=at(0), tags={tags.SPAN_KIND: tags.SPAN_KIND_RPC_SERVER})
    checkout.set_tag(tags.SAMPLING_PRIORITY, 1)
    checkout.set_tag("text", "Señal ✓").set_tag("flag", True).set_tag("count", 42).set_tag("ratio", 0.25)
    checkout.set_baggage_item("user", "ada")
    checkout.log_kv({"key": "basket", "event": "cache miss", "size": 3}, timestamp=at(1000))

    charge = tracer.start_span("charge", child_of=checkout, start_time=at(2000), tags={
        tags.SPAN_KIND: tags.SPAN_KIND_RPC_CLIENT, tags.PEER_SERVICE: "payments", tags.ERROR: True})
    charge.log_kv({"event": "error", "message": "card refused"}, timestamp=at(4000))
    charge.finish(at(5000))

    references = [opentracing.follows_from(charge.context), opentracing.child_of(checkout.context)]
    receipt = tracer.start_span("receipt", references=references, start_time=at(6000), tags={tags.SPAN_KIND: "producer"})
    receipt.finish(at(8000))
    archive = tracer.start_span("archive", references=[opentracing.follows_from(charge.context)], start_time=at(7000))
    archive.finish(at(9000))
    checkout.finish(at(10000))

    flushed = tracer.close()
    # Its future belongs to a loop that does not run here, so it can only be asked.
    while not flushed.done():
        time.sleep(0.01)
    spans = [checkout, charge, receipt, archive]
    return {
        "traceID": format(checkout.trace_id, "032x"),
        "spans": {span.operation_name: format(span.span_id, "016x") for span in spans},
    }
