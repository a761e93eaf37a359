"""One step of the filter in Chromium, on pages of 1,000 rows.

    python -m tests.bench.table_views [1000]

Needs selenium, chromium and chromium-driver. Prints, for the whole overview and for the page of a
track, the median and the longest step of twenty, in milliseconds of performance.now(): the script
alone, and with the layout that follows it; then one choice of a column.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from selenium import webdriver

from leaderboard.board.records import BoardContents
from tests.leaderboard import generated
from tests.leaderboard.conftest import build
from tests.leaderboard.site.test_browser import FLAGS
from tests.leaderboard.site.test_browser_views import rows

STEPS = """
const field = document.querySelector("#filter [name=" + arguments[0] + "]");
const found = [];
document.body.offsetHeight;
for (let n = 0; n < 20; n += 1) {
  field.value = n % 2 ? arguments[1] : "";
  const start = performance.now();
  field.dispatchEvent(new Event("input", { bubbles: true }));
  const script = performance.now() - start;
  document.body.offsetHeight;
  found.push([script, performance.now() - start]);
}
field.value = "";
field.dispatchEvent(new Event("input", { bubbles: true }));
return found;
"""
COLUMN = """
document.querySelector(".columns").open = true;
const box = document.querySelectorAll(".columns input")[1];
document.body.offsetHeight;
const start = performance.now();
box.click();
const script = performance.now() - start;
document.body.offsetHeight;
return [[script, performance.now() - start]];
"""


def told(name, found):
    """One line: the median and the longest of the steps."""
    script, whole = (sorted(step) for step in zip(*found, strict=True))
    middle = len(found) // 2
    print(
        f"{name:<28} script {script[middle]:6.1f} ms (longest {script[-1]:.1f}),"
        f" with layout {whole[middle]:6.1f} ms (longest {whole[-1]:.1f})"
    )


def main(number):
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        board = BoardContents(tuple(rows(number)), (), ())
        build(board, generated.bench(root), root / "site")
        for flag in (*FLAGS, f"--user-data-dir={root / 'profile'}", "--window-size=1280,1000"):
            options.add_argument(flag)
        driver = webdriver.Chrome(
            options=options, service=webdriver.ChromeService(shutil.which("chromedriver"))
        )
        try:
            for page in ("index", "overview", "tracks/video"):
                file = root / "site" / f"{page}.html"
                print(f"{page}: {file.stat().st_size / 1024:.0f} KiB")
                driver.get(file.as_uri())
                for name, value in (("words", "system01"), ("language", "zh"), ("size", "1M")):
                    told(f"  {name}", driver.execute_script(STEPS, name, value))
                told("  a column", driver.execute_script(COLUMN))
        finally:
            driver.quit()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
