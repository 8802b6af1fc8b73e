"""moto's server, with writes one at a time: moto looks at the condition of a write and writes in two steps, S3 in one."""

import sys
import threading

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import run_simple

moto = DomainDispatcherApplication(create_backend_app)
writing = threading.Lock()


def one_write_at_a_time(environ, start_response):
    if environ["REQUEST_METHOD"] in ("GET", "HEAD"):
        return moto(environ, start_response)
    with writing:
        return moto(environ, start_response)


run_simple("127.0.0.1", int(sys.argv[1]), one_write_at_a_time, threaded=True, request_handler=MotoRequestHandler)
