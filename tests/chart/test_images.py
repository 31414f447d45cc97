"""deploy/docker, held against the chart: what one side says of an image, the other does."""

from __future__ import annotations

import re

import yaml
from chart import ROOT, VALUE_SETS, objects, pods
from stack import images

DOCKERFILE = (ROOT / "deploy/docker/Dockerfile").read_text()
BUILD = (ROOT / "deploy/docker/build.sh").read_text()
FINAL = DOCKERFILE[DOCKERFILE.index("FROM scratch") :]


def test_every_image_the_chart_asks_for_is_built() -> None:
    asked = {re.sub(r"[:@].*", "", pod["spec"]["containers"][0]["image"].rsplit("/", 1)[-1]) for name in VALUE_SETS for _, pod in pods(objects(name))}
    assert asked == set(images.services())
    catalogue = yaml.safe_load((ROOT / "helm/syncline/files/catalogue.yaml").read_text())
    assert set(catalogue["services"]) | {"synclinectl"} == asked


def test_names_and_tags_are_the_charts() -> None:
    for _, pod in pods(objects("smallest")):
        container = pod["spec"]["containers"][0]
        assert container["image"] == images.name_of(container["image"].split("/")[-1].split(":")[0])


def test_the_program_is_where_pods_call_it() -> None:
    for _, pod in pods(objects("production")):
        container = pod["spec"]["containers"][0]
        service = re.sub(r"[:@].*", "", container["image"].rsplit("/", 1)[-1])
        assert container["command"][0] == f"/usr/bin/{service}"
    assert '"$root/usr/bin/$program"' in BUILD
    assert 'ln -s "usr/bin/$program" "$root/service"' in BUILD
    assert 'ENTRYPOINT ["/service"]' in FINAL


def test_the_user_is_the_charts() -> None:
    users = {(pod["spec"]["securityContext"]["runAsUser"], pod["spec"]["securityContext"]["runAsGroup"]) for _, pod in pods(objects("production"))}
    assert users == {(int(images.USER), int(images.USER))}
    assert f"USER {images.USER}:{images.USER}\n" in FINAL
    assert f"x:{images.USER}:{images.USER}:" in BUILD


def test_labels_are_filled_in() -> None:
    labels = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]*)"', FINAL))
    assert labels == {"title": "syncline/${SERVICE}", "version": "${VERSION}", "revision": "${REVISION}", "source": "${SOURCE}"}
    for argument in ("SERVICE", "VERSION", "REVISION", "SOURCE"):
        assert re.search(rf"^ARG {argument}\b", FINAL, re.MULTILINE), f"{argument} is not known in the final stage"
    assert str(images.chart()["appVersion"]) == re.search(r"project\(syncline VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text())[1]


def test_the_final_stage_has_nothing_but_what_was_collected() -> None:
    copies = [line for line in FINAL.splitlines() if line.startswith(("COPY", "ADD", "RUN"))]
    assert copies == ["COPY --from=build /images/${SERVICE} /"]


def test_what_is_needed_reaches_the_build() -> None:
    """A folder that the build reads and .dockerignore keeps away would fail half an hour later."""
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert {path for path in let_in if not (ROOT / path).exists()} == set()
    assert {"CMakeLists.txt", "CMakePresets.json", "libs", "proto", "services", "tools/cmake", "tools/synclinectl", "deploy/docker"} <= let_in
    # Debian 12's list names what Debian 13's has to bring: libraries have the same names.
    wanted = {line.split("#")[0].split("/")[0].strip() for line in (ROOT / "tools/setup/packages.txt").read_text().splitlines()}
    libraries = {name for name in wanted if name.endswith("-dev") and not name.startswith("libclang")}
    assert libraries <= set(images.PACKAGES.read_text().split())
