"""tools/dev image [service]: builds the images with Docker, podman or buildah, and runs them as the chart would."""

from __future__ import annotations

import argparse
import os
import subprocess

from .. import images
from ..paths import ROOT
from ..process import StackError
from .build import fetch, say


def execute(arguments: argparse.Namespace) -> int:
    known = images.services()
    wanted = arguments.services or known
    if unknown := set(wanted) - set(known):
        raise StackError(f"no image '{', '.join(sorted(unknown))}'; there are: {', '.join(known)}")
    found = images.engine(arguments.engine)
    say(f"building {', '.join(wanted)}; the first one compiles everything, which takes half an hour on two cores")
    images.build(found, wanted, base=arguments.base, local=arguments.local_base)
    if arguments.no_try:
        return 0
    say("running them as the chart would: read-only root, its user, its files")
    fetch("helm", "kafka")
    return try_images(wanted, arguments.engine)


def try_images(wanted: list[str], engine: str = "") -> int:
    environment = {
        **os.environ,
        "SYNCLINE_IMAGES": ",".join(wanted),
        "SYNCLINE_IMAGE_ENGINE": engine,
        "PYTHONPATH": str(ROOT / "tools"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return subprocess.run(["/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/image"], cwd=ROOT, env=environment).returncode


def register(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = verbs.add_parser("image", help="build the container images and run them as the chart would")
    parser.add_argument("services", nargs="*", help="only these; all of them without one")
    parser.add_argument("--engine", default="", choices=["", "docker", "podman", "buildah"], help="instead of the first that works")
    parser.add_argument("--base", default="", help="an image of Debian 13 to build on, from a registry")
    parser.add_argument("--local-base", action="store_true", help="build on a Debian 13 made here; buildah always does without --base")
    parser.add_argument("--no-try", action="store_true", help="only build")
    parser.set_defaults(execute=execute)
