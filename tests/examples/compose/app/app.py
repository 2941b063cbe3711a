"""A notebook over HTTP whose memory is a block of a Letta agent: POST a note to /, GET / for what is noted."""

import json
import os
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BASE = os.environ["LETTA_BASE_URL"]
NAME = "notebook-app"


def letta(method, path, body=None):
    headers = {"Authorization": f"Bearer {os.environ.get('LETTA_API_KEY', '')}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(BASE + path, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def agent():
    """Find the agent of this application by its name, or make it: a restart goes on with the same one."""
    found = letta("GET", f"/v1/agents/?name={NAME}")
    if found:
        return found[0]["id"]
    model = letta("GET", "/v1/models/")[0]["handle"]
    blocks = [{"label": "notes", "value": ""}]
    return letta("POST", "/v1/agents/", {"name": NAME, "model": model, "memory_blocks": blocks})["id"]


class Notebook(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(letta("GET", BLOCK)["value"])

    def do_POST(self):
        note = self.rfile.read(int(self.headers["Content-Length"])).decode()
        noted = letta("GET", BLOCK)["value"]
        self.answer(letta("PATCH", BLOCK, {"value": f"{noted}{note}\n"})["value"])

    def answer(self, text):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(text.encode())


AGENT = agent()
BLOCK = f"/v1/agents/{urllib.parse.quote(AGENT)}/core-memory/blocks/notes"
ThreadingHTTPServer(("", 8000), Notebook).serve_forever()
