#!/usr/bin/python3
"""tests/lib/passport.py - SIP Identity (RFC 8224, 8225) once more, written apart from idp/: it signs and verifies for the
tests, so that Sluss is not only right by its own measure. One JSON document on standard input, one on standard output.

  {"do": "sign", "key": FILE, "x5u": URL, "orig": {"uri": …}, "dest": {"uri": […]}, "iat": N, "sdp": TEXT,
   "mky": [...] or null (none) instead of the SDP's, "header": {…}, "claims": {…}, "compact": bool}  -> {"identity": VALUE}
  {"do": "verify", "identity": VALUE, "from": URI, "to": URI, "date": TEXT, "sdp": TEXT, "chain": PEM, "now": N}
                                                                          -> {"status": 200 or the refusal, "why": TEXT}
  {"do": "all", "questions": [… as for verify]}                         -> [{"status": …, "why": …}, …]
  {"do": "cases", … as for sign, "absent": URL, "wrong": {"key": FILE, "x5u": URL}}
                                          -> {"cases": [{"name": …, "identity": …, "date": …, "status": what is due}, …]}
"""
import base64
import email.utils
import json
import re
import sys

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature, encode_dss_signature)

FRESH = 60


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    if not re.fullmatch(r"[A-Za-z0-9_-]+", text):
        raise ValueError("no base64url")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def canonical(value):
    """RFC 8225 section 9."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def media_keys(sdp):
    keys = {(a, d.replace(":", "")) for a, d in re.findall(r"^a=fingerprint:(\S+) (\S+?)\r?$", sdp, re.M)}
    return [{"alg": a, "dig": d} for a, d in sorted(keys, key=lambda k: (k[0] + k[1]).encode())]


def name(uri):
    """RFC 8224 sections 8.3 and 8.5, for what the tests use."""
    if uri.lower().startswith("tel:"):
        return {"tn": re.sub(r"[^0-9#*]", "", uri[4:].split(";")[0])}
    scheme, rest = uri.split(":", 1)
    user, host = rest.split("@", 1)
    phone = re.search(r";user=phone(;|$)", host.split("?")[0], re.I)
    user = user.split(":")[0]
    user = re.sub(r"%([0-9A-Fa-f]{2})", lambda m: chr(int(m.group(1), 16)), user)
    host = re.split(r"[:;?]", host)[0].rstrip(".")
    digits = re.sub(r"[-.()]", "", user)
    if re.fullmatch(r"\+[0-9]{1,15}", digits) or (phone and re.fullmatch(r"[0-9#*]{1,15}", digits)):
        return {"tn": digits.lstrip("+")}
    return {"uri": f"{scheme}:{user}@{host}".lower()}


def tokens(header, payload):
    return b64(canonical(header)) + "." + b64(canonical(payload))


def sign(q):
    with open(q["key"], "rb") as f:
        key = serialization.load_pem_private_key(f.read(), None)
    header = {"alg": "ES256", "typ": "passport", "x5u": q["x5u"], **q.get("header", {})}
    payload = {"orig": q["orig"], "dest": q["dest"], "iat": q["iat"], **q.get("claims", {})}
    mky = q["mky"] if "mky" in q else media_keys(q.get("sdp", ""))
    if mky:
        payload["mky"] = mky
    text = tokens(header, payload)
    r, s = decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    signature = b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    token = (".." if q.get("compact") else text + ".") + signature
    params = f";info=<{q['x5u']}>;alg=ES256"
    if "ppt" in header:
        params += f";ppt={header['ppt']}"
    return {"identity": token + params}


class Refused(Exception):
    pass


def refuse(status, why):
    raise Refused(status, why)


def covers(leaf, host):
    try:
        san = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    uris = [u for u in san.get_values_for_type(x509.UniformResourceIdentifier) if u.lower().startswith("sip:")]
    names = [u[4:] for u in uris] if uris else san.get_values_for_type(x509.DNSName)
    return host.lower() in [n.lower() for n in names]


def verify_one(q):
    m = re.fullmatch(r"([\w-]*)\.([\w-]*)\.([\w-]+)((?:\s*;.*)?)", q["identity"])
    if not m:
        refuse(438, "malformed")
    params = dict(re.findall(r';\s*([\w-]+)\s*=\s*(?:<([^>]*)>|"?[\w-]*"?)', m[4]))
    info = params.get("info")
    if not info:
        refuse(438, "no info")
    if re.search(r";\s*ppt\s*=", m[4]):
        refuse(428, "an extension")
    caller, called = name(q["from"]), name(q["to"])
    full = bool(m[1])
    date = email.utils.parsedate_to_datetime(q["date"]).timestamp() if q.get("date") else None
    if full:
        header, payload = json.loads(unb64(m[1])), json.loads(unb64(m[2]))
        if payload.get("orig") != caller:
            refuse(438, f"orig {payload.get('orig')} is not {caller}")
        if type(payload.get("iat")) is not int:
            refuse(438, "iat")
        when = payload["iat"]
    else:
        header = {"alg": "ES256", "typ": "passport", "x5u": info}
        (kind, value), = called.items()
        payload = {"orig": caller, "dest": {kind: [value]}, "iat": int(date)}
        if media_keys(q["sdp"]):
            payload["mky"] = media_keys(q["sdp"])
        when = date
    if not info.startswith("https://") or not q.get("chain"):
        refuse(436, "info")
    leaf = x509.load_pem_x509_certificate(q["chain"].encode())
    key = leaf.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
        refuse(437, "no P-256 key")
    if "uri" not in caller or not covers(leaf, caller["uri"].split("@")[1]):
        refuse(437, "not for the caller")
    if abs(q["now"] - when) > FRESH:
        refuse(403, "stale")
    if header.get("alg") != "ES256" or header.get("typ") != "passport" or header.get("x5u") != info:
        refuse(438, f"header {header}")
    (kind, value), = called.items()
    if value not in payload.get("dest", {}).get(kind, []):
        refuse(438, "dest")
    if full and (canonical(header) != unb64(m[1]) or canonical(payload) != unb64(m[2])):
        refuse(438, "not canonical")
    if payload.get("mky", []) != media_keys(q["sdp"]):
        refuse(438, "mky")
    raw = unb64(m[3])
    if len(raw) != 64:
        refuse(438, "signature length")
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    try:
        key.verify(der, tokens(header, payload).encode(), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        refuse(438, "signature")
    return {"status": 200, "iat": when, "date": date, "payload": payload, "info": info}


def verify(q):
    try:
        return verify_one(q)
    except Refused as refused:
        return {"status": refused.args[0], "why": refused.args[1]}
    except (ValueError, KeyError, TypeError) as fault:
        return {"status": 438, "why": f"malformed: {fault!r}"}


def verify_all(q):
    return [verify(one) for one in q["questions"]]


# The table of RFC 8224 section 6.2 as faults of one header, in the order in which they are found.
def no_header(q, s):
    s["left_out"] = True


def unknown_extension(q, s):
    s["header"] = {**s.get("header", {}), "ppt": "x-sluss-test"}


def wrong_caller(q, s):
    s["orig"] = {"uri": "sip:mallory@" + q["orig"]["uri"].split("@")[1]}


def not_there(q, s):
    s["x5u"] = q["absent"]


def not_good(q, s):
    s["key"] = q["wrong"]["key"]
    if s["x5u"] != q["absent"]:
        s["x5u"] = q["wrong"]["x5u"]


def stale(q, s):
    s["iat"] -= 3600


def wrong_callee(q, s):
    s["dest"] = {"uri": ["sip:mallory@elsewhere.test"]}


def wrong_keys(q, s):
    s["mky"] = [{"alg": "sha-256", "dig": "AB" * 32}]


def no_keys(q, s):
    s["mky"] = None


def wrong_type(q, s):
    s["header"] = {**s.get("header", {}), "typ": "JWT"}


def bad_signature(q, s):
    s["spoil"] = True


ROWS = [
    (428, [unknown_extension, no_header]),
    (438, [wrong_caller]),
    (436, [not_there]),
    (437, [not_good]),
    (403, [stale]),
    (438, [wrong_callee, wrong_keys, no_keys, wrong_type, bad_signature]),
]


def make(q, faults):
    s = {k: v for k, v in q.items() if k not in ("absent", "wrong", "do")}
    for fault in faults:
        fault(q, s)
    value = None if s.get("left_out") else sign(s)["identity"]
    if value and s.get("spoil"):
        at = value.index(";") - 4
        value = value[:at] + ("A" if value[at] != "A" else "B") + value[at + 1:]
    return {"name": " and ".join(f.__name__ for f in faults), "identity": value,
            "date": email.utils.formatdate(s["iat"], usegmt=True)}


def cases(q):
    """Each fault, and each pair of faults of different rows: the first row is the answer."""
    out = []
    for i, (status, faults) in enumerate(ROWS):
        for fault in faults:
            out.append({"status": status, **make(q, [fault])})
            for _, later in ROWS[i + 1:]:
                out.append({"status": status, **make(q, [fault, later[0]])})
    return {"cases": out}


if __name__ == "__main__":
    question = json.load(sys.stdin)
    print(json.dumps({"sign": sign, "verify": verify, "all": verify_all, "cases": cases}[question["do"]](question)))
