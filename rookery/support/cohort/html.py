"""The readiness table as one page."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final

from rookery.support import web_page
from rookery.support.cohort import pages, readiness, table
from rookery.support.cohort.readiness import Picture

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster

COMMAND: Final = "cohort"
"""The command whose pages these are."""


def page(title: str, picture: Picture, clusters: Mapping[str, "Cluster"], now: datetime) -> str:
    """Return the page.

    Args:
        title: What the cohort is called.
        picture: What it shows.
        clusters: The profiles of all clusters in it.
        now: When it is made.
    """
    return web_page.rendered(
        COMMAND,
        title=title,
        rows=picture.rows,
        columns=table.columns(picture.rows),
        clusters=clusters,
        states=readiness.STATES,
        counts=readiness.counts(picture.rows),
        size=table.size(picture.rows),
        fresh=readiness.FRESH.days,
        now=now,
        unread=picture.unread,
        nobodys=picture.nobodys,
        onboard=pages.onboard,
        doctor=pages.doctor,
        mail=pages.mail,
        short=pages.short,
    )
