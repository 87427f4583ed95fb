"""A notification by a POST over the web: to ntfy, or to a webhook of the user's.

The address and the token are secrets: they are in no message and no command line. Redirects are not followed, which
would hand them to another host.
"""

import http.client
import json
import ssl
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import quote, unquote

from rookery import __version__
from rookery.core import web_address
from rookery.jobs.monitor.notify.message import Message

TIMEOUT = 10
"""Seconds for each step of a connection."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Let a redirect be an error, which `_post` reports."""
        return


def to_webhook(address: str, message: Message) -> str:
    """Send a message as JSON; return what went wrong, or ""."""
    return _post(address, message.document(), "")


def to_ntfy(address: str, token: str, message: Message) -> str:
    """Publish a message; return what went wrong, or "".

    As JSON, sent to the server's root (docs.ntfy.sh/publish/#publish-as-json): headers can't carry all characters.

    Args:
        address: Of the topic.
        token: Access token; "" for none.
        message: The message.
    """
    topic = web_address.last_part(address)
    root = address.partition("?")[0].removesuffix(topic)
    document = {
        "topic": unquote(topic),
        "title": message.title,
        "message": message.text or message.title,
        "tags": ["white_check_mark" if message.ok else "x"],
        "priority": 3 if message.ok else 4,
    }
    return _post(root, document, token)


def _post(address: str, document: dict[str, Any], token: str) -> str:
    headers = {"Content-Type": "application/json", "User-Agent": f"rookery/{__version__}"}
    if token:
        headers["Authorization"] = f"Bearer {quote(token, safe='._~+/=-')}"
    request = urllib.request.Request(address, json.dumps(document).encode(), headers)  # noqa: S310 checked when it was set
    opener = urllib.request.build_opener(_NoRedirects)
    where = web_address.origin(address)
    try:
        with opener.open(request, timeout=TIMEOUT):
            return ""
    except urllib.error.HTTPError as error:
        return f"{where} answered {error.code}{_why(error)}"
    except (OSError, http.client.HTTPException, ValueError) as error:
        return f"{where}: {_reason(error)}"


def _why(error: urllib.error.HTTPError) -> str:
    """Return what a status means for the user; "" where it says no more than its number."""
    if 300 <= error.code < 400:
        other = web_address.origin(error.headers.get("Location") or "")
        return f", a redirect{f' to {other}' if other else ''}, which is not followed"
    if error.code in {401, 403}:
        return ", access denied"
    return ", no such address" if error.code in {404, 410} else ""


def _reason(error: Exception) -> str:
    """Return why a connection failed, without the address."""
    reason = getattr(error, "reason", error)
    if isinstance(reason, TimeoutError):
        return "no answer in time"
    if isinstance(reason, ssl.SSLError):
        return "its certificate is not valid, or it does not speak https"
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror
    return "can't be reached" if isinstance(reason, OSError) else "does not answer as a web server"
