"""What one sees: window, panels, dialogs, theme. Changes the document through the session only."""
