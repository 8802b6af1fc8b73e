// Sends traces with the OpenTelemetry SDK for Node.js and prints, as JSON, every span that the collector acknowledged.
//
// The number and the content of the spans are fixed by the arguments; the ids are the SDK's own. Exit code 1 when the
// exporter reported a failure, so that whoever reads the output knows that each printed span was accepted.
'use strict';

const { parseArgs } = require('node:util');
const { SpanKind, SpanStatusCode, context, trace } = require('@opentelemetry/api');
const { resourceFromAttributes } = require('@opentelemetry/resources');
const { BatchSpanProcessor, NodeTracerProvider } = require('@opentelemetry/sdk-trace-node');

const KINDS = [SpanKind.INTERNAL, SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.CONSUMER];

// One of each type of attribute value. send.py sends the same.
const ATTRIBUTES = {
  text: 'Skua maccormicki',
  'text.unicode': 'señal ✓ 追跡 🦆',
  'text.empty': '',
  flag: true,
  count: -42,
  'count.large': Number.MAX_SAFE_INTEGER,
  ratio: 0.5,
  texts: ['a', 'b'],
  flags: [true, false],
  counts: [1, 2, 3],
  ratios: [0.25, 0.75],
};

/** Passes spans on and remembers whether every export succeeded. */
class Witness {
  constructor(exporter) {
    this.exporter = exporter;
    this.errors = [];
  }

  export(spans, done) {
    this.exporter.export(spans, (result) => {
      if (result.code !== 0) this.errors.push(String(result.error));
      done(result);
    });
  }

  shutdown() {
    return this.exporter.shutdown();
  }

  forceFlush() {
    return this.exporter.forceFlush();
  }
}

function exporter(protocol, endpoint) {
  const timeoutMillis = 60000;
  switch (protocol) {
    case 'grpc':
      return new (require('@opentelemetry/exporter-trace-otlp-grpc').OTLPTraceExporter)({ url: endpoint, timeoutMillis });
    case 'http-proto':
      return new (require('@opentelemetry/exporter-trace-otlp-proto').OTLPTraceExporter)({
        url: `${endpoint}/v1/traces`,
        timeoutMillis,
      });
    case 'http-json':
      return new (require('@opentelemetry/exporter-trace-otlp-http').OTLPTraceExporter)({
        url: `${endpoint}/v1/traces`,
        timeoutMillis,
      });
    default:
      throw new Error(`unknown protocol ${protocol}`);
  }
}

/** Makes `traces` traces of `spans` spans each: one server span, the others its children; the last child fails. */
function send(tracer, traces, spans) {
  const made = [];
  const note = (span, parent) => {
    const { traceId, spanId } = span.spanContext();
    made.push({
      traceID: traceId,
      spanID: spanId,
      parentSpanID: parent ? parent.spanId : '',
      operationName: span.name,
      kind: SpanKind[span.kind].toLowerCase(),
    });
    return span.spanContext();
  };

  let previous;
  for (let number = 0; number < traces; number += 1) {
    const links = previous ? [{ context: previous, attributes: { why: 'previous trace' } }] : [];
    const attributes = { ...ATTRIBUTES, number };
    const root = tracer.startSpan('checkout', { kind: SpanKind.SERVER, attributes, links, root: true });
    previous = note(root, undefined);
    const inside = trace.setSpan(context.active(), root);
    for (let child = 1; child < spans; child += 1) {
      const kind = KINDS[child % KINDS.length];
      const span = tracer.startSpan(`step-${child}`, { kind, attributes: { step: child } }, inside);
      note(span, previous);
      span.addEvent('cache miss', { key: 'basket', size: 3 });
      if (child === spans - 1) {
        span.recordException(new Error('card refused'));
        span.setStatus({ code: SpanStatusCode.ERROR, message: 'card refused' });
      }
      span.end();
    }
    root.end();
  }
  return made;
}

async function main() {
  const { values } = parseArgs({
    options: {
      protocol: { type: 'string' },
      endpoint: { type: 'string' },
      service: { type: 'string' },
      traces: { type: 'string', default: '10' },
      spans: { type: 'string', default: '5' },
    },
  });
  const traces = Number(values.traces);
  const spans = Number(values.spans);
  const witness = new Witness(exporter(values.protocol, values.endpoint));
  const processor = new BatchSpanProcessor(witness, { maxQueueSize: Math.max(traces * spans, 512), maxExportBatchSize: 512 });
  const resource = resourceFromAttributes({
    'service.name': values.service,
    'service.version': '1.2.3',
    'deployment.zones': ['a', 'b'],
  });
  const provider = new NodeTracerProvider({ resource, spanProcessors: [processor] });
  const made = send(provider.getTracer('skua.integration-tests', '1.0'), traces, spans);
  await provider.forceFlush();
  await provider.shutdown();
  if (witness.errors.length > 0) throw new Error(`the collector did not accept every span: ${witness.errors[0]}`);
  process.stdout.write(JSON.stringify({ service: values.service, spans: made }));
}

module.exports = { Witness, exporter };

if (require.main === module) {
  main().catch((error) => {
    console.error(error);
    process.exitCode = 1;
  });
}
