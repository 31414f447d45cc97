"""Images by whatever builds them here: Docker, podman or buildah. Building, looking at one, and running one as the chart's pods run it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from .paths import ROOT
from .process import StackError

DOCKERFILE = ROOT / "deploy/docker/Dockerfile"
PACKAGES = ROOT / "deploy/docker/packages.txt"
# Debian 13 with the build's packages, made here where no registry is asked.
LOCAL_BASE = "localhost/syncline-debian:13"
USER = "65532"
MEGABYTES_MAX = 80


def services() -> list[str]:
    """Everything that has an image."""
    return [*sorted(path.parent.name for path in (ROOT / "services").glob("*/main.cpp")), "synclinectl"]


def chart() -> dict:
    return yaml.safe_load((ROOT / "helm/syncline/Chart.yaml").read_text())


def name_of(service: str) -> str:
    """As the chart asks for it, without a registry."""
    return f"syncline/{service}:{chart()['appVersion']}"


def revision() -> str:
    done = subprocess.run(["git", "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip()


@dataclass
class Run:
    """What a container gets besides its image."""

    command: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    mounts: Mapping[str, Path] = field(default_factory=dict)  # By path in the container; read-only.
    tmpfs: Sequence[str] = ("/tmp",)


class Docker:
    """Docker or podman: they share their command line."""

    def __init__(self, program: str) -> None:
        self.program = program

    def build(self, service: str, arguments: Mapping[str, str], *, base: str) -> None:
        options = [f"--build-arg={key}={value}" for key, value in {**arguments, **({"BASE": base} if base else {}), "SERVICE": service}.items()]
        _must([self.program, "build", "--file", str(DOCKERFILE), "--tag", name_of(service), *options, str(ROOT)], env={"DOCKER_BUILDKIT": "1"})

    def has(self, image: str) -> bool:
        return subprocess.run([self.program, "image", "inspect", image], capture_output=True).returncode == 0

    def import_base(self, archive: Path) -> None:
        _must([self.program, "import", str(archive), LOCAL_BASE])

    def config(self, image: str) -> dict:
        return json.loads(_output([self.program, "image", "inspect", "--format", "{{json .Config}}", image]))

    @contextlib.contextmanager
    def root(self, image: str) -> Iterator[Path]:
        """The image's files, in a folder."""
        with tempfile.TemporaryDirectory(prefix="syncline-image-") as folder:
            container = _output([self.program, "create", image]).strip()
            try:
                archive = subprocess.run([self.program, "export", container], capture_output=True, check=True).stdout
                subprocess.run(["tar", "-C", folder, "-xf", "-"], input=archive, check=True)
            finally:
                _output([self.program, "rm", container])
            yield Path(folder)

    @contextlib.contextmanager
    def command(self, image: str, run: Run) -> Iterator[list[str]]:
        """The command that runs it here, on this machine's network, as a restricted pod would."""
        options = ["--rm", "--init=false", "--network=host", "--read-only", f"--user={USER}:{USER}", "--cap-drop=ALL", "--security-opt=no-new-privileges"]
        options += [f"--tmpfs={path}" for path in run.tmpfs]
        options += [f"--volume={source}:{target}:ro" for target, source in run.mounts.items()]
        options += [f"--env={key}={value}" for key, value in run.env.items()]
        yield [self.program, "run", *options, f"--entrypoint={run.command[0]}", image, *run.command[1:]]


