"""What stands in a store, asked without the product: python3 stores.py make|list|put KIND URL CONTAINER [NAME TEXT].

KIND is s3 (a server that verifies no signature) or azure (whose URL ends with the account; its key is in AZURE_KEY).
`list` prints a JSON object of names with the SHA-256 of their bytes; `put` overwrites.
"""

import base64
import email.utils
import hashlib
import hmac
import json
import os
import sys
import urllib.parse
import urllib.request
import xml.etree.ElementTree


def ask(kind, method, url, body=b"", headers=None):
    headers = dict(headers or {})
    if kind == "azure":
        headers["x-ms-date"] = email.utils.formatdate(usegmt=True)
        headers["x-ms-version"] = "2021-08-06"
        headers["Authorization"] = signature(method, url, body, headers)
    else:
        # Anybody may ask, and somebody must.
        headers["Authorization"] = "AWS4-HMAC-SHA256 Credential=id/20260101/us-east-1/s3/aws4_request, Signature=0"
    request = urllib.request.Request(url, data=body or None, method=method, headers=headers)
    # urllib names a type of its own for every body, which would have to be signed, too.
    if body:
        request.add_unredirected_header("Content-Type", "")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read()


def signature(method, url, body, headers):
    """Shared Key: what Azure's documentation says, over no headers but its own."""
    parsed = urllib.parse.urlsplit(url)
    account = parsed.path.split("/")[1]
    own = sorted((name.lower(), value) for name, value in headers.items() if name.lower().startswith("x-ms-"))
    resource = f"/{account}{parsed.path}"
    for name, values in sorted(urllib.parse.parse_qs(parsed.query).items()):
        resource += f"\n{name}:{','.join(values)}"
    length = str(len(body)) if body else ""
    text = "\n".join([method, "", "", length] + [""] * 8) + "\n"
    text += "".join(f"{name}:{value}\n" for name, value in own) + resource
    key = base64.b64decode(os.environ["AZURE_KEY"])
    signed = base64.b64encode(hmac.new(key, text.encode(), hashlib.sha256).digest()).decode()
    return f"SharedKey {account}:{signed}"


def main():
    command, kind, base, container, *rest = sys.argv[1:]
    root = f"{base}/{container}"
    named = lambda name: f"{root}/{urllib.parse.quote(name)}"
    if command == "make":
        ask(kind, "PUT", f"{root}?restype=container" if kind == "azure" else root)
    elif command == "put":
        name, text = rest
        headers = {"x-ms-blob-type": "BlockBlob"} if kind == "azure" else {}
        ask(kind, "PUT", named(name), text.encode(), headers)
    else:
        query = "restype=container&comp=list" if kind == "azure" else "list-type=2"
        listed = xml.etree.ElementTree.fromstring(ask(kind, "GET", f"{root}?{query}"))
        tag = "Name" if kind == "azure" else "Key"
        parents = [one for one in listed.iter() if one.tag.split("}")[-1] in ("Blob", "Contents")]
        names = [child.text for one in parents for child in one if child.tag.split("}")[-1] == tag]
        sums = {name: hashlib.sha256(ask(kind, "GET", named(name))).hexdigest() for name in names}
        print(json.dumps(sums))


main()
