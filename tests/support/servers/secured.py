"""A broker and a mongod that let in only whom they know, with TLS; local ones, in no container."""

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.local.ports import HOST, free_port, listens
from deploy.local.servers.kafka import KafkaServer
from deploy.local.servers.mongod import TIMEOUT_MS, MongoServer, replica_set
from tests.support.eventually import scaled
from tests.support.servers.certificates import KEY_PASSWORD, Certificates

USER = "callfold"
PASSWORD = secrets.token_hex()

_MECHANISMS = (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512)
_ITERATIONS = 4096
_AUTHENTICATION_FAILED = 18


@dataclass(frozen=True)
class Servers:
    """Both, and the settings with which they let one in."""

    kafka: "SecuredKafka"
    mongo: "SecuredMongo"
    certificates: Certificates

    def settings(self, way: str, user: str = USER, password: str = PASSWORD) -> dict[str, object]:
        """Return those for MongoDB, and for Kafka by this way: a mechanism of SASL, or `certificate`."""
        ours = self.certificates
        to_mongo = {
            "mongo_uri": self.mongo.uri,
            "mongo_username": user,
            "mongo_password": password,
            "mongo_ca_file": ours.authority,
            "mongo_certificate_file": ours.client,
            "mongo_key_password": KEY_PASSWORD,
        }
        by_sasl = {"kafka_sasl_mechanism": way, "kafka_username": user, "kafka_password": password}
        if way == "SCRAM-SHA-256":
            plaintext = {"kafka_bootstrap": self.kafka.sasl_plaintext, "kafka_security_protocol": "SASL_PLAINTEXT"}
            return {**to_mongo, **by_sasl, **plaintext}
        if way != "certificate":
            tls = {"kafka_bootstrap": self.kafka.sasl_ssl, "kafka_security_protocol": "SASL_SSL"}
            return {**to_mongo, **by_sasl, **tls, "kafka_ca_file": ours.authority}
        by_certificate = {
            "kafka_bootstrap": self.kafka.ssl,
            "kafka_security_protocol": "SSL",
            "kafka_ca_file": ours.authority,
            "kafka_certificate_file": ours.client_certificate,
            "kafka_key_file": ours.client_key,
            "kafka_key_password": KEY_PASSWORD,
        }
        return {**to_mongo, **by_certificate}


def in_files(folder: Path, settings: dict[str, object]) -> dict[str, object]:
    """Put the passwords among the settings into files of the folder; return the others, and where those are."""
    folder.mkdir()
    secret = {name for name in settings if name.endswith(("password", "pepper"))}
    for name in secret:
        (folder / f"callfold_{name}").write_text(f"{settings[name]}\n")
    return {"secrets_dir": folder, **{name: value for name, value in settings.items() if name not in secret}}


