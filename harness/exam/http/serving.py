"""Running the server of a configuration until it is told to stop."""

from __future__ import annotations

import uvicorn

from harness.benchmark import Benchmark
from harness.exam.finishing import ExamRecords
from harness.exam.http.app import make_app
from harness.exam.record_keeping import RecordKeeper
from harness.exam.serve_config import ServeConfig, require_sound
from harness.exam.service import ExamService
from harness.exam.storage.database import Database


def serve(config: ServeConfig) -> None:
    """Serve exams until SIGINT or SIGTERM; what waits is then carried out.

    Raises WrongUsageError if the configuration is not sound, EnvironmentFailure if the benchmark
    or the database cannot be used.
    """
    require_sound(config)
    benchmark, database = Benchmark(config.benchmark), Database(config.database)
    service = ExamService(
        config.submissions, benchmark, database, practice=frozenset(config.practice)
    )
    keeper = RecordKeeper(
        service, database, ExamRecords(config.submissions, benchmark, config.results)
    )
    keeper.start()
    try:
        # No access log: addresses tell who answers what, and proxies have logs of their own.
        uvicorn.run(
            make_app(service, database), host=config.host, port=config.port, access_log=False,
            server_header=False, log_level="info", timeout_graceful_shutdown=30,
        )  # fmt: skip
    finally:
        keeper.close()
        database.close()
