"""Writes raw rows through XlsxWriter in its constant memory mode; says CPU seconds, bytes and peak memory.

Used by the bench of workbooks, which hands over the rows as text: `xlsxwriter_ratio.py ROWS.tsv OUT.xlsx`. What the
text takes to be read is measured apart and left out.
"""

import datetime
import os
import resource
import sys
import time

import xlsxwriter

N_TEXT_FIRST, N_TEXT_LAST = 1, 8


def rows(path):
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            cells = line.rstrip("\n").split("\t")
            month = datetime.date(int(cells[0][:4]), int(cells[0][5:7]), 1)
            figures = [float(cell) if cell else None for cell in cells[N_TEXT_LAST + 1 :]]
            yield month, cells[N_TEXT_FIRST : N_TEXT_LAST + 1], figures


def main():
    source, target = sys.argv[1:3]
    before = time.process_time()
    for _ in rows(source):
        pass
    read_secs = time.process_time() - before

    before = time.process_time()
    book = xlsxwriter.Workbook(target, {"constant_memory": True})
    sheet = book.add_worksheet("Raw data")
    month_format = book.add_format({"num_format": "mmm yyyy", "align": "left"})
    figure_format = book.add_format({"num_format": "#,##0", "align": "right"})
    text_format = book.add_format({"align": "left"})
    absent_format = book.add_format({"align": "right", "font_color": "#666666"})
    for n, (month, texts, figures) in enumerate(rows(source), 6):
        sheet.write_datetime(n, 1, month, month_format)
        for column, text in enumerate(texts, 2):
            sheet.write_string(n, column, text, text_format)
        for column, figure in enumerate(figures, 2 + len(texts)):
            if figure is None:
                sheet.write_string(n, column, "n/a", absent_format)
            else:
                sheet.write_number(n, column, figure, figure_format)
    book.close()
    secs = time.process_time() - before - read_secs
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    size = os.path.getsize(target)
    print(f"{secs:9.2f} s  {size:11} bytes  the same rows by XlsxWriter {xlsxwriter.__version__}, {peak_mb:.1f} MB resident at most")


main()
