"""A pod's files as its containers would see them, in a folder: ConfigMaps as rendered, Secrets with contents that fit."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from chart import Object, one

SECRET_PATH = re.compile(r"/run/secrets/syncline/[A-Za-z0-9._-]+/[A-Za-z0-9._-]+")


def certificate(folder: Path) -> tuple[str, str]:
    """A self-signed certificate and its key."""
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=chart"]
    subprocess.run([*command, "-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")], capture_output=True, check=True)
    return (folder / "certificate.pem").read_text(), (folder / "key.pem").read_text()


class PodFiles:
    """Paths in files and arguments are moved below `folder`; contents stay as they are otherwise."""

    def __init__(self, folder: Path, rendered: Iterable[Object], pod: Object, pem: tuple[str, str], config_maps: dict[str, dict[str, str]]) -> None:
        self.folder = folder
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
        for root in ("/etc/syncline", "/run/secrets/syncline", "/data/stock"):
            content = content.replace(root, str(self.folder) + root)
        return content

    def bring(self, path: str) -> None:
        mount, key = path.rsplit("/", 1)
        keys = self.secrets.get(mount)
        if keys is None or (keys and key not in keys):
            self.missing.append(path)
            return
        target = self.moved(path)
        certificate, private = self.pem
        if key in ("uri", "url"):
            target.write_text("postgresql://syncline:secret@db.example.com:5432/syncline")
        elif key == "tokens":
            target.write_text("operator:0123456789abcdef0123456789abcdef\n")
        elif key.endswith((".crt", ".pem")):
            target.write_text(certificate)
        elif key.endswith(".key"):
            target.write_text(private)
        else:
            target.write_text("0123456789abcdef0123456789abcdef\n")
