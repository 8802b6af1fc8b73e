// Polls an agent's sampling port with jaeger-client's remote sampler and prints what it decides for most spans of
// two operations whenever that changes, until the process is ended.
'use strict';

const jaeger = require('jaeger-client');

exports.follow = (hostPort, service) => {
  const sampler = new jaeger.RemoteSampler(service, {
    hostPort,
    refreshInterval: 200,
    sampler: new jaeger.ConstSampler(false),
  });
  const tracer = new jaeger.Tracer(service, new jaeger.NoopReporter(), sampler);
  const isSampled = (operation) => tracer.startSpan(operation).context().isSampled();
  const sampled = (operation) => Array.from({ length: 10 }, () => isSampled(operation)).filter(Boolean).length > 5;
  let last = '';
  setInterval(() => {
    const decisions = `checkout=${sampled('checkout')} charge=${sampled('charge')}`;
    if (decisions !== last) process.stdout.write(`${decisions}\n`);
    last = decisions;
  }, 50);
  return new Promise(() => {});
};
