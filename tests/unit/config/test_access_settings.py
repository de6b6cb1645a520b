"""The settings for access to Kafka and MongoDB: invalid ones are rejected at the start, each in one line."""

import os
import ssl
from pathlib import Path

import pytest

from shared.config.settings import Settings
from tests.support.servers.certificates import KEY_PASSWORD, Certificates

WRONG = "hunter2"
SASL = {
    "kafka_security_protocol": "SASL_SSL",
    "kafka_sasl_mechanism": "SCRAM-SHA-256",
    "kafka_username": "callfold",
    "kafka_password": WRONG,
}
TLS = {"kafka_security_protocol": "SSL"}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.startswith("CALLFOLD_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("CALLFOLD_SECRETS_DIR", str(tmp_path))


def loaded(monkeypatch: pytest.MonkeyPatch, **variables: object) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(f"CALLFOLD_{name.upper()}", str(value))
    return Settings.load()


def test_by_default_there_is_no_tls_and_no_user() -> None:
    settings = Settings.load()

    assert settings.kafka.options() == {
        "bootstrap_servers": "127.0.0.1:9092",
        "security_protocol": "PLAINTEXT",
        "ssl_context": None,
    }
    assert settings.mongo.options() == {}


@pytest.mark.parametrize("protocol", ["SASL_SSL", "SASL_PLAINTEXT"])
def test_a_user_authenticates_to_kafka_with_a_password(monkeypatch: pytest.MonkeyPatch, protocol: str) -> None:
    options = loaded(monkeypatch, **SASL | {"kafka_security_protocol": protocol}).kafka.options()

    assert (options["security_protocol"], options["sasl_mechanism"]) == (protocol, "SCRAM-SHA-256")
    assert (options["sasl_plain_username"], options["sasl_plain_password"]) == ("callfold", WRONG)
    assert (options["ssl_context"] is not None) == (protocol == "SASL_SSL")


def test_tls_always_verifies_certificates_and_names(
    monkeypatch: pytest.MonkeyPatch, certificates: Certificates
) -> None:
    tls = loaded(monkeypatch, **TLS, kafka_ca_file=certificates.authority).kafka.tls

    assert tls is not None
    assert (tls.verify_mode, tls.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert len(tls.get_ca_certs()) == 1


def test_a_user_of_mongodb_may_be_given_outside_the_uri(
    monkeypatch: pytest.MonkeyPatch, certificates: Certificates
) -> None:
    settings = loaded(
        monkeypatch,
        mongo_username="callfold",
        mongo_password=WRONG,
        mongo_ca_file=certificates.authority,
        mongo_certificate_file=certificates.client,
        mongo_key_password=KEY_PASSWORD,
    )

    assert settings.mongo.options() == {
        "username": "callfold",
        "password": WRONG,
        "tls": True,
        "tlsCAFile": str(certificates.authority),
        "tlsCertificateKeyFile": str(certificates.client),
        "tlsCertificateKeyFilePassword": KEY_PASSWORD,
    }


def test_passwords_may_be_in_files_and_are_never_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("kafka_password", "mongo_password"):
        (tmp_path / f"callfold_{name}").write_text(f"{WRONG}\n")
    rest = {name: value for name, value in SASL.items() if name != "kafka_password"}

    settings = loaded(monkeypatch, **rest, mongo_username="callfold")

    assert settings.kafka.sasl is not None
    assert (settings.kafka.sasl.password, settings.mongo.password) == (WRONG, WRONG)
    assert WRONG not in f"{settings!r} {vars(settings)} {settings.kafka!r} {settings.mongo!r} {settings.model_dump()}"


@pytest.mark.parametrize(
    ("variables", "lines"),
    [
        (
            {"kafka_security_protocol": "SASL_SSL"},
            ["KAFKA_SASL_MECHANISM is not set", "KAFKA_USERNAME is not set", "KAFKA_PASSWORD is not set"],
        ),
        ({**SASL, "kafka_password": ""}, ["KAFKA_PASSWORD is wrong: "]),
        ({**SASL, "kafka_sasl_mechanism": "GSSAPI"}, ["KAFKA_SASL_MECHANISM is 'GSSAPI': "]),
        ({"kafka_username": "me"}, ["KAFKA_USERNAME is 'me': is of no use unless CALLFOLD_KAFKA_SECURITY_PROTOCOL is"]),
        ({**TLS, "kafka_password": WRONG}, ["KAFKA_PASSWORD is wrong: is of no use unless CALLFOLD_KAFKA_SECURITY_"]),
        ({**TLS, "kafka_ca_file": "/nowhere"}, ["KAFKA_CA_FILE is '/nowhere': cannot be read: No such file"]),
        ({**TLS, "kafka_ca_file": "/dev/null"}, ["KAFKA_CA_FILE is '/dev/null': must be a file of certificates in PE"]),
        ({"kafka_ca_file": "{authority}"}, ["KAFKA_CA_FILE is '{authority}': is of no use unless CALLFOLD_KAFKA_SECU"]),
        ({**TLS, "kafka_key_file": "{client_key}"}, ["KAFKA_CERTIFICATE_FILE is not set: needed with its key"]),
        (
            {**TLS, "kafka_certificate_file": "{client}"},
            ["KAFKA_CERTIFICATE_FILE is '{client}': must be a certifica"],
        ),
        (
            {**TLS, "kafka_certificate_file": "{client_certificate}", "kafka_key_file": "{server}"},
            ["KAFKA_CERTIFICATE_FILE is '{client_certificate}': must be a certificate"],
        ),
        ({"mongo_password": WRONG}, ["MONGO_PASSWORD is wrong: has no effect without CALLFOLD_MONGO_USERNAME"]),
        ({"mongo_username": "me"}, ["MONGO_PASSWORD is not set: is required with CALLFOLD_MONGO_USERNAME"]),
        ({"mongo_ca_file": "/dev"}, ["MONGO_CA_FILE is '/dev': cannot be read: Is a directory"]),
        (
            {"mongo_key_password": WRONG},
            ["MONGO_CERTIFICATE_FILE is not set: is required with CALLFOLD_MONGO_KEY_PASSWORD"],
        ),
        ({"mongo_certificate_file": "{client}"}, ["MONGO_CERTIFICATE_FILE is '{client}': must be a certificate"]),
        (
            {"mongo_uri": f"mongodb://me:{WRONG}@host/?tls=true&TLSInsecure=true"},
            ["MONGO_URI is wrong: certificates and host names are always verified"],
        ),
    ],
)
def test_each_invalid_setting_is_one_line_without_secrets(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    certificates: Certificates,
    variables: dict[str, str],
    lines: list[str],
) -> None:
    with pytest.raises(SystemExit, match="2"):
        loaded(monkeypatch, **{name: value.format(**vars(certificates)) for name, value in variables.items()})

    shown = capsys.readouterr().err
    expected = [f"CALLFOLD_{line.format(**vars(certificates))}" for line in lines]
    assert [line[: len(wanted)] for line, wanted in zip(shown.splitlines(), expected, strict=True)] == expected
    assert WRONG not in shown
