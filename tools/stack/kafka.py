"""One Apache Kafka node in KRaft mode."""

from __future__ import annotations

import base64
import os
import shlex
import shutil
import subprocess
from pathlib import Path

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from .paths import KAFKA_JARS, ROOT
from .process import Process, StackError, free_port, port_open, wait_until

LOG4J = """\
status = warn
appender.stdout.type = Console
appender.stdout.name = stdout
appender.stdout.layout.type = PatternLayout
appender.stdout.layout.pattern = %d %p %c{1}: %m%n
rootLogger.level = warn
rootLogger.appenderRef.stdout.ref = stdout
"""


TOOLS = {"kafka-consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand", "kafka-topics": "org.apache.kafka.tools.TopicCommand"}


class Kafka:
    """Data survive a kill: start() after kill() finds what was acknowledged."""

    def __init__(self, folder: Path, *, detached: bool = False, long_lived: bool = False) -> None:
        """long_lived: the virtual machine may compile thoroughly, as a real broker's does; else it starts quickly."""
        self.folder = folder
        self.long_lived = long_lived
        self.port = free_port()
        self.controller_port = free_port()
        self.brokers = f"127.0.0.1:{self.port}"
        self.process = Process(
            "kafka",
            self._java("kafka.Kafka", str(folder / "server.properties")),
            folder / "kafka.log",
            detached=detached,
            stop_seconds=20,
        )

    def _java(self, main: str, *arguments: str) -> list[str]:
        return [
            shutil.which("java") or "java",
            "-Xmx512m",
            "-Xms256m",
            *([] if self.long_lived else ["-XX:TieredStopAtLevel=1"]),
            "-XX:+UseSerialGC",
            f"-Dlog4j2.configurationFile={self.folder / 'log4j2.properties'}",
            "-cp",
            f"{KAFKA_JARS}/*",
            main,
            *arguments,
        ]

    def properties(self) -> dict[str, object]:
        return {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@127.0.0.1:{self.controller_port}",
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.controller_port}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self.port}",
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": self.folder / "data",
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 4,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "group.initial.rebalance.delay.ms": 0,
            "group.min.session.timeout.ms": 1000,
            "message.max.bytes": 11534336,
            "socket.request.max.bytes": 209715200,
            "num.network.threads": 2,
            "num.io.threads": 4,
        }

    def format_words(self) -> list[str]:
        """Further words of the tool that formats the storage."""
        return []

    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "log4j2.properties").write_text(LOG4J)
        (self.folder / "server.properties").write_text("".join(f"{key}={value}\n" for key, value in self.properties().items()))
        if not (self.folder / "data" / "meta.properties").exists():
            # It may begin with a dash: as a word of its own the tool would take it for an option.
            cluster = base64.urlsafe_b64encode(os.urandom(16)).decode().rstrip("=")
            self.tool("kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "-c", str(self.folder / "server.properties"), *self.format_words())

    def tool(self, main: str, *words: str) -> str:
        """What one of Kafka's own tools says."""
        done = subprocess.run(self._java(main, *words), capture_output=True, text=True)
        if done.returncode != 0:
            raise StackError(f"{main} failed:\n{done.stdout[-800:]}{done.stderr[-800:]}")
        return done.stdout

    def start(self) -> None:
        self.prepare()
        self.process.start()

    def wait_ready(self, seconds: float = 60) -> None:
        def ready() -> bool:
            if not self.process.running():
                raise StackError(f"Kafka ended at start:\n{self.process.tail()}")
            return port_open(self.port)

        wait_until(ready, seconds, f"Kafka listens on {self.brokers} (log: {self.process.log})")
        wait_until(self._answers, seconds, f"Kafka answers on {self.brokers} (log: {self.process.log})", interval=0.2)

    def _answers(self) -> bool:
        if not self.process.running():
            raise StackError(f"Kafka ended at start:\n{self.process.tail()}")
        return subprocess.run(["kcat", "-b", self.brokers, "-L", "-m", "3"], capture_output=True, timeout=15).returncode == 0

    def create_topics(self) -> None:
        """Every topic of proto/topics.yaml, with its settings; those that exist stay."""
        listing = subprocess.run(["/usr/bin/python3", str(ROOT / "tools/docs/topics.py"), "--kafka-properties"], capture_output=True, text=True)
        if listing.returncode != 0:
            raise StackError(f"tools/docs/topics.py: {listing.stderr.strip()}")
        admin = AdminClient({"bootstrap.servers": self.brokers})
        wanted = []
        for line in listing.stdout.splitlines():
            name, partitions, settings = line.split("\t")
            wanted.append(NewTopic(name, int(partitions), 1, config=dict(setting.split("=", 1) for setting in settings.split(","))))
        for name, outcome in admin.create_topics(wanted, operation_timeout=30).items():
            try:
                outcome.result(60)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise StackError(f"creating topic {name} failed: {error.args[0].str()}") from error

    def write_tools(self, folder: Path) -> None:
        """Kafka's command line tools under the names its distribution gives them, for commands of the pages."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, main in TOOLS.items():
            script = folder / f"{name}.sh"
            script.write_text("#!/bin/sh\nexec " + shlex.join(self._java(main)) + ' "$@"\n')
            script.chmod(0o755)

    def destroy(self) -> None:
        """The broker and everything it stored."""
        self.process.kill()
        shutil.rmtree(self.folder / "data")

    def restart(self) -> None:
        self.process.start()
        self.wait_ready()
