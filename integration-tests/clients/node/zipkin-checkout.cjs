// The checkout trace with Zipkin's own client for Node.js, in its first or second JSON form. Ids have 64 bits.
'use strict';

const { Annotation, BatchRecorder, ExplicitContext, InetAddress, Tracer, jsonEncoder } = require('zipkin');
const { HttpLogger } = require('zipkin-transport-http');

/** Sends the trace of the shop and the shared server span of its payments, and gives the ids. */
exports.send = async (client, endpoint, service, start) => {
  const encoder = client === 'zipkin-v1-json' ? jsonEncoder.JSON_V1 : jsonEncoder.JSON_V2;
  const logger = new HttpLogger({ endpoint, jsonEncoder: encoder, httpInterval: 10 });
  const answered = new Promise((resolve, reject) => {
    logger.on('success', resolve);
    logger.on('error', reject);
  });
  const newTracer = (localServiceName) =>
    new Tracer({ ctxImpl: new ExplicitContext(), recorder: new BatchRecorder({ logger }), localServiceName });
  const shop = newTracer(service);
  const payments = newTracer('payments');
  const record = (tracer, id, steps) =>
    tracer.letId(id, () => {
      tracer.recordServiceName(tracer.localEndpoint.serviceName);
      for (const [micros, annotation] of steps) tracer.recordAnnotation(annotation, start + micros);
    });

  const checkout = shop.createRootId();
  const charge = shop.createChildId(checkout);
  const receipt = shop.createChildId(checkout);
  const archive = shop.createChildId(checkout);
  const server = { serviceName: 'payments', host: new InetAddress('10.0.0.9'), port: 8080 };
  const tag = (key, value) => [0, new Annotation.BinaryAnnotation(key, value)];

  record(shop, charge, [
    [0, new Annotation.Rpc('charge')],
    [2000, new Annotation.ClientSend()],
    [2000, new Annotation.ServerAddr(server)],
    tag('error', 'card refused'),
    [5000, new Annotation.ClientRecv()],
  ]);
  record(payments, payments.join(charge), [
    [0, new Annotation.Rpc('charge')],
    [0, new Annotation.LocalAddr(server)],
    [3000, new Annotation.ServerRecv()],
    [4000, new Annotation.ServerSend()],
  ]);
  record(shop, receipt, [
    [0, new Annotation.Rpc('receipt')],
    [6000, new Annotation.ProducerStart()],
    [8000, new Annotation.ProducerStop()],
  ]);
  record(shop, archive, [
    [7000, new Annotation.LocalOperationStart('archive')],
    [9000, new Annotation.LocalOperationStop()],
  ]);
  record(shop, checkout, [
    [0, new Annotation.Rpc('checkout')],
    [0, new Annotation.LocalAddr({ host: new InetAddress('10.0.0.1'), port: 80 })],
    [0, new Annotation.ServerRecv()],
    tag('text', 'Señal ✓'),
    tag('count', '42'),
    [1000, new Annotation.Message('cache miss')],
    [10000, new Annotation.ServerSend()],
  ]);

  // The client's own timer does not keep the process alive.
  const alive = setInterval(() => {}, 1000);
  await answered.finally(() => clearInterval(alive));
  const spans = { checkout, charge, receipt, archive };
  return {
    traceID: checkout.traceId,
    spans: Object.fromEntries(Object.entries(spans).map(([name, id]) => [name, id.spanId])),
  };
};
