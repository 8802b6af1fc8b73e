"""A checkout in a shop of three services, traced with the OpenTelemetry SDK and sent to Skua over OTLP/gRPC.

    pip install -r requirements.txt
    python app.py                                      # to 127.0.0.1:4317
    OTEL_EXPORTER_OTLP_ENDPOINT=http://host:4317 python app.py

The services run in one process here, but as in real life each has its own resource, and the trace passes from one to the
next in a `traceparent` header.
"""

import json
import os
import random
import time
import urllib.request

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import extract, inject
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode, format_trace_id

ENDPOINT = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317")
QUERY = os.environ.get("SKUA_QUERY", "http://127.0.0.1:16686")
SPANS = 10  # in the trace of one checkout


def service(name, version):
    """Tracing of one service: a provider with the service's resource, exporting in batches."""
    resource = Resource.create({"service.name": name, "service.version": version, "deployment.environment.name": "demo"})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=ENDPOINT, insecure=True)))
    return provider


frontend = service("frontend", "2.7.1")
orders = service("orders", "1.14.0")
payments = service("payments", "0.9.3")


def work(low, high):
    """Takes some milliseconds."""
    time.sleep(random.uniform(low, high) / 1000)


def call(tracer, method, url, handler, **arguments):
    """Calls another service: a client span here, and its context in the headers."""
    with tracer.start_as_current_span(
        method, kind=SpanKind.CLIENT, attributes={"http.request.method": method, "url.full": url}
    ) as span:
        headers = {}
        inject(headers)
        status = handler(headers, **arguments)
        span.set_attribute("http.response.status_code", status)
        if status >= 400:
            span.set_status(Status(StatusCode.ERROR))
        return status


def checkout():
    """The browser's request."""
    tracer = frontend.get_tracer("shop.frontend")
    with tracer.start_as_current_span(
        "POST /checkout",
        kind=SpanKind.SERVER,
        attributes={"http.request.method": "POST", "http.route": "/checkout", "user.id": "u-1729", "basket.items": 3},
    ) as span:
        with tracer.start_as_current_span("load basket") as basket:
            work(1, 4)
            basket.add_event("cache miss", {"cache.key": "basket:u-1729"})
        status = call(tracer, "POST", "http://orders.shop/orders", create_order, items=3)
        span.set_attribute("http.response.status_code", status)
        return format_trace_id(span.get_span_context().trace_id)


def create_order(headers, items):
    """The service `orders`."""
    tracer = orders.get_tracer("shop.orders")
    with tracer.start_as_current_span(
        "POST /orders", context=extract(headers), kind=SpanKind.SERVER, attributes={"order.items": items}
    ):
        with tracer.start_as_current_span(
            "INSERT orders", kind=SpanKind.CLIENT, attributes={"db.system.name": "postgresql", "db.operation.name": "INSERT"}
        ):
            work(3, 8)
        for attempt in (1, 2):
            if call(tracer, "POST", "http://payments.shop/charges", charge, attempt=attempt) == 200:
                return 201
        return 502


def charge(headers, attempt):
    """The service `payments`: the bank does not answer the first time."""
    tracer = payments.get_tracer("shop.payments")
    with tracer.start_as_current_span(
        "POST /charges", context=extract(headers), kind=SpanKind.SERVER, attributes={"attempt": attempt, "amount": 42.5}
    ) as span:
        work(5, 15)
        if attempt == 1:
            span.record_exception(TimeoutError("no answer from the bank after 10 ms"))
            span.set_status(Status(StatusCode.ERROR, "bank timed out"))
            return 504
        with tracer.start_as_current_span("reserve money", attributes={"bank": "Harbour & Sons"}):
            work(2, 6)
        return 200


def found(url, seconds=10):
    """Waits until Skua answers for the trace with all its spans."""
    for _ in range(seconds * 5):
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                spans = json.load(answer)["data"][0]["spans"]
                if len(spans) == SPANS:
                    return True
        except OSError:
            pass
        time.sleep(0.2)
    return False


if __name__ == "__main__":
    trace_url = f"{QUERY}/api/traces/{checkout()}"
    for provider in (frontend, orders, payments):
        provider.shutdown()
    if not found(trace_url):
        raise SystemExit(f"the trace is not at {trace_url}: is Skua running? (make run)")
    print(trace_url)
