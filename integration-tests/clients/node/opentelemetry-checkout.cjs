// The checkout trace with the OpenTelemetry SDK for Node.js.
'use strict';

const { SpanKind, SpanStatusCode, context, trace } = require('@opentelemetry/api');
const { resourceFromAttributes } = require('@opentelemetry/resources');
const { BatchSpanProcessor, NodeTracerProvider } = require('@opentelemetry/sdk-trace-node');
const { Witness, exporter } = require('./send.cjs');

/** Sends the trace with OTLP's exporter for `protocol`, and gives its ids. `start` is in microseconds. */
exports.send = async (protocol, endpoint, service, start) => {
  const witness = new Witness(exporter(protocol, endpoint));
  const resource = resourceFromAttributes({
    'service.name': service,
    'service.version': '1.2.3',
    replica: 3,
    'deployment.zones': ['a', 'b'],
  });
  const provider = new NodeTracerProvider({ resource, spanProcessors: [new BatchSpanProcessor(witness)] });
  const tracer = provider.getTracer('skua.integration-tests', '1.0');
  const at = (micros) => [Math.floor((start + micros) / 1e6), ((start + micros) % 1e6) * 1000];

  const checkout = tracer.startSpan('checkout', {
    kind: SpanKind.SERVER,
    startTime: at(0),
    attributes: { text: 'Señal ✓', flag: true, count: 42, ratio: 0.25, texts: ['a', 'b'] },
  });
  checkout.addEvent('cache miss', { key: 'basket', size: 3 }, at(1000));
  const inside = trace.setSpan(context.active(), checkout);

  const charge = tracer.startSpan(
    'charge',
    { kind: SpanKind.CLIENT, startTime: at(2000), attributes: { 'peer.service': 'payments' } },
    inside,
  );
  charge.setStatus({ code: SpanStatusCode.ERROR, message: 'card refused' });
  charge.end(at(5000));

  const links = [{ context: charge.spanContext(), attributes: { why: 'paid' } }];
  const receipt = tracer.startSpan('receipt', { kind: SpanKind.PRODUCER, startTime: at(6000), links }, inside);
  receipt.end(at(8000));
  checkout.end(at(10000));

  await provider.forceFlush();
  await provider.shutdown();
  if (witness.errors.length > 0) throw new Error(`the collector did not accept every span: ${witness.errors[0]}`);
  const spans = { checkout, charge, receipt };
  return {
    traceID: checkout.spanContext().traceId,
    spans: Object.fromEntries(Object.entries(spans).map(([name, span]) => [name, span.spanContext().spanId])),
  };
};
