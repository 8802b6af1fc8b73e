// The checkout trace with jaeger-client for Node.js: UDP in Thrift's binary protocol, or HTTP.
'use strict';

const { REFERENCE_CHILD_OF, Reference, REFERENCE_FOLLOWS_FROM, Tags } = require('opentracing');
const jaeger = require('jaeger-client');
const HttpSender = require('jaeger-client/dist/src/reporters/http_sender').default;
const UdpSender = require('jaeger-client/dist/src/reporters/udp_sender').default;

function newSender(client, endpoint, logger) {
  if (client === 'jaeger-http') return new HttpSender({ endpoint, logger });
  const [host, port] = endpoint.split(':');
  return new UdpSender({ host, port: Number(port), logger });
}

/** Sends the trace and gives its ids. `start` is in microseconds; this API takes times in milliseconds. */
exports.send = async (client, endpoint, service, start) => {
  const errors = [];
  const logger = { info() {}, error: (message) => errors.push(message) };
  const reporter = new jaeger.RemoteReporter(newSender(client, endpoint, logger), { logger });
  const tracer = new jaeger.Tracer(service, reporter, new jaeger.ConstSampler(true), {
    logger,
    traceId128bit: true,
    tags: { 'service.version': '1.2.3', replica: 3 },
  });
  const at = (micros) => (start + micros) / 1000;

  const checkout = tracer.startSpan('checkout', { startTime: at(0), tags: { [Tags.SPAN_KIND]: 'server' } });
  checkout.setTag(Tags.SAMPLING_PRIORITY, 1);
  checkout.addTags({ text: 'Señal ✓', flag: true, count: 42, ratio: 0.25, bytes: Buffer.from([0, 1, 254, 255]) });
  checkout.setBaggageItem('user', 'ada');
  checkout.log({ key: 'basket', event: 'cache miss', size: 3 }, at(1000));

  const charge = tracer.startSpan('charge', {
    childOf: checkout,
    startTime: at(2000),
    tags: { [Tags.SPAN_KIND]: 'client', [Tags.PEER_SERVICE]: 'payments', [Tags.ERROR]: true },
  });
  charge.log({ event: 'error', message: 'card refused' }, at(4000));
  charge.finish(at(5000));

  const followsCharge = new Reference(REFERENCE_FOLLOWS_FROM, charge.context());
  const receipt = tracer.startSpan('receipt', {
    references: [followsCharge, new Reference(REFERENCE_CHILD_OF, checkout.context())],
    startTime: at(6000),
    tags: { [Tags.SPAN_KIND]: 'producer' },
  });
  receipt.finish(at(8000));
  const archive = tracer.startSpan('archive', { references: [followsCharge], startTime: at(7000) });
  archive.finish(at(9000));
  checkout.finish(at(10000));

  await new Promise((resolve) => tracer.close(resolve));
  if (errors.length > 0) throw new Error(errors[0]);
  const spans = { checkout, charge, receipt, archive };
  // This client writes ids without leading zeros.
  const spanId = (span) => span.context().spanIdStr.padStart(16, '0');
  return {
    traceID: checkout.context().traceIdStr.padStart(32, '0'),
    spans: Object.fromEntries(Object.entries(spans).map(([name, span]) => [name, spanId(span)])),
  };
};