class SecuredKafka(KafkaServer):
    """Its listeners, each `host:port`: `address` is its own, the others are named for their protocols.

    `sasl_ssl` takes PLAIN and SCRAM-SHA-512, `sasl_plaintext` SCRAM-SHA-256, `ssl` a certificate. USER may come by
    PLAIN; by SCRAM the users of `let_in`.
    """

    def __init__(self, folder: Path, certificates: Certificates) -> None:
        super().__init__(folder, free_port())
        self.ssl, self.sasl_ssl, self.sasl_plaintext = (f"{HOST}:{free_port()}" for _ in range(3))
        self._certificates = certificates

    @property
    def listeners(self) -> dict[str, str]:
        """Where clients are listened to."""
        others = {"SSL": self.ssl, "SASL_SSL": self.sasl_ssl, "SASL_PLAINTEXT": self.sasl_plaintext}
        return {**super().listeners, **others}

    def let_in(self, user: str, password: str) -> None:
        """Take this password from this user, by SCRAM."""
        admin = AdminClient({"bootstrap.servers": self.address})
        for mechanism in _MECHANISMS:
            known = UserScramCredentialUpsertion(user, ScramCredentialInfo(mechanism, _ITERATIONS), password.encode())
            admin.alter_user_scram_credentials([known])[user].result(timeout=scaled(60))

    def keep_group_for(self, user: str, group: str) -> None:
        """Let this user join the group; from the first time on, only those for whom this was done."""
        who = (f"User:{user}", "*", AclOperation.READ, AclPermissionType.ALLOW)
        rule = AclBinding(ResourceType.GROUP, group, ResourcePatternType.LITERAL, *who)
        admin = AdminClient({"bootstrap.servers": self.address})
        admin.create_acls([rule])[rule].result(timeout=scaled(60))

    def _properties(self) -> str:
        modules, ours = "org.apache.kafka.common.security", self._certificates
        protocols = {"CONTROLLER": "PLAINTEXT"} | {name: name for name in self.listeners}
        scram = f"{modules}.scram.ScramLoginModule required;"
        security = {
            "listener.security.protocol.map": ",".join(f"{name}:{protocol}" for name, protocol in protocols.items()),
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": ours.server,
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": ours.authority,
            "listener.name.ssl.ssl.client.auth": "required",
            "listener.name.sasl_ssl.sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
            "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": scram,
            "listener.name.sasl_ssl.plain.sasl.jaas.config": (
                f'{modules}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";'
            ),
            "listener.name.sasl_plaintext.sasl.enabled.mechanisms": "SCRAM-SHA-256",
            "listener.name.sasl_plaintext.scram-sha-256.sasl.jaas.config": scram,
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "allow.everyone.if.no.acl.found": "true",
        }
        return super()._properties() + "".join(f"{key}={value}\n" for key, value in security.items())


class SecuredMongo(MongoServer):
    """A mongod that wants to see a certificate and a password; USER is its administrator."""

    def __init__(self, folder: Path, certificates: Certificates) -> None:
        super().__init__(folder, free_port())
        self._certificates = certificates

    def prepare(self) -> None:
        """Make the key by which the members of a replica set know each other."""
        super().prepare()
        key = self.folder / "key"
        key.write_text(secrets.token_hex())
        key.chmod(0o600)

    def command(self) -> list[str]:
        """Return the command that runs the server."""
        ours = self._certificates
        tls = [
            "--tlsMode",
            "requireTLS",
            "--tlsCertificateKeyFile",
            str(ours.server),
            "--tlsCAFile",
            str(ours.authority),
        ]
        return [*super().command(), "--auth", "--keyFile", "key", *tls]

    def lacks(self) -> str | None:
        """Return what is missing before USER can write."""
        if not listens(self.port):
            return f"nothing listens on {self.address}"
        try:
            with self._client(username=USER, password=PASSWORD) as client:
                client.admin.command("dbStats")
        except OperationFailure as error:
            return self._founded() if error.code == _AUTHENTICATION_FAILED else str(error)
        except PyMongoError as error:
            return f"{type(error).__name__}: {error}"
        return None

    def let_in(self, user: str, password: str, database: str) -> None:
        """Let this user read and write this database."""
        with self._client(username=USER, password=PASSWORD) as client:
            client.admin.command("createUser", user, pwd=password, roles=[{"role": "readWrite", "db": database}])

    def _founded(self) -> str:
        """Make the replica set, then its first user: a server without users permits only these."""
        with self._client() as client:
            hello = client.admin.command("hello")
            if "setName" not in hello:
                client.admin.command("replSetInitiate", replica_set(self.address))
            elif hello["isWritablePrimary"]:
                client.admin.command("createUser", USER, pwd=PASSWORD, roles=["root"])
        return f"there is no user {USER} yet"

    def _client(self, **user: Any) -> "MongoClient[dict[str, Any]]":
        return MongoClient(
            HOST,
            self.port,
            directConnection=True,
            serverSelectionTimeoutMS=TIMEOUT_MS,
            tls=True,
            tlsCAFile=str(self._certificates.authority),
            tlsCertificateKeyFile=str(self._certificates.client),
            tlsCertificateKeyFilePassword=KEY_PASSWORD,
            **user,
        )
