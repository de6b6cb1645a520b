"""`/docs`: Swagger UI with the OpenAPI document, from files in this process, so that it works without the internet."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import orjson
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from swagger_ui_bundle import swagger_ui_path

from services.api.encoding.accept_encoding import preferred
from services.api.encoding.compressors import compress_whole
from services.api.errors import no_route

# Nothing is loaded from other hosts; Swagger UI sets styles and has its icons inline.
_POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"

# All URLs are relative: the page also works behind a path prefix.
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Callfold API</title>
<link rel="icon" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="docs"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""

# Swagger UI 4 accepts OpenAPI 3.0 only, by its version number; it shows what this document uses of 3.1 correctly.
_START = """fetch("openapi.json")
  .then((response) => response.json())
  .then((contract) => SwaggerUIBundle({
    spec: { ...contract, openapi: "3.0.3" },
    dom_id: "#docs",
    deepLinking: true,
    validatorUrl: null,
    defaultModelsExpandDepth: 0,
  }));
"""

_FILES: Mapping[str, Path] = {
    name: Path(swagger_ui_path) / name for name in ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png")
}
_TYPES = {".css": "text/css", ".js": "text/javascript"}
"""The media types of files that are compressed."""

_VARY = {"Vary": "Accept-Encoding"}

_compressed: dict[tuple[str, bytes], bytes] = {}  # nobody needs a key to ask for the largest of them


async def page(_request: Request) -> Response:
    return HTMLResponse(_PAGE, headers={"Content-Security-Policy": _POLICY})


async def file(request: Request) -> Response:
    name = request.path_params["name"]
    if name == "start.js":
        return Response(_START, media_type="text/javascript")
    if name not in _FILES:
        raise no_route()
    encoding = preferred(",".join(request.headers.getlist("Accept-Encoding")).encode("latin-1"))
    media_type = _TYPES.get(_FILES[name].suffix)
    if encoding is None or media_type is None:
        return FileResponse(_FILES[name], headers=_VARY)
    headers = _VARY | {"Content-Encoding": encoding.decode()}
    return Response(await _content(name, encoding), headers=headers, media_type=media_type)


async def _content(name: str, encoding: bytes) -> bytes:
    if (name, encoding) not in _compressed:
        content = await asyncio.to_thread(_FILES[name].read_bytes)
        _compressed[name, encoding] = await compress_whole([content], encoding)
    return _compressed[name, encoding]


async def contract(request: Request) -> Response:
    app: FastAPI = request.app
    return Response(orjson.dumps(app.openapi()), headers=_VARY, media_type="application/json")
