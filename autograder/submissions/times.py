"""When something was handed in, as nbgrader and people write it."""

from __future__ import annotations

import re
from datetime import datetime

from autograder.submissions.roster import moment

# nbgrader writes an abbreviation where `c.Exchange.timezone` is set. These have one meaning: RFC 5322, section 4.3.
_ABBREVIATIONS = {"GMT": "UTC", "EST": "-0500", "EDT": "-0400", "CST": "-0600", "CDT": "-0500"}
_ABBREVIATIONS |= {"MST": "-0700", "MDT": "-0600", "PST": "-0800", "PDT": "-0700"}

NO_ZONE = "no zone"


def read_moment(text: str) -> datetime:
    """A date and time with its zone, as people and nbgrader write it. ValueError says what is missing."""
    text = re.sub(r"\b[A-Z]{3}$", lambda zone: _ABBREVIATIONS.get(zone[0], zone[0]), text.strip())
    return moment(re.sub(r"(:\S+ [+-]\d\d)$", r"\g<1>00", text))  # many zones have no letters: -03 is São Paulo's


def read_stamp(data: bytes, where: str) -> datetime:
    """The time in a timestamp.txt, which messages call `where`.

    ValueError if it is no moment, or empty: a time without a zone could be any of 25 hours.
    """
    text = data.decode("utf-8-sig", "replace").strip()
    try:
        return read_moment(text)
    except ValueError:
        raise ValueError(
            f"{where} holds {text[:40]!r}, which is no time with its zone: write it like 2026-11-30T23:59:00-05:00"
        ) from None


def in_zone(text: str) -> tuple[datetime | None, str]:
    """A time that can be compared with others of the same zone, and that zone as written; empty if it is known.

    Of a zone that is not known, such as CET, the time is taken for UTC. None if `text` is no time.
    """
    try:
        return read_moment(text), ""
    except ValueError:
        pass
    day, _, rest = text.strip().partition(" ")
    time, _, zone = rest.partition(" ")
    try:
        return moment(f"{day} {time} UTC"), zone or NO_ZONE
    except ValueError:
        return None, ""
