"""Reads workbooks by openpyxl and prints each one's cells as a line of JSON: as results, and as formulas.

A cell is its row and column from 0, its value, and whether it is an error. Dates are Excel's numbers again, since
another program's idea of a date is not what is compared.
"""

import datetime
import json
import sys

import openpyxl
from openpyxl.utils.datetime import to_excel


def cells(path, results):
    book = openpyxl.load_workbook(path, data_only=results)
    found = {}
    for sheet in book.worksheets:
        held = found[sheet.title] = []
        for row in sheet.iter_rows():
            for cell in row:
                value = cell.value
                if value is None:
                    continue
                if isinstance(value, (datetime.date, datetime.datetime)):
                    value = to_excel(value)
                if isinstance(value, (int, float)) and not isinstance(value, bool):
                    # Digit for digit: the readers of JSON round numbers differently.
                    value = {"number": repr(float(value))}
                held.append([cell.row - 1, cell.column - 1, value, cell.data_type])
    return found


for path in sys.argv[1:]:
    print(json.dumps({"results": cells(path, True), "formulas": cells(path, False)}), flush=True)
