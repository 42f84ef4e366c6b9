"""The open document: what is chosen, selected, running and finished. QtCore and QtGui only, no widget."""
