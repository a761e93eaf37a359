"""Envelopes: verified by somebody else's code, and refused at whatever was changed in them."""

import base64
import json
import subprocess

import pytest
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey

from harness.attestation import make_keys, opened_payload, public_key, read_envelope, sealed
from harness.attestation.envelope import LARGEST, PAYLOAD_TYPE, encoding
from harness.attestation.keys import key_id, private_key
from harness.attestation.statement import statement_bytes
from harness.errors import SubmissionError, WrongUsageError


@pytest.fixture
def changed(attested, tmp_path):
    """The envelope with another value at a key, and the payload that is read from it."""

    def change(**values):
        document = json.loads(attested.file.read_text("utf-8")) | values
        path = tmp_path / "changed.json"
        path.write_text(json.dumps(document), "utf-8")
        return opened_payload(read_envelope(path), attested.public, path)

    return change


def test_securesystemslib_verifies_ours(attested):
    theirs = Envelope.from_dict(json.loads(attested.file.read_text("utf-8")))
    key = SSlibKey.from_crypto(attested.public)
    assert theirs.verify([key], 1) == {key.keyid: key}
    assert key.keyid == key_id(attested.public)
    assert (theirs.payload_type, theirs.payload) == (
        PAYLOAD_TYPE,
        statement_bytes(attested.statement),
    )
    theirs.payload = theirs.payload.replace(b"test", b"best")
    with pytest.raises(VerificationError):
        theirs.verify([key], 1)


def test_we_verify_theirs(attested, tmp_path):
    envelope = Envelope(b"{}", PAYLOAD_TYPE, {})
    envelope.sign(CryptoSigner(attested.secret))
    path = tmp_path / "theirs.json"
    path.write_text(json.dumps(envelope.to_dict()), "utf-8")
    assert opened_payload(read_envelope(path), attested.public, path) == b"{}"
    assert encoding(PAYLOAD_TYPE, b"{}") == envelope.pae()


def test_the_encoding_is_that_of_the_protocol():
    # The example of https://github.com/secure-systems-lab/dsse/blob/master/protocol.md
    assert encoding("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_same_payload_and_key_same_bytes(attested):
    payload = statement_bytes(attested.statement)
    assert sealed(payload, attested.secret) == attested.file.read_bytes()


def test_another_key_is_refused(attested, tmp_path):
    make_keys(tmp_path / "other.pem", tmp_path / "other.pub.pem")
    with pytest.raises(SubmissionError, match=r"expected a signature of the key [0-9a-f]{12}"):
        opened_payload(
            read_envelope(attested.file), public_key(tmp_path / "other.pub.pem"), attested.file
        )


def test_every_changed_byte_of_the_payload_is_noticed(attested, changed):
    payload = statement_bytes(attested.statement)
    for at in range(0, len(payload), 37):
        other = payload[:at] + bytes([payload[at] ^ 1]) + payload[at + 1 :]
        with pytest.raises(SubmissionError, match="the payload was changed"):
            changed(payload=base64.b64encode(other).decode())


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"payloadType": "application/vnd.in-toto+yaml"}, "payloadType: expected"),
        ({"payloadType": "application/vnd.in-toto+json "}, "payloadType: expected"),
        ({"payloadType": "\x1b[2J"}, r"found \"\\x1b\[2J\""),
        ({"signatures": []}, "expected a signature of the key"),
        ({"signatures": [{"sig": "AAAA"}]}, "expected a signature of the key"),
        ({"signatures": [{"sig": "not base64!"}]}, "signature 1: expected Base64"),
        ({"signatures": [{"sig": "AAAA"}] * 17}, "at most 16 signatures"),
        ({"payload": "ü"}, "payload: expected Base64"),
        ({"payload": 7}, "expected a DSSE envelope"),
        ({"signatures": None}, "expected a DSSE envelope"),
    ],
)
def test_what_is_no_envelope_is_refused_in_one_line(changed, values, why):
    with pytest.raises(SubmissionError, match=why) as caught:
        changed(**values)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"[" * 100_000, "nested at most"),
        (b" " * (LARGEST + 1), "expected at most 262,144 bytes"),
        (b"\xff", "not JSON as expected"),
        (b"{}", "not JSON as expected"),
        (b"", "not JSON as expected"),
    ],
)
def test_a_file_is_bounded_before_it_is_parsed(tmp_path, data, why):
    (tmp_path / "statement.json").write_bytes(data)
    with pytest.raises(SubmissionError, match=why):
        read_envelope(tmp_path / "statement.json")


def test_no_link_and_no_pipe_is_read(attested, tmp_path):
    (tmp_path / "link.json").symlink_to(attested.file)
    with pytest.raises(SubmissionError, match="is a link out"):
        read_envelope(tmp_path / "link.json")
    subprocess.run(["mkfifo", tmp_path / "pipe.json"], check=True)
    with pytest.raises(SubmissionError, match="found a pipe"):
        read_envelope(tmp_path / "pipe.json")


def test_the_private_key_is_for_its_owner_alone_and_replaces_none(tmp_path):
    make_keys(tmp_path / "key.pem", tmp_path / "key.pub.pem")
    assert (tmp_path / "key.pem").stat().st_mode & 0o777 == 0o600
    before = (tmp_path / "key.pem").read_bytes()
    with pytest.raises(WrongUsageError, match="is there already"):
        make_keys(tmp_path / "key.pem", tmp_path / "new.pub.pem")
    assert (tmp_path / "key.pem").read_bytes() == before


def test_keys_of_other_kinds_are_refused(tmp_path):
    make_keys(tmp_path / "key.pem", tmp_path / "key.pub.pem")
    with pytest.raises(WrongUsageError, match="expected a public key in PEM"):
        public_key(tmp_path / "key.pem")
    with pytest.raises(WrongUsageError, match="expected an unencrypted private key"):
        private_key(tmp_path / "key.pub.pem")
    rsa = ["openssl", "genrsa", "-out", str(tmp_path / "rsa.pem"), "2048"]
    subprocess.run(rsa, check=True, capture_output=True)
    with pytest.raises(WrongUsageError, match="expected a key of Ed25519"):
        private_key(tmp_path / "rsa.pem")
