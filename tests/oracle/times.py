#!/usr/bin/env python3
"""When local times come, and on which days offices are shut: computed by others, to hold the program's schedules
against.

    times.py instants    questions from standard input, a JSON object a line:
                         {"zone": "Europe/Berlin", "from": "2006-01-01", "to": "2026-01-01", "at": ["02:30"]}
                         answers the instants of these local times on every day, as seconds since 1970, a list a line
    times.py holidays    {"country": "US", "subdivision": null, "from": 2026, "to": 2045}
                         answers the weekdays on which offices are shut, a list of dates a line

A local time comes once: as soon as the clock shows it, or, where it is left out, as soon as the clock shows a later
one. Zones are those of PyPI's tzdata, of the release that the program has; holidays those of PyPI's holidays.
"""

import datetime as dt
import json
import sys
import zoneinfo

UTC = dt.timezone.utc
DAY = dt.timedelta(days=1)


def shown(zone, instant):
    """What the clock shows."""
    return instant.astimezone(zone).replace(tzinfo=None)


def first_instant(zone, local):
    """The first instant at which the clock shows a time, or a later one where it never shows it."""
    around = [dt.datetime.fromtimestamp((local.replace(tzinfo=UTC) + n * DAY).timestamp(), UTC) for n in (-2, 2)]
    candidates = [local.replace(tzinfo=UTC) - instant.astimezone(zone).utcoffset() for instant in around]
    exact = [instant for instant in candidates if shown(zone, instant) == local]
    if exact:
        return min(exact)
    # Left out: clocks go forward between, and only forward.
    low, high = (int(instant.timestamp()) for instant in around)
    while high - low > 1:
        middle = (low + high) // 2
        if shown(zone, dt.datetime.fromtimestamp(middle, UTC)) < local:
            low = middle
        else:
            high = middle
    return dt.datetime.fromtimestamp(high, UTC)


def instants(question):
    zone = zoneinfo.ZoneInfo(question["zone"])
    day, end = dt.date.fromisoformat(question["from"]), dt.date.fromisoformat(question["to"])
    times = [dt.time.fromisoformat(at) for at in question["at"]]
    found = set()
    while day < end:
        for at in times:
            found.add(int(first_instant(zone, dt.datetime.combine(day, at)).timestamp()))
        day += DAY
    return sorted(found)


def shut(question):
    import holidays

    years = range(question["from"], question["to"] + 1)
    days = holidays.country_holidays(question["country"], subdiv=question["subdivision"], years=years)
    return sorted(str(day) for day in days if day.weekday() < 5 and day.year in years)


def main():
    answer = {"instants": instants, "holidays": shut}[sys.argv[1]]
    if sys.argv[1] == "instants":
        # PyPI's tzdata, not the machine's.
        zoneinfo.reset_tzpath(to=[])
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))))


if __name__ == "__main__":
    main()
