// Sends the checkout trace of ../README.md with a published client for Node.js and prints its ids, or prints what a remote
// sampler decides, whenever that changes.
//
//   checkout.cjs --client jaeger-udp --endpoint 127.0.0.1:6832 --service shop --start 1700000000000000
//   checkout.cjs --client follow-sampler --endpoint 127.0.0.1:5778 --service shop
'use strict';

const { parseArgs } = require('node:util');

const OPTIONS = {
  client: { type: 'string' },
  endpoint: { type: 'string' }, // host:port or URL, as the client takes it
  service: { type: 'string' },
  start: { type: 'string', default: '0' }, // microseconds since 1970
};

// Each client is loaded where it is used: the slow part of a run.
function run(client, endpoint, service, start) {
  switch (client) {
    case 'jaeger-udp':
    case 'jaeger-http':
      return require('./opentracing-checkout.cjs').send(client, endpoint, service, start);
    case 'otlp-grpc':
    case 'otlp-http-proto':
    case 'otlp-http-json':
      return require('./opentelemetry-checkout.cjs').send(client.replace('otlp-', ''), endpoint, service, start);
    case 'zipkin-v1-json':
    case 'zipkin-v2-json':
      return require('./zipkin-checkout.cjs').send(client, endpoint, service, start);
    case 'follow-sampler':
      return require('./follow-sampler.cjs').follow(endpoint, service);
    default:
      throw new Error(`unknown client ${client}`);
  }
}

async function main() {
  const { values } = parseArgs({ options: OPTIONS });
  const sent = await run(values.client, values.endpoint, values.service, Number(values.start));
  process.stdout.write(`${JSON.stringify(sent)}\n`);
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