class Buildah:
    """Builds without a daemon and without namespaces of its own; a container is the image's files behind chroot, with a read-only root."""

    STORE = ("buildah", "--storage-driver", "vfs")
    # The container's root is read-only before the program starts, and its user has no capability left.
    ENTER = """
set -e
root=$1; shift
mount --bind "$root" "$root"
while [ "$1" != -- ]; do
  case $1 in
  tmpfs) mount -t tmpfs -o size=64m,mode=1777 tmpfs "$root$2"; shift 2 ;;
  *) mount --bind "$1" "$root$2"; mount -o remount,bind,ro "$root$2"; shift 2 ;;
  esac
done
shift
mount -t proc proc "$root/proc"
mount -o remount,bind,ro "$root"
exec setpriv --no-new-privs chroot --userspec=USER:USER --groups= "$root" "$@"
""".replace("USER", USER)

    def build(self, service: str, arguments: Mapping[str, str], *, base: str) -> None:
        options = [f"--build-arg={key}={value}" for key, value in {**arguments, "BASE": base or LOCAL_BASE, "SERVICE": service}.items()]
        flags = ["--isolation=chroot", "--pull=never" if not base else "--pull", "--layers"]
        _must([*self.STORE, "bud", *flags, "--file", str(DOCKERFILE), "--tag", name_of(service), *options, str(ROOT)])

    def has(self, image: str) -> bool:
        return subprocess.run([*self.STORE, "inspect", "--type=image", image], capture_output=True).returncode == 0

    def import_base(self, archive: Path) -> None:
        container = _output([*self.STORE, "from", "scratch"]).strip()
        _must([*self.STORE, "add", container, str(archive), "/"])
        _must([*self.STORE, "commit", "--rm", container, LOCAL_BASE])

    def config(self, image: str) -> dict:
        return json.loads(_output([*self.STORE, "inspect", "--type=image", image]))["OCIv1"]["config"]

    @contextlib.contextmanager
    def root(self, image: str) -> Iterator[Path]:
        container = _output([*self.STORE, "from", "--pull=never", image]).strip()
        try:
            yield Path(_output([*self.STORE, "mount", container]).strip())
        finally:
            _output([*self.STORE, "umount", container])
            _output([*self.STORE, "rm", container])

    @contextlib.contextmanager
    def command(self, image: str, run: Run) -> Iterator[list[str]]:
        with self.root(image) as root:
            mounts: list[str] = []
            wanted = {**run.mounts, "/dev": Path("/dev"), "/etc/hosts": Path("/etc/hosts"), "/etc/resolv.conf": Path("/etc/resolv.conf")}
            for target, source in wanted.items():  # The places where a runtime mounts, made as it makes them.
                place = root / target.lstrip("/")
                if source.is_dir():
                    place.mkdir(parents=True, exist_ok=True)
                else:
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.touch()
                mounts += [str(source), target]
            (root / "proc").mkdir(exist_ok=True)
            for path in run.tmpfs:
                (root / path.lstrip("/")).mkdir(parents=True, exist_ok=True)
                mounts += ["tmpfs", path]
            environment = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *(f"{key}={value}" for key, value in run.env.items())]
            yield [*environment, "unshare", "--mount", "--propagation=private", "sh", "-c", self.ENTER, "sh", str(root), *mounts, "--", *run.command]


Engine = Docker | Buildah


def engine(wanted: str = "") -> Engine:
    """The one that is wanted, else the first that works."""
    for program in [wanted] if wanted else ["docker", "podman", "buildah"]:
        if shutil.which(program) is None:
            continue
        if program == "buildah":
            return Buildah()
        if subprocess.run([program, "info"], capture_output=True).returncode == 0:
            return Docker(program)
    raise StackError(f"nothing here builds images{f' by the name of {wanted}' if wanted else ''}: start Docker, or install podman or buildah (apt-get install buildah)")


def ensure_local_base(found: Engine) -> None:
    """Debian 13 from the Debian archive this machine uses, where there is none yet."""
    if found.has(LOCAL_BASE):
        return
    if shutil.which("mmdebstrap") is None:
        raise StackError("the base is made by mmdebstrap: apt-get install mmdebstrap, or name an image of Debian 13 with --base")
    packages = ",".join(PACKAGES.read_text().split())
    with tempfile.TemporaryDirectory(prefix="syncline-base-") as folder:
        archive = Path(folder) / "debian-13.tar"
        _must(["mmdebstrap", "--variant=apt", "--mode=root" if os.getuid() == 0 else "--mode=unshare", f"--include={packages}", "--aptopt=Apt::Install-Recommends \"false\"", "trixie", str(archive)])
        found.import_base(archive)


def build(found: Engine, wanted: Sequence[str], *, base: str = "", local: bool = False) -> None:
    if isinstance(found, Buildah) and not base or local:
        ensure_local_base(found)
        base = "" if isinstance(found, Buildah) else LOCAL_BASE
    arguments = {"VERSION": str(chart()["appVersion"]), "REVISION": revision(), "SOURCE": chart()["sources"][0]}
    if set(wanted) != set(services()):
        arguments["PROGRAMS"] = " ".join(sorted(wanted))
    for service in wanted:
        found.build(service, arguments, base=base)


def _must(command: Sequence[str], env: Mapping[str, str] | None = None) -> None:
    if subprocess.run(command, env={**os.environ, **(env or {})}).returncode != 0:
        raise StackError(f"{' '.join(command[:4])} … failed; the lines above say why")


def _output(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise StackError(f"{' '.join(command)}: {done.stderr.strip()[-1500:]}")
    return done.stdout
