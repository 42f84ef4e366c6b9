"""One child process per run, the queue, cancel, live events."""

from workbench.jobs.queue import JobQueue
from workbench.jobs.supervisor import run_job

__all__ = ["JobQueue", "run_job"]
