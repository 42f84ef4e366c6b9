"""One file per kind of sample set, found by being there: `accepts(path) -> bool` and `read(path, wanted) -> Rows`."""
