"""A pod's files as its containers would see them, in a folder: ConfigMaps as rendered, Secrets with contents that fit."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from chart import BIN, ROOT, Object, one

# What value sets leave to a ConfigMap of their own.
EXISTING = {"syncline-mappings-from-git": {"odoo-main.yaml": (ROOT / "deploy/local/mappings/odoo-main.yaml").read_text()}}
SECRET_PATH = re.compile(r"/run/secrets/syncline/[A-Za-z0-9._-]+/[A-Za-z0-9._-]+")


def certificate(folder: Path) -> tuple[str, str]:
    """A self-signed certificate and its key."""
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=chart"]
    subprocess.run([*command, "-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")], capture_output=True, check=True)
    return (folder / "certificate.pem").read_text(), (folder / "key.pem").read_text()


class PodFiles:
    """Paths in files and arguments are moved below `folder` (unless the folder is mounted where they lead); contents stay otherwise."""

    def __init__(
        self,
        folder: Path,
        rendered: Iterable[Object],
        pod: Object,
        pem: tuple[str, str],
        config_maps: dict[str, dict[str, str]],
        *,
        mounted: bool = False,
        contents: Mapping[str, str] | None = None,
    ) -> None:
        """`contents`: <Secret>/<key> → what it holds, instead of something that fits."""
        self.folder = folder
        self.contents = contents or {}
        self.mounted = mounted
        self.pem = pem
        self.missing: list[str] = []  # Files that the configuration names and no volume brings.
        rendered = list(rendered)
        volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
        self.secrets: dict[str, list[str]] = {}  # Mount path: keys; none = all.
        texts: list[Path] = []
        for mount in pod["spec"]["containers"][0]["volumeMounts"]:
            volume = volumes[mount["name"]]
            target = self.moved(mount["mountPath"])
            target.mkdir(parents=True, exist_ok=True)
            if "configMap" in volume:
                name = volume["configMap"]["name"]
                data = config_maps[name] if name in config_maps else one(rendered, "ConfigMap", name)["data"]
                for key, value in data.items():
                    (target / key).write_text(value)
                    texts.append(target / key)
            elif "secret" in volume:
                self.secrets[mount["mountPath"]] = [item["key"] for item in volume["secret"].get("items", [])]
        for path in texts:
            content = path.read_text()
            for secret in SECRET_PATH.findall(content):
                self.bring(secret)
            path.write_text(self.text(content))

    def moved(self, path: str) -> Path:
        return self.folder / path.lstrip("/")

    def text(self, content: str) -> str:
        if self.mounted:
            return content
        for root in ("/etc/syncline", "/run/secrets/syncline", "/data/stock"):
            content = content.replace(root, str(self.folder) + root)
        return content

    def use_database(self, url: str) -> None:
        """Every Secret with a database's address names this one."""
        for path in self.folder.glob("run/secrets/syncline/*/ur[il]"):
            path.write_text(url)

    def bring(self, path: str) -> None:
        mount, key = path.rsplit("/", 1)
        keys = self.secrets.get(mount)
        if keys is None or (keys and key not in keys):
            self.missing.append(path)
            return
        target = self.moved(path)
        certificate, private = self.pem
        if given := self.contents.get(f"{Path(mount).name}/{key}"):
            target.write_text(given)
        elif key in ("uri", "url"):
            target.write_text("postgresql://syncline:secret@db.example.com:5432/syncline")
        elif key == "tokens":
            target.write_text("operator:0123456789abcdef0123456789abcdef\n")
        elif key.endswith((".crt", ".pem")):
            target.write_text(certificate)
        elif key.endswith(".key"):
            target.write_text(private)
        else:
            target.write_text("0123456789abcdef0123456789abcdef\n")


def start_of(files: PodFiles, pod: Object, *verb: str) -> tuple[list[str], dict[str, str]]:
    """Command and environment of a pod's container; --migrate of a Job is left to `verb`."""
    container = pod["spec"]["containers"][0]
    binary = BIN / Path(container["command"][0]).name
    if not binary.exists():
        pytest.skip(f"{binary.name} is not built")
    # Only what the pod gives: a SYNCLINE_ variable of the caller must not help.
    environment = {"PATH": os.environ["PATH"], **{entry["name"]: entry.get("value", "x") for entry in container.get("env", [])}}
    environment.pop("OTEL_EXPORTER_OTLP_ENDPOINT", None)
    arguments = [files.text(argument) for argument in container["args"] if argument != "--migrate"]
    return [str(binary), *arguments, *verb], environment


def run(files: PodFiles, pod: Object, *verb: str) -> subprocess.CompletedProcess[str]:
    command, environment = start_of(files, pod, *verb)
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=30)
