"""Lets botocore, which the AWS CLI is made of, write requests and read answers.

requests: prints one JSON line per operation of the services named: a request
with every member set, and the parameters it was made of.
answers: reads JSON lines of service, operation, status, headers and body, and
prints what botocore reads from each.

Structures are printed with the first letter of their members raised, as in our
types; blobs as base64, timestamps in ISO 8601.
"""

import base64
import datetime
import json
import sys
from urllib.parse import urlsplit

import botocore.loaders
import botocore.model
import botocore.parsers
import botocore.serialize
from botocore.awsrequest import HeadersDict, create_request_object, prepare_request_dict

WHEN = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
LOADER = botocore.loaders.Loader()
KNOWN = {"json", "rest-json", "query", "ec2", "rest-xml", "smithy-rpc-v2-cbor"}


def model(service):
    return botocore.model.ServiceModel(LOADER.load_service_model(service, "service-2"), service)


def sample(shape, name, depth=0):
    kind = shape.type_name
    if kind == "structure":
        if getattr(shape, "is_document_type", False):
            return {"a": ["b", True]}
        out = {}
        for member, s in shape.members.items():
            if s.serialization.get("eventstream") or getattr(s, "is_eventstream", False) or s.serialization.get("jsonvalue"):
                continue
            if depth > 3 and s.type_name in ("structure", "list", "map"):
                continue
            value = sample(s, member, depth + 1)
            if value not in (None, {}, []):
                out[member] = value
            if out and getattr(shape, "is_tagged_union", False):
                break
        return out
    if name in ("RequestRoute", "AccountId"):
        return "route"  # stands in the host
    if kind == "list":
        value = sample(shape.member, name, depth + 1)
        return [] if value in (None, {}, []) else [value, value]
    if kind == "map":
        value = sample(shape.value, name, depth + 1)
        return {} if value in (None, {}, []) else {"key": value, "other-key": value}
    if kind == "timestamp":
        return WHEN
    if kind == "blob":
        return b"blob\x00"
    if kind in ("integer", "long"):
        return 7
    if kind in ("float", "double"):
        return 1.5
    if kind == "boolean":
        return True
    return (shape.enum or ["v+w &\"<x>/%" + name])[0]


def plain(value, shape):
    if value is None:
        return None
    kind = shape.type_name
    if kind == "structure" and getattr(shape, "is_document_type", False):
        return value
    if kind == "structure":
        return {m.lstrip("_")[0].upper() + m.lstrip("_")[1:]: plain(v, shape.members[m]) for m, v in value.items() if m in shape.members}
    if kind == "list":
        return [plain(v, shape.member) for v in value]
    if kind == "map":
        return {k: plain(v, shape.value) for k, v in value.items()}
    if kind == "timestamp":
        return value.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    if kind == "blob":
        if hasattr(value, "read"):
            value = value.read()
        return base64.b64encode(value).decode()
    return value


def requests(services):
    for service in services:
        m = model(service)
        protocol = next(p for p in (m.metadata.get("protocols") or [m.metadata["protocol"]]) if p in KNOWN)
        serializer = botocore.serialize.create_serializer(protocol, False)
        for name in m.operation_names:
            op = m.operation_model(name)
            params = sample(op.input_shape, name) if op.input_shape else {}
            request = serializer.serialize_to_request(params, op)
            prepare_request_dict(request, endpoint_url="https://test.example.com", context={})
            prepared = create_request_object(request).prepare()
            url = urlsplit(prepared.url)
            body = prepared.body or b""
            if hasattr(body, "read"):
                body = body.read()
            if isinstance(body, str):
                body = body.encode()
            print(json.dumps({
                "Service": service, "Operation": name, "Method": prepared.method, "Path": url.path, "Query": url.query,
                "Headers": {k: v.decode() if isinstance(v, bytes) else v for k, v in prepared.headers.items()},
                "Body": base64.b64encode(body).decode(),
                "Params": plain(params, op.input_shape) if op.input_shape else {},
            }))


class Body:
    """What botocore wants of the raw answer of a streaming operation."""

    def __init__(self, content):
        self.content = content

    def read(self):
        return self.content


def answers():
    models = {}
    for line in sys.stdin:
        answer = json.loads(line)
        m = models.setdefault(answer["Service"], model(answer["Service"]))
        op = m.operation_model(answer["Operation"])
        parser = botocore.parsers.create_parser(answer["Protocol"])
        body = base64.b64decode(answer["Body"] or "")
        response = {"status_code": answer["Status"], "headers": HeadersDict(answer["Headers"]), "body": body, "context": {"operation_name": op.name}}
        if op.has_streaming_output and answer["Status"] < 300:
            response["body"] = Body(body)
        got = {}
        try:
            parsed = parser.parse(response, op.output_shape)
            error = parsed.get("Error")
            parsed.pop("ResponseMetadata", None)
            if answer["Status"] >= 300 and error:
                got = {"Code": error.get("Code"), "Message": error.get("Message")}
            elif op.output_shape:
                got = plain(parsed, op.output_shape)
        except Exception as e:  # the test reports it
            got = {"exception": repr(e)}
        print(json.dumps({"Service": answer["Service"], "Operation": answer["Operation"], "Params": got}, default=repr))


if sys.argv[1] == "requests":
    requests(sys.argv[2:])
else:
    answers()
