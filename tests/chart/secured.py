"""A Kafka and a PostgreSQL that ask who is there: TLS and SASL, ACLs, and a role that is no superuser.

The tests' own clients use Kafka's second, open listener, whose ANONYMOUS is a super user, and PostgreSQL's superuser without TLS.
"""

from __future__ import annotations

import os
import secrets
import subprocess
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from chart import Object
from stack.kafka import Kafka
from stack.postgres import Postgres
from stack.process import free_port


@dataclass
class Authority:
    """A certificate authority of this run and a server certificate for localhost."""

    folder: Path
    ca: Path = field(init=False)
    certificate: Path = field(init=False)
    key: Path = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ca, self.certificate, self.key = (self.folder / name for name in ("ca.pem", "server.pem", "server.key"))
        request, names = self.folder / "server.csr", self.folder / "names"
        names.write_text("subjectAltName=DNS:localhost\n")
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        authority = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
        self._openssl("req", "-x509", *curve, *authority, "-days", "2", "-subj", "/CN=authority", "-keyout", "ca.key", "-out", self.ca)
        self._openssl("req", *curve, "-subj", "/CN=localhost", "-keyout", self.key, "-out", request)
        signed_by = ["-CA", self.ca, "-CAkey", "ca.key", "-CAcreateserial", "-extfile", names]
        self._openssl("x509", "-req", "-days", "2", *signed_by, "-in", request, "-out", self.certificate)

    def _openssl(self, *words: object) -> None:
        subprocess.run(["openssl", *map(str, words)], cwd=self.folder, capture_output=True, check=True)


class SecuredKafka(Kafka):
    """Knows the KafkaUsers it is given, each with the ACLs of its resource and nothing else."""

    def __init__(self, folder: Path, authority: Authority, users: Iterable[Object]) -> None:
        super().__init__(folder)
        self.authority = authority
        self.users = list(users)
        self.passwords = {user["metadata"]["name"]: secrets.token_hex(16) for user in self.users}
        self.secured_port = free_port()
        self.secured_brokers = f"localhost:{self.secured_port}"

    def properties(self) -> dict[str, object]:
        keys = self.folder / "server-with-key.pem"
        keys.write_text(self.authority.key.read_text() + self.authority.certificate.read_text())
        known = super().properties()
        plain = " ".join(f'user_{name}="{password}"' for name, password in self.passwords.items())
        return {
            **known,
            "listeners": f"{known['listeners']},SASL_SSL://127.0.0.1:{self.secured_port}",
            "advertised.listeners": f"{known['advertised.listeners']},SASL_SSL://{self.secured_brokers}",
            "listener.security.protocol.map": f"{known['listener.security.protocol.map']},SASL_SSL:SASL_SSL",
            "inter.broker.listener.name": "PLAINTEXT",
            "sasl.enabled.mechanisms": "SCRAM-SHA-512,PLAIN",
            "listener.name.sasl_ssl.plain.sasl.jaas.config": f"org.apache.kafka.common.security.plain.PlainLoginModule required {plain};",
            "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": "org.apache.kafka.common.security.scram.ScramLoginModule required;",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": keys,
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
        }

    def format_words(self) -> list[str]:
        return [word for name, password in self.passwords.items() for word in ("--add-scram", f"SCRAM-SHA-512=[name={name},password={password}]")]

    def create_topics(self) -> None:
        super().create_topics()
        for user in self.users:
            alike = defaultdict(list)
            for acl in user["spec"]["authorization"]["acls"]:
                assert acl["resource"]["patternType"] == "literal"
                alike[tuple(acl["operations"])].extend([f"--{acl['resource']['type']}", acl["resource"]["name"]])
            for operations, resources in alike.items():
                allowed = [word for operation in operations for word in ("--operation", operation)]
                principal = f"User:{user['metadata']['name']}"
                self.tool("org.apache.kafka.tools.AclCommand", "--bootstrap-server", self.brokers, "--add", "--allow-principal", principal, *allowed, *resources)


class SecuredPostgres(Postgres):
    """The role `app` owns the database, as CloudNativePG's does, and comes in over TLS with its password alone."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        super().__init__(folder)
        self.authority = authority
        self.password = secrets.token_hex(16)
        # libpq is strict about both names and both kinds of trust.
        self.secured_url = f"postgresql://app:{self.password}@localhost:{self.port}/syncline?sslmode=verify-full&sslrootcert={authority.ca}"

    def initialise(self) -> None:
        super().initialise()
        owner = self.data.stat()
        for path in (self.authority.certificate, self.authority.key):
            kept = self.data / path.name
            kept.write_text(path.read_text())
            os.chown(kept, owner.st_uid, owner.st_gid)
            kept.chmod(0o600)
        (self.data / "pg_hba.conf").write_text("host all postgres 127.0.0.1/32 trust\nhostssl syncline app 127.0.0.1/32 scram-sha-256\n")
        with (self.data / "postgresql.conf").open("a") as settings:
            settings.write(f"ssl = on\nssl_cert_file = '{self.authority.certificate.name}'\nssl_key_file = '{self.authority.key.name}'\n")

    def wait_ready(self, seconds: float = 30) -> None:
        super().wait_ready(seconds)
        self.query(f"create role app login nosuperuser password '{self.password}'")
        self.query("alter database syncline owner to app")
