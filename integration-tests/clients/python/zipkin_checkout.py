"""The checkout trace as Zipkin's Thrift over UDP, as the first Jaeger clients sent it, with the code that jaeger-client for
Python is generated with."""

import random
import struct

from jaeger_client.local_agent_net import LocalAgentSender
from jaeger_client.thrift_gen.agent import Agent
from jaeger_client.thrift_gen.zipkincore.ttypes import Annotation, AnnotationType, BinaryAnnotation, Endpoint, Span
from thrift.protocol.TCompactProtocol import TCompactProtocol


class Compact(TCompactProtocol):
    """The generated code writes binary fields as text, as its own release of Thrift allowed."""

    def writeString(self, value):
        self.writeBinary(value if isinstance(value, bytes) else value.encode())


class CompactFactory:
    def getProtocol(self, transport):
        return Compact(transport)


def new_id():
    return random.getrandbits(63)


def send(endpoint, service, start):
    """Sends the trace to host:port over UDP, and gives its ids. `start` is in microseconds."""
    shop = Endpoint(ipv4=0x0A000001, port=80, service_name=service)
    payments = Endpoint(ipv4=0x0A000009, port=-20000, service_name="payments")  # the port 45536, in 16 bits
    high, low = new_id(), new_id()

    def binary(key, kind, value, host=shop):
        return BinaryAnnotation(key, value, kind, host)

    def span(name, begin, end, core, parent=low, annotations=(), binaries=(), debug=True):
        first, last = core
        own = [Annotation(start + begin, first, shop), Annotation(start + end, last, shop)] if first else []
        return Span(
            trace_id=low, trace_id_high=high, id=new_id(), parent_id=parent, name=name, debug=debug,
            timestamp=start + begin, duration=end - begin,
            annotations=own + list(annotations), binary_annotations=list(binaries),
        )

    checkout = span("checkout", 0, 10000, ("sr", "ss"), None, [Annotation(start + 1000, "cache miss", shop)], [
        binary("text", AnnotationType.STRING, "Señal ✓".encode()),
        binary("flag", AnnotationType.BOOL, b"\x01"),
        binary("short", AnnotationType.I16, struct.pack(">h", -42)),
        binary("int", AnnotationType.I32, struct.pack(">i", -42)),
        binary("count", AnnotationType.I64, struct.pack(">q", -42)),
        binary("ratio", AnnotationType.DOUBLE, struct.pack(">d", 0.25)),
        binary("bytes", AnnotationType.BYTES, b"\x00\x01\xfe\xff"),
        binary("jaegerClient", AnnotationType.STRING, b"Python-1.0.0"),
    ])
    charge = span("charge", 2000, 5000, ("cs", "cr"), low, [], [
        binary("sa", AnnotationType.BOOL, b"\x01", payments),
        binary("error", AnnotationType.STRING, b"card refused"),
    ])
    archive = span("archive", 7000, 9000, ("", ""), low, [], [binary("lc", AnnotationType.STRING, b"archiver")])
    checkout.id = low

    host, port = endpoint.split(":")
    transport = LocalAgentSender(host, sampling_port=0, reporting_port=int(port))
    spans = [checkout, charge, archive]
    Agent.Client(transport, CompactFactory()).emitZipkinBatch(spans)
    return {
        "traceID": format(high, "016x") + format(low, "016x"),
        "spans": {span.name: format(span.id, "016x") for span in spans},
    }
