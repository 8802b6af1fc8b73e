"""Sends the checkout trace of ../README.md with a published Python client, and prints its ids.

    checkout.py --client jaeger-udp --endpoint 127.0.0.1:6831 --service shop --start 1700000000000000
"""

import argparse
import json
import sys


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--client", choices=["jaeger-udp", "zipkin-udp", "otlp-grpc", "otlp-http-proto"], required=True)
    arguments.add_argument("--endpoint", required=True, help="where to send: host:port or URL, as the client takes it")
    arguments.add_argument("--service", required=True)
    arguments.add_argument("--start", type=int, required=True, help="start of the trace, in microseconds since 1970")
    options = arguments.parse_args()

    # Each client is imported where it is used: the slow part of a run.
    if options.client == "jaeger-udp":
        import opentracing_checkout

        sent = opentracing_checkout.send(options.endpoint, options.service, options.start / 1e6)
    elif options.client == "zipkin-udp":
        import zipkin_checkout

        sent = zipkin_checkout.send(options.endpoint, options.service, options.start)
    else:
        import opentelemetry_checkout

        sent = opentelemetry_checkout.send(options.client, options.endpoint, options.service, options.start)
    json.dump(sent, sys.stdout)


if __name__ == "__main__":
    main()
