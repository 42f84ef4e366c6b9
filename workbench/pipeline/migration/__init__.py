"""From trtexec 10 to TensorRT 11: what is gone, what stays, and the precision plan that does the same."""

from workbench.pipeline.migration.migrating import Finding, Migration, migrate
from workbench.pipeline.migration.words import migration_document, migration_text

__all__ = ["Finding", "Migration", "migrate", "migration_document", "migration_text"]
