"""Sources that inventory-sync asks itself: an Odoo's quants, XML snapshots fetched by SFTP. A stack of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from stack import Stack, Stock, wait_until
from stack.process import free_port
from stock_flow import StockFlow
from support.flow import running

SSHD = "/usr/sbin/sshd"
WEBHOOKS = ("inventory_levels/update", "orders/create", "orders/updated", "fulfillments/create", "locations/activate", "locations/deactivate")


class Sshd:
    """An SFTP server of this machine's own, on a free loopback port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.out = folder / "out"
        self.out.mkdir(parents=True)
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        for key in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key)], check=True)
        shutil.copy(folder / "user.pub", folder / "authorized")
        (folder / "config").write_text(
            f"ListenAddress 127.0.0.1\nPort {self.port}\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/authorized\n"
            "PidFile none\nStrictModes no\nUsePAM no\nPermitRootLogin yes\nSubsystem sftp internal-sftp\n"
        )

    def start(self) -> None:
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        self.process = subprocess.Popen([SSHD, "-D", "-f", str(self.folder / "config")], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(10)
            self.process = None

    def rule(self) -> dict[str, Any]:
        shown = subprocess.run(["ssh-keygen", "-lf", str(self.folder / "host.pub")], check=True, capture_output=True, text=True).stdout
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "user": pwd.getpwuid(os.geteuid()).pw_name,
            "path": str(self.out),
            "host_key": next(word for word in shown.split() if word.startswith("SHA256:")),
            "key_file": str(self.folder / "user"),
            "every": "1s",
        }

    def put(self, name: str, text: str) -> None:
        (self.out / name).write_text(text)
        (self.out / f"{name}.done").write_text("")


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    if not Path(SSHD).exists():
        pytest.skip("openssh-server is not installed (tools/setup/system.sh installs it)")
    folder = tmp_path_factory.mktemp("sshd")
    server = Sshd(folder)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def stack(sshd: Sshd) -> Iterator[StockFlow]:
    def mapping(made: Stack) -> str:
        key = made.folder / "odoo-key"
        key.write_text("sandbox-key\n")
        arrived = made.folder / "arrived"
        arrived.mkdir(exist_ok=True)
        places = [{"source": "odoo", "location": "WH"}, {"source": "store", "location": "N"}]
        return yaml.safe_dump(
            {
                "sources": {
                    "odoo": {
                        "basis": "physical",
                        "odoo": {
                            "url": made.odoo_url(),
                            "database": "sandbox",
                            "login": "syncline",
                            "api_key_file": str(key),
                            "every": "1s",
                            "overlap": "5s",
                            "whole_every": "8s",
                            "shrink_refused_below": 50,
                        },
                    },
                    "store": {
                        "basis": "physical",
                        "files": {
                            "folder": str(arrived),
                            "format": "xml",
                            "row": "item",
                            "columns": {"sku": "@sku", "quantity": "@quantity", "location": "store@code"},
                            "sftp": sshd.rule(),
                        },
                    },
                },
                "shops": {
                    shop.alias: {
                        "locations": [
                            {"id": int(place["id"]), "from": [source]}
                            for place, source in zip(made.shopify.control(f"shops/{shop.alias}/summary")["locations"], places, strict=False)
                        ]
                    }
                    for shop in made.shops
                },
                "ignored": [{"source": "odoo", "location": "WH2"}],
            },
            sort_keys=False,
        )

    with running("sources", stock=Stock(items=60, mapping=mapping, webhooks=WEBHOOKS)) as flow:
        made = StockFlow(flow)
        # A catalogue beside what the cases use, so that one product less is no shrunken snapshot.
        for number in range(30, 40):
            lies(made, f"SKU-{number:07d}", 1)
        yield made


def lies(stock: StockFlow, sku: str, quantity: float, **more: Any) -> None:
    stock.flow.erp.control("POST", "stock", {"do": "set", "sku": sku, "quantity": quantity, **more})


def act(stock: StockFlow, what: str, sku: str, **more: Any) -> None:
    stock.flow.erp.control("POST", "stock", {"do": what, "sku": sku, **more})


def store(rows: dict[str, int]) -> str:
    return '<?xml version="1.0"?><snapshot><store code="N">' + "".join(f'<item sku="{sku}" quantity="{quantity}"/>' for sku, quantity in rows.items()) + "</store></snapshot>"


def test_quants_of_an_odoo_travel_to_both_shops(stack: StockFlow) -> None:
    sku = "SKU-0000001"
    lies(stack, sku, 5)
    lies(stack, sku, 2.75, shelf="A1")
    lies(stack, sku, 100, shelf="B1", owner=1)
    for shop in ("eu", "us"):
        stack.shows(shop, sku, 7, on_hand=7)
    lies(stack, sku, 9)
    for shop in ("eu", "us"):
        stack.shows(shop, sku, 11, on_hand=11)


def test_a_quant_that_falls_to_nothing_and_is_deleted_is_shown_as_none(stack: StockFlow) -> None:
    sku = "SKU-0000002"
    lies(stack, sku, 5)
    stack.shows("eu", sku, 5)
    lies(stack, sku, 0)
    stack.shows("eu", sku, 0, on_hand=0)


