"""One child process per run, the queue, cancel, live events."""
