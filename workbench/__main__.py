"""`python -m workbench` is `workbench`."""

from workbench.app import main

main()
