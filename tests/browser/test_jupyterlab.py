"""A student's session in JupyterLab, in a real headless Chromium: run, edit the module on disk, run a check again."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator

pytest.importorskip("playwright", reason="Playwright is not installed")
pytest.importorskip("jupyterlab", reason="JupyterLab is not installed")
from playwright.sync_api import Page, expect

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.assignments.cvae.kit import data
from autograder.authoring import kit as release

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed"),
]

MINUTE = 60_000  # milliseconds


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked kit."""
    folder = tmp_path_factory.mktemp("kit")
    with zipfile.ZipFile(release.build_kit(CVAE, folder, data=data(2000, 100))) as archive:
        archive.extractall(folder)
    return folder / CVAE.kit


@pytest.fixture(scope="module")
def lab(kit: Path) -> Iterator[str]:
    """The address of a JupyterLab serving the kit."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    environment = os.environ | {
        "CS5814_SMOKE": "1",
        "MNIST_ROOT": str(kit / "none"),
        "JUPYTERLAB_SETTINGS_DIR": str(kit.parent / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(kit.parent / "workspaces"),
    }
    environment.pop("PYTHONPATH", None)
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1"),
        *(f"--port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}"),
        "--LabApp.news_url=",
    ]
    with (kit.parent / "jupyterlab.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=kit, env=environment, stdout=log, stderr=log)
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(120):
            assert server.poll() is None, (kit.parent / "jupyterlab.log").read_text("utf-8")
            try:
                urllib.request.urlopen(f"{address}/api?token={token}", timeout=5).close()
                break
            except OSError:
                time.sleep(0.5)
        yield f"{address}/lab/tree/cvae.ipynb?token={token}&reset"
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture
def page(browser: Any) -> Page:
    """A window so tall that JupyterLab, which renders only the cells in view, renders all of them."""
    return browser.new_page(viewport={"width": 1200, "height": 24_000})


def test_edit_on_disk_takes_effect_without_a_restart(
    kit: Path, lab: str, page: Page, request: pytest.FixtureRequest
) -> None:
    pictures = Path(os.environ.get("SCREENSHOTS", kit.parent))
    pictures.mkdir(parents=True, exist_ok=True)

    def run_all() -> None:
        page.locator(".jp-NotebookPanel").click(position={"x": 600, "y": 60})
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.locator(".lm-Menu").get_by_text("Run All Cells", exact=True).click()

    def cell(source: str) -> Locator:
        return page.locator(".jp-CodeCell", has=page.locator(".cm-content", has_text=source)).first

    page.goto(lab)
    expect(cell('check("encoder")')).to_be_visible(timeout=2 * MINUTE)
    expect(page.get_by_text("| Idle")).to_be_visible(timeout=2 * MINUTE)  # without a kernel, nothing would run

    # The blank fill-in: the first check stops the run, in a few lines.
    run_all()
    encoder = cell('check("encoder")').locator(".jp-Cell-outputArea")
    expect(encoder).to_contain_text("encoder is not done yet", timeout=2 * MINUTE)
    expect(encoder).to_contain_text("Not written yet: line")
    expect(encoder).not_to_contain_text("Traceback")
    expect(cell('check("decoder")').locator(".jp-Cell-outputArea")).to_be_empty()
    page.screenshot(path=pictures / "jupyterlab-blank.png")

    # An edit that Python cannot read: the hint alone, once, in lines that break between words.
    solution = CVAE.solution.read_text("utf-8")
    (kit / "cs5814_vae.py").write_text(solution.replace("nn.ReLU(),", "nn.ReLU()", 1), "utf-8")
    cell('check("encoder")').locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    hint = encoder.get_by_text("SyntaxError in line")
    expect(hint).to_have_count(1, timeout=MINUTE)
    expect(hint).to_have_css("word-break", "normal")
    expect(encoder).not_to_contain_text("Traceback")
    page.screenshot(path=pictures / "jupyterlab-syntax.png")

    # The module is written; the same check, run again in the same kernel, passes.
    (kit / "cs5814_vae.py").write_text(solution, "utf-8")
    cell('check("encoder")').locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    expect(encoder).to_contain_text("All checks of encoder pass.", timeout=MINUTE)
    expect(encoder).not_to_contain_text("✗")

    # So does the rest, where the notebook itself calls the module that it imported blank.
    cell('check("decoder")').locator(".cm-content").click()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.locator(".lm-Menu").get_by_text("Run Selected Cell and All Below", exact=True).click()
    last = cell("classes.repeat(6)").locator(".jp-Cell-outputArea img")
    expect(last).to_be_visible(timeout=3 * MINUTE)
    for part in ("decoder", "sample_latent", "forward", "loss_function", "training"):
        expect(cell(f'check("{part}")').locator(".jp-Cell-outputArea")).to_contain_text(f"All checks of {part} pass.")
    page.screenshot(path=pictures / "jupyterlab-done.png")
