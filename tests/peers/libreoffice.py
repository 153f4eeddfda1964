#!/usr/bin/env python3
"""Opens workbooks in one LibreOffice and does to them what a reader would.

Reads a JSON list of jobs from standard input and prints a JSON list of answers:

    {"file": PATH, "steps": [STEP, ...]}

A step is one of

    {"recalculate": true}                  computes every formula anew; answers every formula cell:
                                           {"sheet": [[row, column, value or null for an error], ...]}
    {"set": {NAME: value}, "read": [NAME]} writes into named cells, recalculates, and answers the named ranges' rows
    {"sort": "Geography!B10:F70", "column": 2, "ascending": false}
                                           sorts a range by one of its columns and answers its rows

Rows and columns count from 0. It ends after ten minutes, whatever LibreOffice does.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import uno
from com.sun.star.beans import PropertyValue
from com.sun.star.connection import NoConnectException
from com.sun.star.table import TableSortField

SECONDS_MAX = 600
START_SECONDS_MAX = 90
# com.sun.star.sheet.FormulaResult
VALUE, STRING, ERROR = 1, 2, 4


def prop(name, value):
    return PropertyValue(Name=name, Value=value)


def start(program, profile):
    """One LibreOffice with a profile of its own, reached through a pipe."""
    pipe = "pressrun%d" % os.getpid()
    office = subprocess.Popen(
        [program, "-env:UserInstallation=file://" + profile, "--headless", "--norestore", "--nologo",
         "--nolockcheck", "--accept=pipe,name=%s;urp;" % pipe],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    local = uno.getComponentContext()
    resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
    for _ in range(START_SECONDS_MAX * 4):
        try:
            context = resolver.resolve("uno:pipe,name=%s;urp;StarOffice.ComponentContext" % pipe)
            return office, context
        except NoConnectException:
            if office.poll() is not None:
                break
            time.sleep(0.25)
    stop(office)
    sys.exit("LibreOffice does not start")


def stop(office):
    """With everything that it has started."""
    try:
        os.killpg(office.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    office.wait()


class Book:
    def __init__(self, context, path):
        desktop = context.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", context)
        self.doc = desktop.loadComponentFromURL("file://" + path, "_blank", 0, (prop("Hidden", True),))
        if self.doc is None:
            sys.exit("LibreOffice does not open %s" % path)

    def close(self):
        self.doc.close(True)

    def calculate(self):
        """Every formula, also those whose results the file brought along: the dispatcher's hard recalculation does
        nothing in a hidden window."""
        self.doc.calculateAll()

    def formulas(self):
        self.calculate()
        return {sheet.Name: self.formulas_of(sheet) for sheet in self.doc.Sheets}

    @staticmethod
    def formulas_of(sheet):
        cells = []
        for kind in (VALUE, STRING, ERROR):
            for address in sheet.queryFormulaCells(kind).RangeAddresses:
                rows = sheet.getCellRangeByPosition(
                    address.StartColumn, address.StartRow, address.EndColumn, address.EndRow).getDataArray()
                for r, row in enumerate(rows):
                    for c, value in enumerate(row):
                        cells.append([address.StartRow + r, address.StartColumn + c, None if kind == ERROR else value])
        return cells

    def named(self, name):
        return self.doc.NamedRanges.getByName(name).getReferredCells()

    def choose(self, values, names):
        for name, value in values.items():
            cell = self.named(name).getCellByPosition(0, 0)
            if isinstance(value, str):
                cell.setString(value)
            else:
                cell.setValue(value)
        self.calculate()
        return {name: self.named(name).getDataArray() for name in names}

    def sort(self, place, column, ascending):
        sheet, cells = place.split("!")
        cells = self.doc.Sheets.getByName(sheet).getCellRangeByName(cells)
        field = TableSortField(Field=column, IsAscending=ascending)
        fields = uno.Any("[]com.sun.star.table.TableSortField", (field,))
        cells.sort((prop("SortFields", fields), prop("ContainsHeader", False)))
        self.calculate()
        return cells.getDataArray()

    def step(self, step):
        if "recalculate" in step:
            return self.formulas()
        if "sort" in step:
            return self.sort(step["sort"], step["column"], step["ascending"])
        return self.choose(step["set"], step["read"])


def main():
    program = sys.argv[1]
    jobs = json.load(sys.stdin)
    profile = tempfile.mkdtemp(prefix="office-")
    signal.signal(signal.SIGALRM, lambda *_: sys.exit("LibreOffice took more than %d s" % SECONDS_MAX))
    signal.alarm(SECONDS_MAX)
    office, context = start(program, profile)
    try:
        answers = []
        for job in jobs:
            book = Book(context, job["file"])
            try:
                answers.append([book.step(step) for step in job["steps"]])
            finally:
                book.close()
        json.dump(answers, sys.stdout)
    finally:
        stop(office)
        shutil.rmtree(profile, ignore_errors=True)


if __name__ == "__main__":
    main()
