"""Mails as Python's own parser reads them: names, headers, structure and pictures, as JSON."""

import email
import email.policy
import json
import re
import sys


def read(path):
    with open(path, "rb") as file:
        content = file.read()
    mail = email.message_from_bytes(content, policy=email.policy.default)
    plain = email.message_from_bytes(content)
    html = mail.get_body(("html",)).get_content()
    parts = list(mail.walk())
    return {
        "headers": {name.lower(): str(value) for name, value in mail.items()},
        "structure": structure(mail),
        "text": mail.get_body(("plain",)).get_content(),
        "html": html,
        "shown": re.findall(r'"cid:([^"]+)"', html),
        "pictures": {
            str(part["content-id"]): [part.get_content_type(), part.get_content_disposition(), len(part.get_content())]
            for part in parts
            if part["content-id"]
        },
        "names": [[part.get_filename(), part.get_content_type()] for part in mail.iter_attachments()],
        "plain_names": [
            [part.get_filename(), part.get_param("name")]
            for part in plain.walk()
            if part.get_content_disposition() == "attachment"
        ],
        "bytes": [len(part.get_content()) for part in mail.iter_attachments()],
        # A name that stands in full and in ASCII is noted as given twice.
        "defects": [
            f"{type(defect).__name__}: {defect}"
            for part in parts
            for defect in part.defects + [one for value in part.values() for one in getattr(value, "defects", [])]
            if "duplicate parameter name" not in str(defect)
        ],
    }


def structure(part):
    kind = part.get_content_type()
    if not part.is_multipart():
        return kind
    return [kind] + [structure(inner) for inner in part.iter_parts()]


print(json.dumps([read(path) for path in sys.argv[1:]]))
