"""Chat servers on loopback: one that behaves, and what can be made to misbehave."""

import atexit
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKENS = {"prompt_tokens": 100, "completion_tokens": 10}


def drawn(body):
    """A number that the body of a request decides."""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).digest()[0]


def completion(text, usage=TOKENS, **choice):
    """The body of a whole reply."""
    message = {"role": "assistant", "content": text} | choice.pop("message", {})
    told = {"choices": [{"index": 0, "message": message, "finish_reason": "stop", **choice}],
            "object": "chat.completion", "id": "1", "model": "toy", "usage": usage}  # fmt: skip
    return json.dumps(told).encode()


def sensible(body):
    """A reply in the form that is asked for; the request decides what it says."""
    number, schema = drawn(body), body.get("response_format", {}).get("json_schema", {})
    properties = schema.get("schema", {}).get("properties", {})
    if "videos" in properties:
        count = len(properties["videos"]["items"]["enum"])
        best = number % count + 1
        said = {"videos": [best, best % count + 1], "reply": f"It is video {best}."}
        return completion(json.dumps(said))
    if "start" in properties:
        start = number % 5
        said = {"start": start, "end": start + 2.5, "reply": f"{start}s-{start + 2.5}s."}
        return completion(json.dumps(said))
    return completion(f"It is video {number % 2 + 1}, from {number % 5} s to {number % 5 + 3} s.")


class Server:
    """Answers POSTs; `act(handler, body, number)` is given the number of the request, from 0.

    asked: bodies as they came; answered: bodies whose replies were sent whole; headers: of the
    requests, by names in lower case.
    """

    def __init__(self, act=None):
        self.act = act or (lambda handler, body, number: handler.say(sensible(body)))
        self.asked, self.answered, self.headers = [], [], []
        self.times, self.most, self._now, self._lock = [], 0, 0, threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def close(self):
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _handler(server):  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with server._lock:
                    number = len(server.asked)
                    server.asked.append(body)
                    server.headers.append({n.lower(): text for n, text in self.headers.items()})
                    server._now += 1
                    server.most = max(server.most, server._now)
                self.body = body
                try:
                    server.act(self, body, number)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True
                finally:
                    with server._lock:
                        server._now -= 1

            def say(self, data, status=200, headers=(), *, length=None):
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data) if length is None else length))
                for name, value in headers:
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)
                self.wfile.flush()
                if status == 200 and length is None:
                    with server._lock:
                        server.answered.append(self.body)

            def log_message(self, *told):
                pass

        return Handler


_STANDING = []


def standing():
    """A server that behaves and lasts as long as the tests."""
    if not _STANDING:
        _STANDING.append(Server())
        atexit.register(_STANDING[0].close)
    return _STANDING[0]
