"""`/docs`: the contract to read and to try, from files of our own, so that it works without the internet."""

from collections.abc import Mapping
from pathlib import Path

import orjson
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from swagger_ui_bundle import swagger_ui_path

from services.api.errors import no_route

# Nothing from elsewhere; the page sets styles by itself and has its icons inline.
_POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"

# All addresses are relative: the page works behind a path prefix too.
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

# Swagger UI 4 shows 3.0 only, and asks for nothing but the number: what we use of 3.1 it shows rightly.
_START = """fetch("openapi.json")
  .then((answer) => answer.json())
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


async def page(_request: Request) -> Response:
    """Return the page."""
    return HTMLResponse(_PAGE, headers={"Content-Security-Policy": _POLICY})


async def file(request: Request) -> Response:
    """Return a file of the page."""
    name = request.path_params["name"]
    if name == "start.js":
        return Response(_START, media_type="text/javascript")
    if name not in _FILES:
        raise no_route()
    return FileResponse(_FILES[name])


async def contract(request: Request) -> Response:
    """Return the contract as OpenAPI."""
    app: FastAPI = request.app
    return Response(orjson.dumps(app.openapi()), media_type="application/json")
