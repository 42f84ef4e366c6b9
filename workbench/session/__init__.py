"""The open document: model, choices, runs, selection, undo. QtCore and QtGui only."""
