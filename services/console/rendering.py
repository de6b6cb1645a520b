"""Pages from templates: all that comes from outside is text to them, never markup."""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from services.console import words
from services.console.access.accounts import Role
from services.console.access.ids import id_for
from services.console.access.sessions import Session
from services.console.addresses import call_address
from services.console.call import words as call_words


class Pages:
    """Renders the templates of this package."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=PackageLoader("services.console"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters |= {**words.FILTERS, **call_words.FILTERS}
        self._environment.globals |= {"Role": Role, "call_address": call_address, "id_for": id_for}

    def page(self, template: str, session: Session | None, *, status: int = 200, **content: Any) -> Response:
        """Return a page; `session` is None where nobody has logged in."""
        text = self._environment.get_template(template).render(session=session, status=status, **content)
        return HTMLResponse(text.encode(errors="replace"), status_code=status)
