"""ONNX in: the gate for untrusted files, open_model(path) -> Model, shapes, the private copy."""