def test_what_is_deleted_without_a_trace_ends_with_the_next_whole_reading(stack: StockFlow) -> None:
    vanished, deleted, archived = "SKU-0000003", "SKU-0000004", "SKU-0000005"
    for sku in (vanished, deleted, archived):
        lies(stack, sku, 5)
    for sku in (vanished, deleted, archived):
        stack.shows("eu", sku, 5)
    act(stack, "vanish", vanished)
    act(stack, "delete", deleted)
    act(stack, "archive", archived)
    stack.shows("eu", vanished, 0)
    stack.shows("eu", deleted, 0)
    # It still lies on the shelf.
    assert stack.level("eu", archived)["available"] == 5


def test_a_sale_and_a_shipment_are_not_undone_by_a_level_from_before(stack: StockFlow) -> None:
    sku = "SKU-0000006"
    lies(stack, sku, 5)
    stack.shows("eu", sku, 5)
    order = stack.sell("eu", sku, 2)
    stack.shows("eu", sku, 3, on_hand=5)
    lies(stack, sku, 3)  # The ERP books it out, then Shopify hears.
    stack.fulfil("eu", order)
    stack.shows("eu", sku, 3, on_hand=3)
    stack.shows("us", sku, 3, on_hand=3)


def test_xml_snapshots_are_fetched_by_sftp_each_once(stack: StockFlow, sshd: Sshd) -> None:
    sku, other = "SKU-0000007", "SKU-0000008"
    (sshd.out / "night.xml").write_text(store({sku: 4}))
    sshd.put("first.xml", store({other: 3}))
    stack.shows("eu", other, 3, location=1)
    assert stack.level("eu", sku, location=1)["available"] == 0
    sshd.put("night.xml", store({sku: 4, other: 6}))
    stack.shows("eu", sku, 4, location=1)
    stack.shows("us", other, 6, location=1)
    arrived = stack.stack.folder / "arrived"
    assert sorted(path.name for path in (arrived / "done").iterdir()) == ["first.xml", "night.xml"]
    # A bomb, and a file cut in the middle: refused with the reason, nothing becomes zero.
    sshd.put("bomb.xml", '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + store({sku: 0}).replace('<?xml version="1.0"?>', ""))
    sshd.put("cut.xml", store({sku: 0, other: 0})[:-30])
    refused = arrived / "refused"
    wait_until(lambda: (refused / "bomb.xml.reason").exists() and (refused / "cut.xml.reason").exists(), 30, "both are refused")
    assert (refused / "bomb.xml.reason").read_text().startswith("doctype_refused")
    assert (refused / "cut.xml.reason").read_text().startswith("truncated")
    assert stack.level("eu", sku, location=1)["available"] == 4
    # The server goes away and comes back.
    sshd.stop()
    sshd.start()
    sshd.put("later.xml", store({sku: 8, other: 6}))
    stack.shows("eu", sku, 8, location=1)


def test_nothing_is_written_at_a_location_that_was_deactivated(stack: StockFlow) -> None:
    sku = "SKU-0000009"
    lies(stack, sku, 5)
    stack.shows("eu", sku, 5)
    location = stack.locations["eu"][0]

    def held() -> list[dict[str, Any]]:
        return stack.stack.admin(stack.sync, "/admin/stock/holds")["locations"]  # type: ignore[index, call-overload, no-any-return]

    stack.shopify.control(f"shops/eu/locations/{location}/deactivate", "POST", {})
    try:
        wait_until(lambda: any(hold["location_id"] == int(location) for hold in held()), 20, "the location is held")
        lies(stack, sku, 3)
        stack.shows("us", sku, 3)
        assert stack.level("eu", sku)["available"] == 5
    finally:
        stack.shopify.control(f"shops/eu/locations/{location}/activate", "POST", {})
    stack.shows("eu", sku, 3)
    assert not held()


def test_own_state_is_given_page_by_page_and_a_backfill_rights_what_was_typed_over(stack: StockFlow) -> None:
    sku = "SKU-0000010"
    lies(stack, sku, 5)
    stack.shows("eu", sku, 5)
    found: dict[str, dict[str, Any]] = {}
    after = ""
    for _ in range(100):
        page: Any = stack.stack.admin(stack.sync, f"/admin/stock/state/eu?limit=3&location={stack.locations['eu'][0]}" + (f"&after={after}" if after else ""))
        assert len(page["items"]) <= 3
        for item in page["items"]:
            assert item["sku"] not in found
            found[item["sku"]] = item
        after = page.get("next", "")
        if not after:
            break
    assert found[sku]["target"] == 5
    assert found[sku]["levels"][0]["source"] == "odoo"
    assert found[sku]["written_as"] == "on_hand"
    ctl = [str(stack.stack.bin / "synclinectl"), "--targets", str(stack.stack.targets_file)]
    run = subprocess.run([*ctl, "backfill", "stock", "--shop", "eu", "--wait", "--reason", "a test"], capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    assert "pairs will be read" in run.stderr
