"""Plan -> typed ONNX, one file per pass; calibration beside it."""
