"""Opens workbooks in one LibreOffice and answers requests about them: a line of JSON each, in and out.

Runs under Debian's own Python, which is the one that LibreOffice's bridge is built for. LibreOffice has a profile of
its own and listens on a pipe, not on a port; it is ended with this program, whatever happens.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import uuid

import uno
from com.sun.star.beans import PropertyValue
from com.sun.star.connection import NoConnectException
from com.sun.star.sheet.FormulaResult import VALUE
from com.sun.star.table import TableSortField
from com.sun.star.table.TableSortFieldType import ALPHANUMERIC, NUMERIC

START_SECS_MAX = 60
REQUEST_SECS_MAX = 120
FORMULA_CELLS = 16  # com.sun.star.sheet.CellFlags.FORMULA


def prop(name, value):
    one = PropertyValue()
    one.Name, one.Value = name, value
    return one


def url(path):
    return uno.systemPathToFileUrl(os.path.abspath(path))


class Office:
    """A LibreOffice without a window."""

    def __init__(self, soffice):
        self.profile = tempfile.mkdtemp(prefix="pressrun-office-")
        pipe = "pressrun" + uuid.uuid4().hex
        self.process = subprocess.Popen(
            [soffice, "-env:UserInstallation=" + url(self.profile), "--headless", "--norestore", "--nologo",
             "--nodefault", "--accept=pipe,name=%s;urp;" % pipe],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            self.desktop = self.connect(pipe)
        except BaseException:
            self.end()
            raise

    def connect(self, pipe):
        local = uno.getComponentContext()
        resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
        until = time.monotonic() + START_SECS_MAX
        while True:
            try:
                context = resolver.resolve("uno:pipe,name=%s;urp;StarOffice.ComponentContext" % pipe)
                return context.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", context)
            except NoConnectException:
                if time.monotonic() > until or self.process.poll() not in (None, 81):
                    raise
                time.sleep(0.1)

    def end(self):
        # The script that is started has children; they are all of one session.
        try:
            os.killpg(self.process.pid, 9)
        except ProcessLookupError:
            pass
        self.process.wait(10)
        shutil.rmtree(self.profile, ignore_errors=True)


def cell_value(cell):
    """A number, a text, an error or nothing, of a formula or without one."""
    kind = cell.Type.value
    if kind == "EMPTY":
        return None
    if kind == "VALUE":
        return cell.Value
    if kind == "TEXT":
        return cell.String
    if cell.getError() != 0:
        return {"error": cell.String}
    return cell.Value if cell.FormulaResultType2 == VALUE else cell.String


def values(area):
    """The rows of a range; only cells that hold an error are asked for one by one."""
    rows = [list(row) for row in area.getDataArray()]
    for r, row in enumerate(rows):
        for c, value in enumerate(row):
            if value is None or value == "" or (isinstance(value, str) and value.startswith("#")):
                row[c] = cell_value(area.getCellByPosition(c, r))
    return rows


class Desk:
    """The file that is open, and what can be asked of it."""

    def __init__(self, office):
        self.office, self.document = office, None

    def sheet(self, ask):
        return self.document.Sheets.getByName(ask["sheet"])

    def range(self, ask):
        return self.sheet(ask).getCellRangeByName(ask["range"])

    def open(self, ask):
        self.close(ask)
        self.document = self.office.desktop.loadComponentFromURL(url(ask["file"]), "_blank", 0, (prop("Hidden", True),))
        if self.document is None:
            raise ValueError("LibreOffice can't open " + ask["file"])
        return list(self.document.Sheets.ElementNames)

    def close(self, ask):
        if self.document is not None:
            self.document.close(True)
        self.document = None

    def recalculate(self, ask):
        # Every cell is computed anew, whatever result the file brought.
        self.document.calculateAll()

    def formulas(self, ask):
        found = []
        for name in self.document.Sheets.ElementNames:
            sheet = self.document.Sheets.getByName(name)
            for at in sheet.queryContentCells(FORMULA_CELLS).RangeAddresses:
                area = sheet.getCellRangeByPosition(at.StartColumn, at.StartRow, at.EndColumn, at.EndRow)
                for r, row in enumerate(values(area)):
                    for c, value in enumerate(row):
                        found.append([name, at.StartRow + r, at.StartColumn + c, value])
        return found

    def cells(self, ask):
        """All cells that hold something: row, column, value."""
        found = {}
        for name in self.document.Sheets.ElementNames:
            sheet = self.document.Sheets.getByName(name)
            cursor = sheet.createCursor()
            cursor.gotoEndOfUsedArea(False)
            at = cursor.RangeAddress
            area = sheet.getCellRangeByPosition(0, 0, at.EndColumn, at.EndRow)
            found[name] = [[r, c, value] for r, row in enumerate(values(area)) for c, value in enumerate(row)
                           if value is not None and value != ""]
        return found

    def read(self, ask):
        return values(self.range(ask))

    def set(self, ask):
        cell, value = self.range(ask).getCellByPosition(0, 0), ask["value"]
        if isinstance(value, str):
            cell.String = value
        else:
            cell.Value = value

    def sort(self, ask):
        field = TableSortField()
        field.Field, field.IsAscending, field.IsCaseSensitive = ask["column"], ask["ascending"], False
        field.FieldType = NUMERIC if ask.get("numeric") else ALPHANUMERIC
        fields = uno.Any("[]com.sun.star.table.TableSortField", (field,))
        self.range(ask).sort((prop("SortFields", fields), prop("ContainsHeader", False), prop("IsSortColumns", False)))

    def pdf(self, ask):
        self.document.storeToURL(url(ask["to"]), (prop("FilterName", "calc_pdf_Export"),))


def spelled(value):
    """Numbers as texts, digit for digit: the readers of JSON round them differently."""
    if isinstance(value, float):
        return {"number": repr(value)}
    if isinstance(value, (list, tuple)):
        return [spelled(one) for one in value]
    if isinstance(value, dict):
        return {name: spelled(one) for name, one in value.items()}
    return value


ACTIONS = ["open", "close", "recalculate", "formulas", "cells", "read", "set", "sort", "pdf"]


def give_up(office):
    """A call into LibreOffice can't be broken off from within: both programs end."""
    office.end()
    os._exit(3)


def main():
    office = Office(sys.argv[1])
    try:
        desk = Desk(office)
        for line in sys.stdin:
            ask = json.loads(line)
            watch = threading.Timer(REQUEST_SECS_MAX, give_up, [office])
            watch.daemon = True
            watch.start()
            try:
                if ask["do"] not in ACTIONS:
                    raise ValueError("unknown request " + ask["do"])
                answer = {"ok": spelled(getattr(desk, ask["do"])(ask))}
            except Exception as error:  # whatever LibreOffice throws is an answer to the test that asked
                answer = {"failed": "%s: %s" % (type(error).__name__, error)}
            watch.cancel()
            print(json.dumps(answer, ensure_ascii=True), flush=True)
    finally:
        office.end()


if __name__ == "__main__":
    main()
